/*
 * Which network, told to whoever knows its name already: the name itself is nobody's business in a log or at the broker.
 * Pure.
 */
#pragma once

#define SSID_DIGEST_LENGTH 16 /* hex digits: tells networks apart, and fits a small message */

/**
 * The first hex digits of SHA-256(device id, NUL, SSID). With the id in it, two devices of one home have nothing in
 * common. "" when there is no SHA-256.
 */
void ssid_digest(const char *device_id, const char *ssid, char out[SSID_DIGEST_LENGTH + 1]);
