import { type ChildProcess, execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findFreePort } from "../../cli/lab/server/listen.js";
import { spawnBound, stopChild } from "../../cli/processes/child.js";
import { childEnvironment } from "../../cli/processes/child-environment.js";
import { debianDependencies, unpackDebian } from "../support/debian-package.js";
import {
  type FindPeer,
  type Peer,
  type Place,
  type StartOptions,
  startProgram,
  writePrivate,
} from "./peer.js";

const START_MS = 60_000;
const STOP_MS = 5_000;

/** Debian's packages of RabbitMQ and Erlang, unpacked: no service, no system user, no file outside `.cache`. */
export const findRabbitmq: FindPeer = () => {
  const found = unpackDebian(
    "rabbitmq",
    debianDependencies("rabbitmq-server", ["erlang-", "rabbitmq-server"]),
  );
  if ("missing" in found) return { name: "RabbitMQ", missing: found.missing };
  const lib = join(found.root, "usr", "lib");
  const version = readdirSync(join(lib, "rabbitmq", "lib"))[0]?.replace("rabbitmq_server-", "");
  if (version === undefined) return { name: "RabbitMQ", missing: `nothing in ${lib}/rabbitmq` };
  const name = `RabbitMQ ${version}`;
  relocate(join(lib, "erlang"));
  const installation = {
    erlang: join(lib, "erlang", "bin"),
    server: join(lib, "rabbitmq", "lib", `rabbitmq_server-${version}`, "sbin", "rabbitmq-server"),
  };
  return { name, open: (place) => open(name, installation, place) };
};

/** Debian's `erl` knows the folder that it is installed in. */
function relocate(erlang: string): void {
  const path = join(erlang, "bin", "erl");
  const text = readFileSync(path, "utf8");
  writeFileSync(path, text.replace(/ROOTDIR=.*$/gm, `ROOTDIR="${erlang}"`), { mode: 0o755 });
}

interface Installation {
  /** The folder of `erl` and `epmd`. */
  readonly erlang: string;
  /** The script that starts it. */
  readonly server: string;
}

async function open(name: string, installation: Installation, place: Place): Promise<Peer> {
  const ports = { epmd: await findFreePort(), distribution: await findFreePort() };
  let epmd: ChildProcess | undefined;
  let stopServer = async (): Promise<void> => {};
  const stop = async (): Promise<void> => {
    await stopServer();
    if (epmd) await stopChild(epmd, STOP_MS);
    epmd = undefined;
  };
  return {
    name,
    // A connection that asks for what it may not is closed (rabbitmq.com, MQTT plugin).
    mutedCode: "publish_refused",
    cannot: {},
    stop,
    async start(options) {
      await stop();
      if (!options.again) rmSync(join(place.dir, "data"), { recursive: true, force: true });
      configure(place, options);
      const env = environment(installation, place, ports);
      // Our own, which ends with us: erl would leave one running that listens for the whole machine.
      epmd = spawnBound(
        join(installation.erlang, "epmd"),
        ["-address", "127.0.0.1", "-port", String(ports.epmd)],
        { env, stdio: "ignore" },
      );
      stopServer = await startProgram({
        command: installation.server,
        args: [],
        cwd: place.dir,
        env,
        ready: /Server startup complete/,
        timeoutMs: START_MS,
      });
    },
  };
}

function environment(
  { erlang }: Installation,
  { dir }: Place,
  ports: { readonly epmd: number; readonly distribution: number },
): NodeJS.ProcessEnv {
  return {
    ...childEnvironment(),
    PATH: `${erlang}:${process.env.PATH ?? ""}`,
    HOME: dir,
    // For every Erlang that is started, RabbitMQ's helpers included.
    ERL_AFLAGS: "-kernel inet_dist_use_interface {127,0,0,1}",
    ERL_EPMD_ADDRESS: "127.0.0.1",
    ERL_EPMD_PORT: String(ports.epmd),
    RABBITMQ_DIST_PORT: String(ports.distribution),
    RABBITMQ_NODENAME: "prov@localhost",
    RABBITMQ_CONFIG_FILE: join(dir, "rabbitmq.conf"),
    RABBITMQ_ADVANCED_CONFIG_FILE: join(dir, "advanced.config"),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(dir, "enabled_plugins"),
    RABBITMQ_CONF_ENV_FILE: join(dir, "none"),
    RABBITMQ_MNESIA_BASE: join(dir, "data"),
    RABBITMQ_LOG_BASE: join(dir, "log"),
    RABBITMQ_PID_FILE: join(dir, "pid"),
    // The script gives way to the server, which then gets our signals.
    detached: "1",
  };
}

function configure(place: Place, options: StartOptions): void {
  const { dir, port } = place;
  const write = (name: string, text: string): string => writePrivate(dir, name, text);
  write("definitions.json", JSON.stringify(definitions(place, options)));
  write("enabled_plugins", "[rabbitmq_mqtt,rabbitmq_auth_mechanism_ssl].\n");
  write(
    "rabbitmq.conf",
    [
      ...["listeners.tcp = none", "mqtt.listeners.tcp = none"],
      `mqtt.listeners.ssl.1 = 127.0.0.1:${port}`,
      ...["mqtt.allow_anonymous = false", "mqtt.ssl_cert_login = true"],
      "ssl_cert_login_from = common_name",
      `load_definitions = ${join(dir, "definitions.json")}`,
      ...["log.console = true", "log.file = false", ""],
    ].join("\n"),
  );
  write("advanced.config", `[{rabbit, [{ssl_options, [${tlsOptions(place, options)}]}]}].\n`);
}

/** Erlang's terms (ssl(3erl)): the ini-like file has no word for lists of what is revoked. */
function tlsOptions({ dir, ca, server }: Place, { crlPem }: StartOptions): string {
  const write = (name: string, text: string): string =>
    JSON.stringify(writePrivate(dir, name, text));
  const options = [
    `{cacertfile, ${write("ca.pem", ca.certPem)}}`,
    `{certfile, ${write("server.pem", server.certPem)}}`,
    `{keyfile, ${write("server-key.pem", server.keyPem)}}`,
    ...["{verify, verify_peer}", "{fail_if_no_peer_cert, true}", "{versions, ['tlsv1.2']}"],
  ];
  if (crlPem === undefined) return options.join(", ");
  const crls = join(dir, "crls");
  mkdirSync(crls, { recursive: true });
  // The folder is one of OpenSSL's: a file is found by the hash of its issuer's name.
  const hash = execFileSync("openssl", ["crl", "-hash", "-noout"], { input: crlPem });
  writeFileSync(join(crls, `${String(hash).trim()}.r0`), crlPem);
  const cache = `{ssl_crl_hash_dir, {internal, [{dir, ${JSON.stringify(crls)}}]}}`;
  return [...options, "{crl_check, true}", `{crl_cache, ${cache}}`].join(", ");
}

/** Users without a password, who log in by certificate alone, and what they may do. */
function definitions({ deviceId, operator }: Place, { policy }: StartOptions): object {
  const names = policy === "closed" ? [operator] : [operator, deviceId];
  const queues = "^(amq\\.topic|mqtt-.*)$";
  const own = "^devices\\.{client_id}\\.";
  const topics = (user: string, write: string, read: string): object => ({
    ...{ user, vhost: "/", exchange: "amq.topic", write, read },
  });
  return {
    users: names.map((name) => ({ name, password_hash: "", tags: "" })),
    vhosts: [{ name: "/" }],
    permissions: names.map((user) => ({
      ...{ user, vhost: "/", configure: "^mqtt-", write: queues, read: queues },
    })),
    topic_permissions: [
      topics(operator, "^$", ".*"),
      ...(policy === "closed" ? [] : [topics(deviceId, policy === "mute" ? "^$" : own, own)]),
    ],
  };
}
