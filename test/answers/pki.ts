import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { genpkey } from "../helpers/genpkey.js";

const run = promisify(execFile);
const DAY_MS = 86_400_000;

/** A certificate and whoever holds its key. */
export interface Issued {
  readonly certPem: string;
  readonly keyFile: string;
}

export interface Order {
  /** CN, and whatever else stands in the name: `/CN=…`. */
  readonly subject: string;
  /** Names a key, see `keyFile()`. */
  readonly key: string;
  /** Who signs; default: itself. */
  readonly by?: Issued;
  readonly extensions: readonly string[];
  readonly digest?: string;
  /** Days from now; default: yesterday and a year from now. */
  readonly from?: number;
  readonly until?: number;
}

export const CA = [
  "basicConstraints=critical,CA:TRUE",
  "keyUsage=critical,keyCertSign,cRLSign",
  "subjectKeyIdentifier=hash",
  "authorityKeyIdentifier=keyid",
];
export const CLIENT = [
  "basicConstraints=CA:FALSE",
  "keyUsage=critical,digitalSignature",
  "extendedKeyUsage=clientAuth",
];

/** Their texts, one after the other. */
export const pems = (...certificates: readonly Issued[]): string =>
  certificates.map(({ certPem }) => certPem).join("");

export type Pki = ReturnType<typeof createPki>;

/** What `openssl ca` issues. Keys and certificates that were asked for before are there. */
export function createPki(dir: string) {
  const keys = new Map<string, Promise<string>>();
  const certificates = new Map<string, Promise<Issued>>();
  const openssl = async (...args: string[]): Promise<void> => {
    await run("openssl", args, { cwd: dir });
  };

  /** @param name an algorithm, `rsa:<bits>`, `ec:<curve>` or `ed25519`, and after a blank whose it is */
  function keyFile(name: string): Promise<string> {
    const known = keys.get(name);
    if (known !== undefined) return known;
    const path = join(dir, `key-${keys.size}.pem`);
    const [kind = ""] = name.split(" ");
    const made = openssl(...genpkey(kind, path)).then(() => path);
    keys.set(name, made);
    return made;
  }

  function issue(order: Order): Promise<Issued> {
    const what = JSON.stringify(order);
    const known = certificates.get(what);
    if (known !== undefined) return known;
    const made = make(order, join(dir, `ca-${certificates.size}`));
    certificates.set(what, made);
    return made;
  }

  /** Each in a folder of its own, since `openssl ca` keeps an index. */
  async function make(order: Order, folder: string): Promise<Issued> {
    mkdirSync(folder);
    const file = (name: string): string => join(folder, name);
    writeFileSync(file("index.txt"), "");
    writeFileSync(file("index.txt.attr"), "unique_subject = no\n");
    writeFileSync(file("serial"), "4000000000000001\n"); // of the same size each time
    writeFileSync(file("cnf"), configuration(folder, order.extensions));
    const key = await keyFile(order.key);
    await openssl(
      ...["req", "-new", "-config", file("cnf"), "-key", key, "-subj", order.subject],
      ...["-out", file("csr.pem")],
    );
    if (order.by !== undefined) writeFileSync(file("issuer.pem"), order.by.certPem);
    const signer =
      order.by === undefined
        ? ["-selfsign", "-keyfile", key]
        : ["-cert", file("issuer.pem"), "-keyfile", order.by.keyFile];
    await openssl(
      ...["ca", "-batch", "-notext", "-config", file("cnf"), "-in", file("csr.pem"), ...signer],
      ...["-startdate", asn1Time(order.from ?? -1), "-enddate", asn1Time(order.until ?? 365)],
      ...["-md", order.digest ?? "sha256", "-extensions", "ext", "-out", file("cert.pem")],
    );
    return { certPem: readFileSync(file("cert.pem"), "utf8"), keyFile: key };
  }

  /** A key that was made elsewhere. */
  const adopt = (name: string, pem: string): void => {
    const path = join(dir, `key-${keys.size}.pem`);
    writeFileSync(path, pem, { mode: 0o600 });
    keys.set(name, Promise.resolve(path));
  };

  /** What openssl prints. */
  const print = async (input: string, ...args: string[]): Promise<string> => {
    const printed = run("openssl", args, { cwd: dir });
    printed.child.stdin?.end(input);
    return (await printed).stdout;
  };

  return { dir, keyFile, issue, adopt, print };
}

function configuration(folder: string, extensions: readonly string[]): string {
  return `[req]
distinguished_name = dn
[dn]
[ca]
default_ca = us
[us]
database = ${folder}/index.txt
new_certs_dir = ${folder}
serial = ${folder}/serial
policy = any
preserve = yes
[any]
commonName = optional
[ext]
${extensions.join("\n")}
`;
}

function asn1Time(days: number): string {
  const time = new Date(Date.now() + days * DAY_MS).toISOString();
  return `${time.replaceAll(/[-:T]|\..*/g, "")}Z`;
}
