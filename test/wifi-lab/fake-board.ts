import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { BOARD_ADDRESS } from "./air.js";

/**
 * What answers behind the board's AP in the adapter's scenarios: just enough of the board's API.
 * Every POST is noted in the file named by BOARD_POSTED, before it is answered.
 */
const STATUS = {
  status: "provisioning",
  state: "AP_MODE",
  device_id: process.env.BOARD_ID ?? "lab-board",
  ip: "",
  error: null,
  attempts_remaining: 5,
  fw: "lab",
  attempt_id: null,
  wifi_connected: false,
  certificate: false,
};
const ANSWERS = new Map<string, unknown>([
  ["GET /status", STATUS],
  ["GET /scan", { networks: [{ ssid: "HomeNet", rssi: -40, channel: 6, secure: true }], count: 1 }],
  ["POST /provision", { status: "ok", message: "Credentials saved" }],
]);

createServer((request, response) => {
  request.resume().on("end", () => {
    const call = `${request.method} ${request.url}`;
    const posted = process.env.BOARD_POSTED;
    if (request.method === "POST" && posted !== undefined) writeFileSync(posted, call);
    const answer = ANSWERS.get(call);
    response.writeHead(answer === undefined ? 404 : 200, { "Content-Type": "application/json" });
    response.end(JSON.stringify(answer ?? { status: "error", code: "not_found", message: call }));
  });
}).listen(80, BOARD_ADDRESS);
