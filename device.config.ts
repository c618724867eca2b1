import { defineDevice } from "prov";

// The example that `npm start` provisions. The backend and the broker are left at their placeholders:
// the lab puts its own addresses and CA in their place. For a real device name yours here:
//
//   backend: { url: "https://backend.example.org", ca: "certs/backend-ca.pem" },
//   mqtt: { uri: "mqtts://broker.example.org:8883" },
export default defineDevice({
  id: "demo-device",
  target: "esp32c3",
  softAp: { ssidPrefix: "ESP32-Prov", password: "prov12345678", channel: 1 },
  mqtt: { statusIntervalSeconds: 30 },
  key: { algorithm: "P-256" },
});
