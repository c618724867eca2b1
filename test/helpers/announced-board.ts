import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { computePmk } from "../../cli/lab/air/air-file.js";
import { waitingStatus } from "./board-status.js";

export const AP_PASSWORD = "prov12345678";

export interface AnnouncedBoard {
  /** The calls that it got, such as `GET /status`. */
  readonly asked: readonly string[];
  /** Called before each answer. */
  onRequest: () => void;
  close(): void;
}

/** A board in the air of `airDir` whose AP is `ESP32-Prov-<suffix>`, with `more` behind it, and that answers everything with its status. */
export async function announceBoard(
  airDir: string,
  suffix: string,
  deviceId: string,
  password = AP_PASSWORD,
  more = "",
): Promise<AnnouncedBoard> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    board.onRequest();
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(waitingStatus(deviceId)));
  });
  const board: AnnouncedBoard = { asked, onRequest: () => {}, close: () => void server.close() };
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const ssid = `ESP32-Prov-${suffix}${more}`;
  writeFileSync(
    join(airDir, "aps", `7cdfa1${suffix.toLowerCase()}.json`),
    JSON.stringify({
      ssid,
      bssid: `7c:df:a1:${suffix.toLowerCase().match(/../g)?.join(":")}`,
      channel: 1,
      auth: "wpa2",
      pmk: computePmk(password, ssid),
      base_url: `http://127.0.0.1:${port}`,
      pid: process.pid,
    }),
  );
  return board;
}
