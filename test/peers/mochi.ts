import { join } from "node:path";
import { buildWithGo } from "../helpers/go.js";
import { REPOSITORY } from "../helpers/prov.js";
import { type FindPeer, type Peer, type Place, startProgram, writePrivate } from "./peer.js";

const NAME = "mochi 2.7";
const SOURCE = join(REPOSITORY, "test", "peers", "mochi");
const PROGRAM = join(REPOSITORY, ".cache", "mochi-2.7.9");
const BUILD_MS = 300_000;
const START_MS = 20_000;

/** Go brings what it is made of, once. @returns its path, or why there is none */
export function buildMochi(): { program: string } | { missing: string } {
  return buildWithGo(PROGRAM, ["build", "-o", PROGRAM, "."], { cwd: SOURCE, timeoutMs: BUILD_MS });
}

export const findMochi: FindPeer = () => {
  const built = buildMochi();
  return "missing" in built
    ? { name: NAME, ...built }
    : { name: NAME, open: (place) => open(built.program, place) };
};

async function open(command: string, place: Place): Promise<Peer> {
  let stop = async (): Promise<void> => {};
  const { port, dir, ca, server, operator } = place;
  const write = (name: string, text: string): string => writePrivate(dir, name, text);
  return {
    name: NAME,
    // It disconnects a client of MQTT 3.1.1 that publishes what it may not (server.go, processPublish).
    mutedCode: "publish_refused",
    cannot: {},
    async start({ policy, crlPem }) {
      await stop();
      const options = {
        ...{ address: `127.0.0.1:${port}`, policy, operator, ca: write("ca.pem", ca.certPem) },
        certificate: write("server.pem", server.certPem),
        key: write("server-key.pem", server.keyPem),
        ...(crlPem ? { crl: write("crl.pem", crlPem) } : {}),
      };
      stop = await startProgram({
        command,
        args: Object.entries(options).flatMap(([name, value]) => [`-${name}`, value]),
        cwd: dir,
        ready: /^ready$/m,
        timeoutMs: START_MS,
      });
    },
    stop: () => stop(),
  };
}
