import { watch } from "node:fs";
import { connect as connectTo, createServer, type Server } from "node:net";
import { join } from "node:path";
import { type AnnouncedAp, APS_FOLDER, listAnnouncedAps } from "../../cli/lab/air/air-file.js";
import {
  BOARD_ADDRESS,
  BOARD_IFACE,
  BOARD_POOL,
  frequencyOf,
  type RunningAp,
  runAp,
} from "./air.js";
import { run } from "./shell.js";

/**
 * Puts the SoftAP that the firmware announces on the air: hostapd with the announced key, a DHCP
 * server, and a way from the AP's address to the port where the firmware's HTTP server listens. It
 * runs in the board's network namespace.
 */
interface OnAir {
  announced: AnnouncedAp;
  ap: RunningAp;
  entrance: Server;
}

export function mirrorSoftAp(airDir: string): { close(): Promise<void> } {
  let onAir: OnAir | null = null;
  let queue = Promise.resolve();
  const update = async () => {
    const [wanted] = listAnnouncedAps(airDir);
    if (onAir !== null && !isSame(onAir.announced, wanted)) {
      const { ap, entrance } = onAir;
      onAir = null;
      entrance.close();
      await ap.stop();
      process.stdout.write("softap: off\n");
    }
    if (wanted === undefined) return;
    if (onAir === null) onAir = await start(wanted);
    if (onAir.announced.channel !== wanted.channel) await switchChannel(wanted.channel);
    onAir.announced = wanted;
  };
  const later = () => {
    queue = queue.then(update).catch((error) => {
      process.stdout.write(`softap: ${error}\n`);
    });
  };
  const watcher = watch(join(airDir, APS_FOLDER), later);
  later();
  return {
    close: async () => {
      watcher.close();
      await queue;
      await onAir?.ap.stop();
    },
  };
}

/** A channel switch is announced to the stations; anything else is another AP. */
function isSame(a: AnnouncedAp, b: AnnouncedAp | undefined): boolean {
  return b !== undefined && a.ssid === b.ssid && a.pmk === b.pmk && a.baseUrl === b.baseUrl;
}

async function start(announced: AnnouncedAp): Promise<OnAir> {
  const { hostname, port } = new URL(announced.baseUrl);
  const entrance = createServer((client) => {
    const server = connectTo(Number(port), hostname);
    client.pipe(server).pipe(client);
    client.on("error", () => server.destroy());
    server.on("error", () => client.destroy());
  });
  entrance.listen(80, BOARD_ADDRESS);
  const { ssid, pmk, channel } = announced;
  const ap = await runAp("board", BOARD_IFACE, { ssid, psk: pmk, channel, dhcp: true }, BOARD_POOL);
  process.stdout.write(`softap: ${ssid} on channel ${channel}\n`);
  return { announced, ap, entrance };
}

/** The board has one radio: its AP follows the station (IEEE 802.11 channel switch announcement). */
async function switchChannel(channel: number): Promise<void> {
  const frequency = String(frequencyOf(channel));
  const args = ["-p", "/run/hostapd", "-i", BOARD_IFACE, "chan_switch", "5", frequency];
  const outcome = await run("hostapd_cli", ...args);
  process.stdout.write(`softap: to channel ${channel}: ${outcome.stdout.trim()}\n`);
}
