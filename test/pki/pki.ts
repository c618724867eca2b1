import { type ExecFileSyncOptionsWithStringEncoding, execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { childEnvironment } from "../../cli/processes/child-environment.js";

/** What a certificate is for; a server's has the name `localhost`. */
export type Use = "client" | "server";

/** The two fields of the contract's answer, with the text that the PKI printed. */
export interface Answer {
  readonly certificate: string;
  readonly caCertificate: string;
}

/** A running PKI, whoever wrote it. */
export interface Pki {
  readonly rootPem: string;
  /** Issues a certificate for whoever the CSR names. */
  sign(csrPem: string, use: Use): Promise<Answer>;
  stop?(): Promise<void>;
}

/** A PKI that can be had on this machine, or why not. */
export type FindPki = () => {
  readonly name: string;
  readonly version: string;
} & ({ open(dir: string): Promise<Pki> } | { missing: string });

export type Run = (command: string, args: readonly string[], input?: string) => string;

const TOOL_MS = 120_000;

/** Runs programs in a folder. They return what they print on stdout; who fails says why. */
export function runIn(dir: string, environment: Readonly<Record<string, string>> = {}): Run {
  const options: ExecFileSyncOptionsWithStringEncoding = {
    ...{ cwd: dir, encoding: "utf8", timeout: TOOL_MS, stdio: "pipe" },
    env: { ...childEnvironment(), ...environment },
  };
  return (command, args, input = "") => execFileSync(command, args, { ...options, input });
}

/** What a program says of its version; undefined without the program. */
export function versionOf(command: string, args: readonly string[]): string | undefined {
  try {
    return /\d+(?:\.\d+)+/.exec(runIn(".")(command, args))?.[0];
  } catch {
    return undefined;
  }
}

/** The certificates of both fields, each once, in the order in which they stand there. */
export function certificatesOf({ certificate, caCertificate }: Answer): X509Certificate[] {
  const text = `${certificate}\n${caCertificate}`;
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  const all = blocks.map((block) => new X509Certificate(block));
  return all.filter(
    ({ fingerprint256 }, index) =>
      all.findIndex((other) => other.fingerprint256 === fingerprint256) === index,
  );
}

/** What a server or a client of the PKI has to show beside a root that its peer knows. */
export function chainOf(answer: Answer): string {
  const shown = certificatesOf(answer).filter((each) => !each.verify(each.publicKey));
  return shown.map(String).join("");
}

export function derBytes(certificates: readonly X509Certificate[]): number {
  return certificates.reduce((sum, { raw }) => sum + raw.length, 0);
}
