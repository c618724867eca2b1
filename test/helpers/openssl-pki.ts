import { readFileSync } from "node:fs";
import { genpkey } from "./genpkey.js";
import { opensslDir } from "./openssl.js";

export interface Identity {
  readonly certPem: string;
  readonly keyPem: string;
}

export interface Issue {
  /** Default: the root. */
  readonly by?: Identity;
  /** Default: DNS:localhost. */
  readonly names?: string;
  /** Default: serverAuth. */
  readonly usage?: string;
  readonly isCa?: boolean;
  readonly digest?: string;
}

/** A CA of OpenSSL's, for what the lab's own does not make. */
export interface Pki {
  readonly root: Identity;
  /** `key` is ed25519, rsa:<bits> or ec:<curve>. */
  issue(key: string, issue?: Issue): Identity;
  selfSigned(key: string): Identity;
  /** A file of this content. */
  file(text: string): string;
}

export function createPki(): Pki {
  const { file: write, openssl } = opensslDir();
  let count = 0;
  const file = (text: string): string => write(`${count++}.pem`, text);
  const run = (...args: string[]): void => {
    const { status, output } = openssl(...args);
    if (status !== 0) throw new Error(`openssl ${args.join(" ")}: ${output}`);
  };

  function makeKey(kind: string): string {
    const path = file("");
    run(...genpkey(kind, path));
    return path;
  }

  function selfSigned(kind: string): Identity {
    const key = makeKey(kind);
    const path = file("");
    run("req", "-x509", "-key", key, "-subj", "/CN=root", "-days", "30", "-out", path);
    return { certPem: readFileSync(path, "utf8"), keyPem: readFileSync(key, "utf8") };
  }

  const root = selfSigned("ec:prime256v1");

  const issued = new Map<string, Identity>();

  /** What was asked for before is there: RSA keys take their time. */
  function issue(kind: string, asked: Issue = {}): Identity {
    const what = JSON.stringify([kind, asked]);
    const identity = issued.get(what) ?? make(kind, asked);
    issued.set(what, identity);
    return identity;
  }

  function make(kind: string, asked: Issue): Identity {
    const { by = root, names = "DNS:localhost", usage = "serverAuth", isCa = false } = asked;
    const key = makeKey(kind);
    const [csr, path] = [file(""), file("")];
    const name = isCa ? "intermediate" : "leaf";
    run("req", "-new", "-key", key, "-subj", `/CN=${name}`, "-out", csr);
    const extensions = isCa
      ? "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign"
      : `extendedKeyUsage=${usage}\nsubjectAltName=${names}`;
    const ca = ["-CA", file(by.certPem), "-CAkey", file(by.keyPem)];
    const digest = `-${asked.digest ?? "sha256"}`;
    run(
      "x509",
      "-req",
      "-in",
      csr,
      ...ca,
      "-days",
      "30",
      digest,
      "-extfile",
      file(extensions),
      "-out",
      path,
    );
    return { certPem: readFileSync(path, "utf8"), keyPem: readFileSync(key, "utf8") };
  }

  return { root, issue, selfSigned, file };
}
