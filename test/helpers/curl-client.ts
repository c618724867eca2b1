import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

export interface CurlAnswer {
  readonly status: number;
  readonly text: string;
  /** The JSON document, or null when it is none. */
  readonly body: unknown;
}

/**
 * A device's side of the lab's backend, with curl and openssl.
 * @param dir where its files go, with the CA in `ca/ca.pem`
 */
export function curlClient(dir: string, url: () => string) {
  let count = 0;

  function sign(id: string, csr: string, token: string | null, extra: string[] = []) {
    return postJson("/sign-csr", { device_id: id, csr }, token, extra);
  }

  function postJson(path: string, value: unknown, token: string | null, extra: string[] = []) {
    const file = save("body.json", JSON.stringify(value));
    const args = ["-H", "Content-Type: application/json", "--data-binary", `@${file}`, ...extra];
    return post(path, args, token);
  }

  function post(path: string, args: string[], token: string | null) {
    const authorization = token === null ? [] : ["-H", `Authorization: Bearer ${token}`];
    return curl(path, ["-X", "POST", ...authorization, ...args]);
  }

  /** Rejects with curl's exit status as `code`. */
  async function curl(path: string, args: string[]): Promise<CurlAnswer> {
    const { stdout } = await run("curl", [
      "--silent",
      "--noproxy",
      "*",
      "--cacert",
      join(dir, "ca", "ca.pem"),
      "--write-out",
      "\n%{http_code}",
      ...args,
      `${url()}${path}`,
    ]);
    const end = stdout.lastIndexOf("\n");
    const text = stdout.slice(0, end);
    return { status: Number(stdout.slice(end + 1)), text, body: parse(text) };
  }

  async function makeCsr(name: string, newkey = ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]) {
    const stem = join(dir, `csr-${count++}`);
    await run("openssl", [
      "req",
      "-new",
      "-nodes",
      "-newkey",
      ...newkey,
      "-subj",
      `/CN=${name}`,
      "-keyout",
      `${stem}.key`,
      "-out",
      `${stem}.csr`,
    ]);
    const pem = (await run("cat", [`${stem}.csr`])).stdout;
    return { pem, file: `${stem}.csr`, key: `${stem}.key` };
  }

  function save(name: string, text: string): string {
    const file = join(dir, `${count++}-${name}`);
    writeFileSync(file, text);
    return file;
  }

  return { curl, makeCsr, post, postJson, save, sign };
}

/** Flips one bit of the signature, which is what the request ends with. */
export function breakSignature(pem: string): string {
  const der = Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ""), "base64");
  der.writeUInt8(der.readUInt8(der.length - 1) ^ 1, der.length - 1);
  const lines = der.toString("base64").replace(/.{1,64}/g, "$&\n");
  return `-----BEGIN CERTIFICATE REQUEST-----\n${lines}-----END CERTIFICATE REQUEST-----\n`;
}

export function content(body: unknown, field: string): string {
  const found = (body as Record<string, { content: string }>)[field];
  if (found === undefined) throw new Error(`no ${field} in ${JSON.stringify(body)}`);
  return found.content;
}

export function tokenRejected(status: number) {
  return { status, body: { status: "error", code: "token_rejected" } };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
