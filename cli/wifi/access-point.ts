import type { Failure } from "../time/wait.js";

/** The board's address on its own SoftAP (ESP-IDF's default). */
export const DEFAULT_BASE_URL = "http://192.168.4.1";

/** A wait that ended before the AP showed up. */
export function apNotFound(ssid: string): Failure {
  return {
    code: "ap_not_found",
    message: `no access point named ${JSON.stringify(ssid)} in reach`,
  };
}

/** The AP was seen, but joining it did not end in time. */
export function joinTooSlow(ssid: string): Failure {
  return { code: "ap_unreachable", message: `joining ${JSON.stringify(ssid)} took too long` };
}

/** A scan that the adapter did not end in time. */
export const SCAN_TOO_SLOW: Failure = { code: "ap_not_found", message: "the scan took too long" };
