import { existsSync } from "node:fs";
import { MOSQUITTO_PLACES } from "../../cli/lab/broker/mosquitto.js";
import {
  type FindPeer,
  type Peer,
  type Place,
  type StartOptions,
  startProgram,
  writePrivate,
} from "./peer.js";

const PROGRAM = MOSQUITTO_PLACES.find((path) => existsSync(path));
const START_MS = 20_000;

export const findMosquitto: FindPeer = () =>
  PROGRAM === undefined
    ? { name: "mosquitto", missing: "it is not installed" }
    : { name: "mosquitto", open: (place) => open(PROGRAM, place) };

async function open(program: string, place: Place): Promise<Peer> {
  let stop = async (): Promise<void> => {};
  return {
    name: "mosquitto",
    // It acknowledges the message and drops it (mosquitto.conf(5), acl_file).
    mutedCode: "status_timeout",
    cannot: {},
    async start(options) {
      await stop();
      stop = await startProgram({
        command: program,
        args: ["-c", configure(place, options)],
        cwd: place.dir,
        ready: / running$/m,
        timeoutMs: START_MS,
      });
    },
    stop: () => stop(),
  };
}

function configure(place: Place, { policy, crlPem }: StartOptions): string {
  const { port, dir, ca, server, deviceId, operator } = place;
  const write = (name: string, text: string): string => writePrivate(dir, name, text);
  const topic = `devices/${deviceId}/#`;
  const access = policy === "mute" ? "read" : "readwrite";
  const acl = `user ${operator}\ntopic read #\n\nuser ${deviceId}\ntopic ${access} ${topic}\n`;
  return write(
    "mosquitto.conf",
    [
      // Started as root it would become `mosquitto`, who cannot read our private files.
      ...(process.getuid?.() === 0 ? ["user root"] : []),
      `listener ${port} 127.0.0.1`,
      `cafile ${write("ca.pem", ca.certPem)}`,
      `certfile ${write("server.pem", server.certPem)}`,
      `keyfile ${write("server-key.pem", server.keyPem)}`,
      ...(crlPem ? [`crlfile ${write("crl.pem", crlPem)}`] : []),
      ...["require_certificate true", "use_identity_as_username true", "allow_anonymous false"],
      `acl_file ${write("acl", acl)}`,
      ...(policy === "closed" ? ["clientid_prefixes somebody-else-"] : []),
      ...["log_dest stderr", ""],
    ].join("\n"),
  );
}
