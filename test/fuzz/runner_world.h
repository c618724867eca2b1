/* The world around the state machine's task, which does whatever the input says. */
#pragma once

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net_jobs.h"
#include "prov_event.h"

#define JOBS_MAX 12
/** The time at boot. */
#define NOW 1750000000

typedef struct {
    struct {
        net_job_kind_t kind;
        uint32_t id;
    } jobs[JOBS_MAX];
    size_t jobs_queued;
    uint32_t mqtt_id; /* of the connection that is up or being made; 0 = none */
    bool mqtt_accepted;
    bool mqtt_up; /* a status message was acknowledged */
    bool mqtt_is_new; /* it is shown the certificate that has yet to prove itself */
    bool server_up;
    bool names_up;
    bool ap_up;
    bool store_fails;
    bool ap_fails;
    bool radio_fails;
    bool is_wanted; /* a station that was never told to connect reports nothing */
    bool is_pressed;
} world_t;

/** What survives a restart. */
typedef struct {
    bool has_pending;
    bool has_wifi;
    bool has_token;
    bool has_new;
    bool has_active;
    bool is_pending_open; /* it has no password, and is refused for that */
    uint32_t revision;    /* of what is pending */
} flash_t;

extern world_t g_world;
extern flash_t g_flash;

/** Where esp_restart() leads. */
extern jmp_buf g_restart;

/** The outcome of the oldest job: good when `choice` is even. */
void world_finish_job(uint8_t choice);
/** The broker accepts, acknowledges, refuses, or lets go. */
void world_broker(uint8_t choice);
/** The access point does. */
void world_radio(uint8_t choice);
/** POST /provision, as http_api.c does it. */
void world_provision(bool is_open);
/** Queues a message that comes when it likes; drops it when the task is behind, and returns false. */
bool world_post(const prov_msg_t *msg);
