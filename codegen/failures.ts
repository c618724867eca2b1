/**
 * Every way a device can fail, named once. This table is the source of the TypeScript union below
 * and of `firmware/main/prov_failure.inc`, which the firmware turns into its enum and strings.
 *
 * `stage` is where in the chain it happened; `message` is what the device reports; `hint` is what
 * the person in front of it should do next.
 */
export const DEVICE_FAILURES = [
  {
    code: "wifi_wrong_password",
    stage: "provision",
    message: "the access point refused the WiFi password",
    hint: "Check the password (case matters) and run `prov provision` again; no reset is needed.",
  },
  {
    code: "wifi_ap_not_found",
    stage: "provision",
    message: "no access point with this SSID answered",
    hint: "Check the SSID, that it is on 2.4 GHz and in range; `prov scan` lists what the board sees.",
  },
  {
    code: "wifi_weak_security",
    stage: "provision",
    message: "the network's security mode is not accepted",
    hint: "Use a WPA2 or WPA3 network, or give no password for an open one.",
  },
  {
    code: "wifi_weak_signal",
    stage: "provision",
    message: "the access point's signal is too weak",
    hint: "Move the board or the access point closer; `prov scan` shows the RSSI.",
  },
  {
    code: "wifi_timeout",
    stage: "provision",
    message: "the access point did not complete the connection in time",
    hint: "Try again; if it persists, restart the access point and check its client limit.",
  },
  {
    code: "wifi_unknown",
    stage: "provision",
    message: "the WiFi connection failed for a reason that is not known",
    hint: "Try again; if it persists, look for the reason's number in the access point's log and manual.",
  },
  {
    code: "dhcp_timeout",
    stage: "provision",
    message: "joined the WiFi but got no IP address",
    hint: "Check that the network's DHCP server is up and has free addresses.",
  },
  {
    code: "dns_failed",
    stage: "provision",
    message: "a host name could not be resolved",
    hint: "Check the network's DNS and the host names in the manifest.",
  },
  {
    code: "backend_unreachable",
    stage: "enrol",
    message: "the backend did not answer",
    hint: "Check backend.url in the manifest and that the device's network can reach it.",
  },
  {
    code: "backend_untrusted",
    stage: "enrol",
    message: "the backend's TLS certificate is not trusted",
    hint: "Check backend.ca in the manifest against the CA that signed the backend's certificate.",
  },
  {
    code: "backend_tls_failed",
    stage: "enrol",
    message: "the TLS handshake with the backend failed",
    hint: "The device speaks TLS 1.2 with ECDHE; see that the backend offers it, and read its log for the alert named above.",
  },
  {
    code: "token_rejected",
    stage: "enrol",
    message: "the backend refused the provisioning token",
    hint: "Issue a new token for exactly this device id; a token works once.",
  },
  {
    code: "csr_rejected",
    stage: "enrol",
    message: "the backend refused the certificate signing request",
    hint: "Check that the backend knows the device id and accepts its key type; `prov keys` prints the CSR.",
  },
  {
    code: "backend_error",
    stage: "enrol",
    message: "the backend answered with an error",
    hint: "Read the backend's log; the device keeps trying while its window is open.",
  },
  {
    code: "backend_bad_response",
    stage: "enrol",
    message: "the backend's answer could not be understood",
    hint: 'The answer to /sign-csr must be {"certificate":{"content"},"ca_certificate":{"content"}} with PEM.',
  },
  {
    code: "certificate_mismatch",
    stage: "enrol",
    message: "the signed certificate does not fit this device",
    hint: "The certificate must carry the device's own public key and its id as CN, and chain to the CA sent with it.",
  },
  {
    code: "certificate_expired",
    stage: "enrol",
    message: "the device's certificate has expired",
    hint: "Provision it again with a new token (its key is intact), and see that the backend answers /renew-csr.",
  },
  {
    code: "renewal_rejected",
    stage: "enrol",
    message: "the backend refused to renew the certificate",
    hint: "See whether the backend has revoked the device; if not, provision it again with a new token.",
  },
  {
    code: "clock_not_set",
    stage: "enrol",
    message: "the device has no valid time, so certificates cannot be checked",
    hint: "Let the network reach an NTP server, or send `time` with POST /provision (prov does).",
  },
  {
    code: "storage_failed",
    stage: "provision",
    message: "the device could not write its storage",
    hint: "Erase the NVS partition (`prov flash --erase`) and provision again.",
  },
  {
    code: "radio_misconfigured",
    stage: "provision",
    message: "the radio does not take the AP's settings and uses others",
    hint: "Mend what the message names (softAp.channel, wifi.country or the number of clients), build and flash again.",
  },
  {
    code: "broker_unreachable",
    stage: "mqtt",
    message: "the MQTT broker did not answer",
    hint: "Check mqtt.uri in the manifest and that port 8883 is open from the device's network.",
  },
  {
    code: "broker_untrusted",
    stage: "mqtt",
    message: "the MQTT broker's TLS certificate is not trusted",
    hint: "The broker's certificate must chain to the ca_certificate that the backend sends, and carry the host name of mqtt.uri.",
  },
  {
    code: "broker_rejected",
    stage: "mqtt",
    message: "the MQTT broker refused the device",
    hint: "Check that the broker trusts the CA that signs device certificates and allows the device id as client id.",
  },
  {
    code: "broker_tls_failed",
    stage: "mqtt",
    message: "the TLS handshake with the MQTT broker failed",
    hint: "The device speaks TLS 1.2 with ECDHE; see that the broker offers it, and read its log for the alert named above.",
  },
  {
    code: "broker_bad_response",
    stage: "mqtt",
    message: "the MQTT broker's answer is not MQTT 3.1.1",
    hint: "See that mqtt.uri leads to a broker that speaks MQTT 3.1.1, and to no other service.",
  },
  {
    code: "publish_refused",
    stage: "mqtt",
    message: "the MQTT broker hung up on the device's status message",
    hint: "Let the broker's policy allow the device to publish to devices/<id>/status, retained and with QoS 1.",
  },
  {
    code: "publish_unacknowledged",
    stage: "mqtt",
    message: "the MQTT broker did not acknowledge the device's status message",
    hint: "Let the broker's policy allow the device to publish to devices/<id>/status, retained and with QoS 1; read its log.",
  },
  {
    code: "broker_lost",
    stage: "mqtt",
    message: "the connection to the MQTT broker was lost",
    hint: "The device connects again by itself; if it happens often, read the broker's log.",
  },
] as const satisfies readonly DeviceFailure[];

/** One row of the table. */
export interface DeviceFailure {
  readonly code: string;
  readonly stage: "provision" | "enrol" | "mqtt";
  readonly message: string;
  readonly hint: string;
}

export type FailureCode = (typeof DEVICE_FAILURES)[number]["code"];

/** The row of a code, or undefined when a (newer) firmware reports one that this table lacks. */
export function findDeviceFailure(code: string): DeviceFailure | undefined {
  return DEVICE_FAILURES.find((failure) => failure.code === code);
}
