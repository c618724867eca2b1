/** What a board that waits for its credentials answers to `GET /status`. */
export function waitingStatus(deviceId: string) {
  return {
    status: "provisioning",
    ip: "",
    device_id: deviceId,
    state: "AP_MODE",
    error: null,
    last_error: null,
    attempts_remaining: 3,
    fw: "0.1.0",
    attempt_id: null,
    wifi_connected: false,
    certificate: false,
    pairing_required: false,
  };
}
