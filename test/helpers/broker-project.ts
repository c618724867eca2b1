import { join } from "node:path";
import { writeManifest } from "./project.js";
import { REPOSITORY } from "./prov.js";

export const BROKER_DEVICE = "denied-device";
export const BROKER_PROJECT = join(REPOSITORY, ".cache", "e2e-brokers");
/** As the manifest below has them. */
export const RECONNECT_MIN_MS = 100;
export const STABLE_S = 3;

const MANIFEST = `defineDevice({
  id: "${BROKER_DEVICE}",
  target: "esp32c3",
  mqtt: { statusIntervalSeconds: 1 },
  sdkconfig: {
    CONFIG_PROV_CONNECT_DELAY_MS: 100,
    CONFIG_PROV_RECONNECT_MIN_MS: 100,
    CONFIG_PROV_RECONNECT_MAX_MS: 500,
    CONFIG_PROV_BACKEND_MAX_ATTEMPTS: 2,
    CONFIG_PROV_BACKEND_RETRY_MIN_MS: 100,
    CONFIG_PROV_BACKEND_RETRY_MAX_MS: 500,
    CONFIG_PROV_MQTT_RECONNECT_MIN_MS: ${RECONNECT_MIN_MS},
    CONFIG_PROV_MQTT_RECONNECT_MAX_MS: 3200,
    CONFIG_PROV_MQTT_ACK_TIMEOUT_MS: 3000,
    CONFIG_PROV_MQTT_STABLE_S: ${STABLE_S},
    CONFIG_PROV_AP_LINGER_MS: 10000,
    CONFIG_PROV_BUTTON_HOLD_MS: 500,
  },
})`;

/** A project whose device waits for nothing long, for tests with brokers that fail it. */
export function ensureBrokerProject(): string {
  writeManifest(BROKER_PROJECT, MANIFEST);
  return BROKER_PROJECT;
}
