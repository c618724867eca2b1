/** What a device does after a failure; the README's words for it. */
export const OUTLOOKS = {
  /** It goes back to AP_MODE, where nothing but new details gets it any further. */
  gives_up: "waits for new details",
  /** A certificate does not become trusted by waiting: prov ends at once, though the device does not. */
  needs_help: "tries on, in vain until that is mended",
  /** It may be over with the next try, so prov waits as long as it has time. */
  tries_on: "tries on",
} as const;

/** One row of the table. */
export interface DeviceFailure {
  /** Where in the chain it happened. */
  readonly stage: "provision" | "enrol" | "mqtt";
  readonly outlook: keyof typeof OUTLOOKS;
  /** What the device reports. */
  readonly message: string;
  /** What the person in front of prov should do next. */
  readonly hint: string;
  /** What happened, and what to do about it, for somebody with a phone and no manual; that it tries on, the page knows. */
  readonly words: string;
}

/**
 * Every way a device can fail, named once. This table is the source of the TypeScript union below, of the page's words
 * and of `prov_failure.inc`, which the firmware turns into its enum and strings.
 */
export const DEVICE_FAILURES = {
  wifi_wrong_password: {
    stage: "provision",
    outlook: "gives_up",
    message: "the access point refused the WiFi password",
    hint: "Check the password (case matters) and run `prov provision` again; no reset is needed.",
    words:
      "The WiFi did not accept this password. Check it (capital letters matter) and try again.",
  },
  wifi_ap_not_found: {
    stage: "provision",
    outlook: "gives_up",
    message: "no access point with this SSID answered",
    hint: "Check the SSID, that it is on 2.4 GHz (if it is hidden, on channels 1 to 11) and in range; `prov scan` lists what the board sees.",
    words:
      "The device cannot find this WiFi. Check the name, move the device closer to your router, and make sure that the router offers 2.4 GHz.",
  },
  wifi_weak_security: {
    stage: "provision",
    outlook: "gives_up",
    message: "the network's security mode is not accepted",
    hint: "Use a WPA2 or WPA3 network, or give no password for an open one.",
    words:
      "This WiFi has no password or an old kind of protection, and the device does not accept that. Use a WiFi with WPA2 or WPA3.",
  },
  wifi_weak_signal: {
    stage: "provision",
    outlook: "gives_up",
    message: "the access point's signal is too weak",
    hint: "Move the board or the access point closer; `prov scan` shows the RSSI.",
    words: "The WiFi signal is too weak here. Move the device closer to your router and try again.",
  },
  wifi_timeout: {
    stage: "provision",
    outlook: "gives_up",
    message: "the access point did not complete the connection in time",
    hint: "Try again; if it persists, restart the access point and check its client limit.",
    words:
      "Your router did not finish the connection. Try again; if it keeps failing, restart the router.",
  },
  wifi_unknown: {
    stage: "provision",
    outlook: "gives_up",
    message: "the WiFi connection failed for a reason that is not known",
    hint: "Try again; if it persists, look for the reason's number in the access point's log and manual.",
    words:
      "The connection failed, and the device does not know why. Try again; if it keeps failing, restart the router.",
  },
  dhcp_timeout: {
    stage: "provision",
    outlook: "gives_up",
    message: "joined the WiFi but got no IP address",
    hint: "Check that the network's DHCP server is up and has free addresses.",
    words:
      "The device joined your WiFi, but your router gave it no address. Restart the router and try again.",
  },
  dns_failed: {
    stage: "provision",
    outlook: "tries_on",
    message: "a host name could not be resolved",
    hint: "Check the network's DNS and the host names in the manifest.",
    words:
      "The device is on your WiFi, but cannot find its service on the internet. Check that this WiFi has internet access.",
  },
  backend_unreachable: {
    stage: "enrol",
    outlook: "tries_on",
    message: "the backend did not answer",
    hint: "Check backend.url in the manifest and that the device's network can reach it.",
    words:
      "The device is on your WiFi, but its service does not answer. Check that this WiFi has internet access.",
  },
  backend_untrusted: {
    stage: "enrol",
    outlook: "needs_help",
    message: "the backend's TLS certificate is not trusted",
    hint: "Check backend.ca in the manifest against the CA that signed the backend's certificate.",
    words:
      "The device does not trust the service that answered it. Try another WiFi; if that does not help, ask whoever gave you the device.",
  },
  backend_tls_failed: {
    stage: "enrol",
    outlook: "tries_on",
    message: "the TLS handshake with the backend failed",
    hint: "The device speaks TLS 1.2 with ECDHE and AES-GCM alone (`tls.allSuites` in the manifest adds older suites); see that the backend offers it, and read its log for the alert named above.",
    words:
      "The device cannot speak securely with its service. If that goes on, ask whoever gave you the device.",
  },
  token_rejected: {
    stage: "enrol",
    outlook: "gives_up",
    message: "the backend refused the provisioning token",
    hint: "Issue a new token for exactly this device id; a token works once.",
    words:
      "The provisioning token was not accepted. It may be mistyped or used already: ask for a new one.",
  },
  csr_rejected: {
    stage: "enrol",
    outlook: "gives_up",
    message: "the backend refused the certificate signing request",
    hint: "Check that the backend knows the device id and accepts its key type; `prov keys` prints the CSR.",
    words: "The service refused this device. Ask whoever gave you the device.",
  },
  backend_error: {
    stage: "enrol",
    outlook: "tries_on",
    message: "the backend answered with an error",
    hint: "Read the backend's log.",
    words: "The service has a problem at the moment.",
  },
  backend_bad_response: {
    stage: "enrol",
    outlook: "tries_on",
    message: "the backend's answer could not be understood",
    hint: 'The answer to /sign-csr must be {"certificate":{"content"},"ca_certificate":{"content"}} with PEM.',
    words:
      "The service gave an answer that the device does not understand. If that goes on, ask whoever gave you the device.",
  },
  certificate_mismatch: {
    stage: "enrol",
    outlook: "gives_up",
    message: "the signed certificate does not fit this device",
    hint: "The certificate must carry the device's own public key and its id as CN, and chain to the CA sent with it.",
    words:
      "The service sent a certificate that belongs to another device. Ask whoever gave you the device.",
  },
  certificate_expired: {
    stage: "enrol",
    outlook: "gives_up",
    message: "the device's certificate has expired",
    hint: "Provision it again with a new token (its key is intact), and see that the backend answers /renew-csr.",
    words: "The device's certificate has run out. Set it up again with a new provisioning token.",
  },
  renewal_rejected: {
    stage: "enrol",
    outlook: "tries_on",
    message: "the backend refused to renew the certificate",
    hint: "See whether the backend has revoked the device; if not, provision it again with a new token.",
    words:
      "The service refused to renew the device's certificate. Ask whoever gave you the device.",
  },
  clock_not_set: {
    stage: "enrol",
    outlook: "tries_on",
    message: "the device has no valid time, so certificates cannot be checked",
    hint: "Let the network reach an NTP server, or send `time` with POST /provision (prov does).",
    words: "The device cannot find out what time it is. Check that this WiFi has internet access.",
  },
  storage_failed: {
    stage: "provision",
    outlook: "gives_up",
    message: "the device could not write its storage",
    hint: "Erase the NVS partition (`prov flash --erase`) and provision again.",
    words:
      "The device could not save the details. Switch it off and on, then try again; if that does not help, it needs service.",
  },
  radio_misconfigured: {
    stage: "provision",
    outlook: "tries_on",
    message: "the radio does not take the AP's settings and uses others",
    hint: "Mend what the message names (softAp.channel, wifi.country or the number of clients), build and flash again.",
    words:
      "This device was built with WiFi settings that it cannot use. It goes on with others; tell whoever gave you the device.",
  },
  broker_unreachable: {
    stage: "mqtt",
    outlook: "tries_on",
    message: "the MQTT broker did not answer",
    hint: "Check mqtt.uri in the manifest and that port 8883 is open from the device's network.",
    words:
      "The device is almost ready, but its message service does not answer. Check that this WiFi has internet access.",
  },
  broker_untrusted: {
    stage: "mqtt",
    outlook: "needs_help",
    message: "the MQTT broker's TLS certificate is not trusted",
    hint: "The broker's certificate must chain to the ca_certificate that the backend sends, and carry the host name of mqtt.uri.",
    words:
      "The device does not trust the message service that answered it. Try another WiFi; if that does not help, ask whoever gave you the device.",
  },
  broker_rejected: {
    stage: "mqtt",
    outlook: "tries_on",
    message: "the MQTT broker refused the device",
    hint: "Check that the broker trusts the CA that signs device certificates and allows the device id as client id.",
    words:
      "The message service refuses this device. If that goes on, ask whoever gave you the device.",
  },
  broker_tls_failed: {
    stage: "mqtt",
    outlook: "tries_on",
    message: "the TLS handshake with the MQTT broker failed",
    hint: "The device speaks TLS 1.2 with ECDHE and AES-GCM alone (`tls.allSuites` in the manifest adds older suites); see that the broker offers it, and read its log for the alert named above.",
    words:
      "The device cannot speak securely with its message service. If that goes on, ask whoever gave you the device.",
  },
  broker_bad_response: {
    stage: "mqtt",
    outlook: "tries_on",
    message: "the MQTT broker's answer is not MQTT 3.1.1",
    hint: "See that mqtt.uri leads to a broker that speaks MQTT 3.1.1, and to no other service.",
    words:
      "The message service gave an answer that the device does not understand. If that goes on, ask whoever gave you the device.",
  },
  publish_refused: {
    stage: "mqtt",
    outlook: "tries_on",
    message: "the MQTT broker hung up on the device's status message",
    hint: "Let the broker's policy allow the device to publish to devices/<id>/status, retained and with QoS 1.",
    words:
      "The message service does not take this device's messages. If that goes on, ask whoever gave you the device.",
  },
  publish_unacknowledged: {
    stage: "mqtt",
    outlook: "tries_on",
    message: "the MQTT broker did not acknowledge the device's status message",
    hint: "Let the broker's policy allow the device to publish to devices/<id>/status, retained and with QoS 1; read its log.",
    words:
      "The message service does not take this device's messages. If that goes on, ask whoever gave you the device.",
  },
  broker_lost: {
    stage: "mqtt",
    outlook: "tries_on",
    message: "the connection to the MQTT broker was lost",
    hint: "If it happens often, read the broker's log.",
    words: "The device has lost its message service. Check that this WiFi has internet access.",
  },
} as const satisfies Record<string, DeviceFailure>;

export type FailureCode = keyof typeof DEVICE_FAILURES;

/** Whether this table has the code: a (newer) firmware may report one that it lacks. */
export function isFailureCode(code: string): code is FailureCode {
  return Object.hasOwn(DEVICE_FAILURES, code);
}
