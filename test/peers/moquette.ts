import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { REPOSITORY } from "../helpers/prov.js";
import {
  type FindPeer,
  type Peer,
  type Place,
  type StartOptions,
  startProgram,
  writePrivate,
} from "./peer.js";

const NAME = "Moquette 0.17";
const POM = join(REPOSITORY, "test", "peers", "moquette", "pom.xml");
const COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies";
const DOWNLOAD_MS = 300_000;
const START_MS = 30_000;
const STORE_PASSWORD = "changeit";

/** Maven brings it and what it needs, once. */
export const findMoquette: FindPeer = () => {
  const jars = join(REPOSITORY, ".cache", "moquette-0.17");
  const missing = lacks("java", "-version") ?? (existsSync(jars) ? undefined : download(jars));
  return missing === undefined
    ? { name: NAME, open: (place) => open(jars, place) }
    : { name: NAME, missing };
};

function lacks(command: string, ...args: string[]): string | undefined {
  const { error, status, stderr } = spawnSync(command, args, {
    encoding: "utf8",
    timeout: DOWNLOAD_MS,
  });
  if (status === 0) return undefined;
  return `${command}: ${error?.message ?? stderr.trim().split("\n").at(-1)}`;
}

function download(jars: string): string | undefined {
  const fresh = `${jars}.new`;
  rmSync(fresh, { recursive: true, force: true });
  const problem = lacks("mvn", "-q", "-B", "-f", POM, COPY, `-DoutputDirectory=${fresh}`);
  if (problem === undefined) renameSync(fresh, jars);
  return problem;
}

async function open(jars: string, place: Place): Promise<Peer> {
  let stop = async (): Promise<void> => {};
  makeKeyStore(place);
  return {
    name: NAME,
    // It drops the message without a word (PostOffice, receivedPublishQos1).
    mutedCode: "publish_unacknowledged",
    breaks: { late: true, will: true },
    cannot: { revoked: "its key store has no place for a list of what is revoked" },
    async start(options) {
      await stop();
      if (!options.again) rmSync(join(place.dir, "data"), { recursive: true, force: true });
      configure(place, options);
      stop = await startProgram({
        command: "java",
        args: [
          ...["-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"],
          `-Dmoquette.path=${place.dir}`,
          `-Dlog4j.configuration=file:${join(place.dir, "log4j.properties")}`,
          ...["-cp", join(jars, "*"), "io.moquette.broker.Server"],
        ],
        cwd: place.dir,
        ready: /Moquette server has been started|Server started/,
        timeoutMs: START_MS,
      });
    },
    stop: () => stop(),
  };
}

/** One store for its own key and for the CA of its clients. */
function makeKeyStore({ dir, ca, server }: Place): void {
  const write = (name: string, text: string): string => writePrivate(dir, name, text);
  const store = join(dir, "store.p12");
  const pass = ["-passout", `pass:${STORE_PASSWORD}`];
  const [cert, key] = [write("server.pem", server.certPem), write("server-key.pem", server.keyPem)];
  execFileSync("openssl", [
    ...["pkcs12", "-export", "-in", cert, "-inkey", key, "-name", "server"],
    ...["-out", store, ...pass],
  ]);
  execFileSync(
    "keytool",
    [
      ...["-importcert", "-noprompt", "-alias", "ca", "-file", write("ca.pem", ca.certPem)],
      ...["-keystore", store, "-storetype", "PKCS12", "-storepass", STORE_PASSWORD],
    ],
    { stdio: "pipe" },
  );
}

function configure(place: Place, { policy }: StartOptions): void {
  const { dir, port, deviceId } = place;
  const config = join(dir, "config");
  for (const each of [config, join(dir, "data")]) mkdirSync(each, { recursive: true });
  // It looks at no certificate's name, and a pattern ends the session of a client without a user name
  // (AuthorizationsCollector, canDoOperation): so the rules are everybody's. What follows a `#` is a comment.
  const may = policy === "mute" ? "read" : "readwrite";
  writeFileSync(join(config, "acl"), `topic ${may} devices/${deviceId}/status\n`);
  writeFileSync(join(config, "passwords"), "");
  writeFileSync(
    join(config, "moquette.conf"),
    [
      ...["host 127.0.0.1", "port disabled", "websocket_port disabled", `ssl_port ${port}`],
      ...[`jks_path ${join(dir, "store.p12")}`, "key_store_type pkcs12"],
      `key_store_password ${STORE_PASSWORD}`,
      `key_manager_password ${STORE_PASSWORD}`,
      "need_client_auth true",
      `allow_anonymous ${policy !== "closed"}`,
      ...["password_file config/passwords", "acl_file config/acl"],
      ...[`data_path ${join(dir, "data")}`, "telemetry_enabled false", ""],
    ].join("\n"),
  );
  writeFileSync(
    join(dir, "log4j.properties"),
    [
      ...["log4j.rootLogger=INFO, out", "log4j.appender.out=org.apache.log4j.ConsoleAppender"],
      "log4j.appender.out.layout=org.apache.log4j.PatternLayout",
      ...["log4j.appender.out.layout.ConversionPattern=%p %c{1} %m%n", ""],
    ].join("\n"),
  );
}
