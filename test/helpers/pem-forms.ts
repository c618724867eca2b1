import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type PemVerdict, pemSentence } from "../../codegen/pem.js";
import { temporaryDir } from "./project.js";

/** What OpenSSL makes of one CA, in every form in which people hand such a thing over. */
export interface PemForms {
  readonly dir: string;
  readonly cert: string;
  readonly key: string;
  openssl(command: string): void;
  /** What an OpenSSL command writes. */
  made(command: string): Buffer;
  text(name: string): string;
}

export function pemForms(): PemForms {
  const dir = temporaryDir();
  const openssl = (command: string): void => {
    execFileSync("openssl", command.split(" "), { cwd: dir, stdio: "pipe" });
  };
  const text = (name: string): string => readFileSync(join(dir, name), "utf8");
  openssl(
    "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=ca -keyout key.pem -out cert.pem",
  );
  return {
    dir,
    cert: text("cert.pem"),
    key: text("key.pem"),
    openssl,
    made(command) {
      openssl(`${command} -out out`);
      return readFileSync(join(dir, "out"));
    },
    text,
  };
}

export function inOneLine(pem: string, by: string): string {
  return pem.trimEnd().replaceAll("\n", by);
}

export function sentence(verdict: PemVerdict): string {
  return verdict.ok ? "taken" : pemSentence(verdict.fault);
}
