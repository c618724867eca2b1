import type { FailureCode } from "./failures.js";
import { LIMITS } from "./limits.js";

/**
 * What the device's page says, in words for somebody with a phone and no manual. The page's script and
 * the answers that the firmware writes for browsers without scripts both get them from here.
 */

/** Each state of the device (`prov_state.h`). */
export const STATE_WORDS: Readonly<Record<string, string>> = {
  INIT: "Starting",
  CHECK_PROVISIONING: "Starting",
  AP_MODE: "Waiting for your WiFi details",
  WIFI_CONNECTING: "Joining your WiFi",
  WIFI_CONNECTED: "Joined your WiFi",
  CHECK_CERTIFICATES: "Checking its certificate",
  SUBMIT_CSR: "Getting its certificate",
  MQTT_CONNECTING: "Connecting to its service",
  MQTT_CONNECTED: "Online",
};

/** Each way it can fail: what happened, and what the person can do about it. */
export const FAILURE_WORDS: Readonly<Record<FailureCode, string>> = {
  wifi_wrong_password:
    "The WiFi did not accept this password. Check it (capital letters matter) and try again.",
  wifi_ap_not_found:
    "The device cannot find this WiFi. Check the name, move the device closer to your router, and make sure that the router offers 2.4 GHz.",
  wifi_weak_security:
    "This WiFi has no password or an old kind of protection, and the device does not accept that. Use a WiFi with WPA2 or WPA3.",
  wifi_weak_signal:
    "The WiFi signal is too weak here. Move the device closer to your router and try again.",
  wifi_timeout:
    "Your router did not finish the connection. Try again; if it keeps failing, restart the router.",
  wifi_unknown:
    "The connection failed, and the device does not know why. Try again; if it keeps failing, restart the router.",
  dhcp_timeout:
    "The device joined your WiFi, but your router gave it no address. Restart the router and try again.",
  dns_failed:
    "The device is on your WiFi, but cannot find its service on the internet. Check that this WiFi has internet access.",
  backend_unreachable:
    "The device is on your WiFi, but its service does not answer. Check that this WiFi has internet access; the device keeps trying.",
  backend_untrusted:
    "The device does not trust the service that answered it. Try another WiFi; if that does not help, ask whoever gave you the device.",
  backend_tls_failed:
    "The device cannot speak securely with its service. The device keeps trying; if it goes on, ask whoever gave you the device.",
  token_rejected:
    "The provisioning token was not accepted. It may be mistyped or used already: ask for a new one.",
  csr_rejected: "The service refused this device. Ask whoever gave you the device.",
  backend_error: "The service has a problem at the moment. The device keeps trying.",
  backend_bad_response:
    "The service gave an answer that the device does not understand. The device keeps trying; if it goes on, ask whoever gave you the device.",
  certificate_mismatch:
    "The service sent a certificate that belongs to another device. Ask whoever gave you the device.",
  certificate_expired:
    "The device's certificate has run out. Set it up again with a new provisioning token.",
  renewal_rejected:
    "The service refused to renew the device's certificate. Ask whoever gave you the device.",
  clock_not_set:
    "The device cannot find out what time it is. Check that this WiFi has internet access.",
  storage_failed:
    "The device could not save the details. Switch it off and on, then try again; if that does not help, it needs service.",
  radio_misconfigured:
    "This device was built with WiFi settings that it cannot use. It goes on with others; tell whoever gave you the device.",
  broker_unreachable:
    "The device is almost ready, but its message service does not answer. Check that this WiFi has internet access; the device keeps trying.",
  broker_untrusted:
    "The device does not trust the message service that answered it. Try another WiFi; if that does not help, ask whoever gave you the device.",
  broker_rejected: "The message service refused this device. Ask whoever gave you the device.",
  broker_tls_failed:
    "The device cannot speak securely with its message service. The device keeps trying; if it goes on, ask whoever gave you the device.",
  broker_bad_response:
    "The message service gave an answer that the device does not understand. The device keeps trying; if it goes on, ask whoever gave you the device.",
  publish_refused:
    "The message service does not take this device's messages. Ask whoever gave you the device.",
  publish_unacknowledged:
    "The message service does not take this device's messages. Ask whoever gave you the device.",
  broker_lost:
    "The device has lost its message service. It connects again by itself; check that this WiFi has internet access.",
};

/** Each field of the form when it was refused. */
export const FIELD_WORDS: Readonly<Record<string, string>> = {
  ssid: `Enter the name of your WiFi, at most ${LIMITS.ssidMaxBytes} characters. Accented letters count twice or more.`,
  password: `A WiFi password has ${LIMITS.passphraseMinBytes} to ${LIMITS.passphraseMaxBytes} characters. Leave it empty only if your WiFi has none.`,
  provisioning_token: "Enter the provisioning token. It has no spaces.",
  pairing_secret: "Enter the pairing secret that belongs to this device.",
};

/** The other ways in which the device refuses a request. */
export const REFUSAL_WORDS: Readonly<Record<string, string>> = {
  busy: "The device is busy with the details it was given before. Wait a minute and try again.",
  wrong_device: "These details are for another device. Check which device's WiFi your phone is on.",
  storage_failed: FAILURE_WORDS.storage_failed,
  pairing_required: "The pairing secret is missing or wrong.",
  locked:
    "There were too many wrong pairing secrets. Switch the device off and on, then try again.",
  slow_down: "That was too often. Wait a minute and try again.",
  too_large: "These details are too long.",
  foreign_host: "Another site sent this form. Open the device's own page and try again.",
};
