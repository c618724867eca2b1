import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createSecureServer } from "node:http2";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { issueCertificate } from "../../cli/lab/pki/ca.js";
import { findFreePort } from "../../cli/lab/server/listen.js";
import { LIMITS } from "../../codegen/limits.js";
import { caOf, openRig, type Rig } from "../attack/rig.js";
import { longer } from "../helpers/longer.js";
import { temporaryDir } from "../helpers/project.js";
import { findNginx, type Nginx, nginxIn } from "../support/nginx.js";

/* The backend that companies have is their own service behind a web server. Here the web server is nginx. */

const found = findNginx();
if ("missing" in found) process.stderr.write(`skipped: nginx cannot be had (${found.missing})\n`);

const WAIT_MS = 30_000;
const REFUSAL = '{"status":"error","code":"token_invalid"}';

let rig: Rig;
let nginx: Nginx;
let dir: string;
let port: number;
/** nginx's certificate for its first name, and another one for a name that is not the backend's. */
let ours: string;
let anothers: string;

describe.skipIf("missing" in found)("a backend behind nginx", () => {
  beforeAll(async () => {
    dir = temporaryDir();
    nginx = nginxIn("nginx" in found ? found.nginx : "", dir);
    port = await findFreePort();
    rig = await openRig("nginx", { backend: { url: `https://localhost:${port}` } });
    ours = await certificateFor("localhost");
    anothers = await certificateFor("another.invalid");
    mkdirSync(join(dir, "packed"));
    writeFileSync(join(dir, "packed", "answer.gz"), gzipSync('{"certificate":{"content":""}}'));
    writeFileSync(join(dir, "ca.pem"), rig.lab.caPem);
  });
  afterAll(async () => {
    await nginx.stop();
    await rig.stop();
  });

  async function certificateFor(name: string): Promise<string> {
    const names = { commonName: name, dns: [name] };
    const { certPem, keyPem } = await issueCertificate(caOf(rig.lab), {
      usage: "server",
      ...names,
    });
    writeFileSync(join(dir, `${name}.pem`), certPem);
    writeFileSync(join(dir, `${name}-key.pem`), keyPem, { mode: 0o600 });
    return `ssl_certificate ${dir}/${name}.pem; ssl_certificate_key ${dir}/${name}-key.pem;`;
  }

  /** A server block; `name` is what the client must ask for, or the default one. */
  const server = (name: string, ...lines: string[]): string => `
  server {
    listen 127.0.0.1:${port} ssl http2${name === "" ? " default_server" : ""};
    ${name === "" ? "" : `server_name ${name};`}
    ${lines.join("\n    ")}
  }`;
  const tls = (...versions: string[]): string => `ssl_protocols ${versions.join(" ")};`;
  const toBackend = (): string => `location / { proxy_pass ${rig.lab.backend.url}; }`;
  const signCsr = (...lines: string[]): string => `location = /sign-csr { ${lines.join(" ")} }`;

  /** A board that has nothing yet gets its credentials. */
  async function provision(token?: string): Promise<void> {
    await rig.board.powerOff();
    rig.eraseNvs();
    await rig.powerOn();
    const credentials = rig.credentials(0);
    const answer = await rig.provision({ ...credentials, token: token ?? credentials.token });
    expect(answer?.status).toBe(200);
  }

  /** What the device complains of. */
  async function complaint(): Promise<{ code: string; message: string }> {
    const deadline = AbortSignal.timeout(longer(WAIT_MS));
    for (;;) {
      const error = (await rig.get("/status"))?.body.error;
      if (error) return error as { code: string; message: string };
      deadline.throwIfAborted();
    }
  }

  async function becomesOnline(): Promise<void> {
    const online = rig.outcome();
    await provision();
    expect(await online).toBe("online");
  }

  it("that offers TLS 1.2 to 1.3, HTTP/2 and gzip gets HTTP/1.1 over 1.2, and the name asked for", async () => {
    await nginx.serve(
      server("", anothers, "return 421;") +
        server(
          "localhost",
          ours,
          tls("TLSv1.2", "TLSv1.3"),
          "gzip on; gzip_min_length 1; gzip_proxied any; gzip_types *;",
          "keepalive_timeout 75s;",
          toBackend(),
        ),
    );
    await becomesOnline();
    expect(nginx.requests()[0]).toEqual({
      tls: "TLSv1.2",
      serverName: "localhost",
      line: "POST /sign-csr HTTP/1.1",
      status: 200,
      hasToken: true,
    });
  });

  it("that has TLS 1.2 alone, asks for a certificate, and answers in chunks that end the connection", async () => {
    await nginx.serve(
      server(
        "",
        ours,
        tls("TLSv1.2"),
        `ssl_verify_client optional; ssl_client_certificate ${dir}/ca.pem;`,
        // A body that may change on its way has no length.
        "sub_filter_types *; sub_filter never_there never_there;",
        "keepalive_timeout 0;",
        toBackend(),
      ),
    );
    await becomesOnline();
    expect(nginx.requests()[0]).toMatchObject({ tls: "TLSv1.2", status: 200 });
  });

  it("that has lost its service is asked again until it is back", async () => {
    const gone = await findFreePort();
    await nginx.serve(server("", ours, `location / { proxy_pass http://127.0.0.1:${gone}; }`));
    const online = rig.outcome();
    await provision();
    expect(await complaint()).toMatchObject({
      code: "backend_error",
      message: expect.stringContaining("HTTP 502"),
    });
    await nginx.serve(server("", ours, toBackend()));
    expect(await online).toBe("online");
  });

  it("that has a firewall before it costs no token by the firewall's page", async () => {
    await nginx.serve(server("", ours, signCsr("return 403 '<html>Forbidden</html>';")));
    const online = rig.outcome();
    await provision();
    expect(await complaint()).toMatchObject({
      code: "backend_error",
      message: expect.stringContaining("HTTP 403, and not the backend's JSON"),
    });
    await nginx.serve(server("", ours, toBackend()));
    expect(await online).toBe("online");
  });

  it("that speaks HTTP/2 alone for a while costs no token", async () => {
    await nginx.stop();
    const http2 = createSecureServer({
      cert: readFileSync(join(dir, "localhost.pem")),
      key: readFileSync(join(dir, "localhost-key.pem")),
    });
    http2.listen(port, "127.0.0.1");
    await once(http2, "listening");
    const online = rig.outcome();
    await provision();
    expect(await complaint()).toMatchObject({
      code: "backend_tls_failed",
      message: expect.stringContaining("no_application_protocol"),
    });
    await new Promise((resolve) => http2.close(resolve));
    await nginx.serve(server("", ours, toBackend()));
    expect(await online).toBe("online");
  });

  it.each([
    ["speaks TLS 1.3", () => server("", ours, tls("TLSv1.3")), "alert protocol_version"],
    [
      "knows no such name",
      () => server("", "ssl_reject_handshake on;") + server("other.invalid", ours),
      "alert unrecognized_name",
    ],
  ])("that %s is called backend_tls_failed", async (_what, servers, words) => {
    await nginx.serve(servers());
    await provision();
    expect(await complaint()).toMatchObject({
      code: "backend_tls_failed",
      message: expect.stringContaining(words),
    });
    expect(nginx.requests()).toEqual([]);
  });

  it("that shows the certificate of another name is told nothing", async () => {
    await nginx.serve(server("", anothers, toBackend()) + server("other.invalid", ours));
    await provision();
    expect(await complaint()).toMatchObject({ code: "backend_untrusted" });
    expect(nginx.requests().filter(({ hasToken }) => hasToken)).toEqual([]);
  });

  it.each([301, 302, 303, 307, 308])("that redirects with %i is not followed", async (status) => {
    await nginx.serve(
      server("", ours, signCsr(`return ${status} https://localhost:${port}/trap;`), toBackend()),
    );
    await provision();
    expect(await complaint()).toMatchObject({
      code: "backend_error",
      message: expect.stringContaining(`HTTP ${status}`),
    });
    const lines = new Set(nginx.requests().map(({ line }) => line)); // it tries again soon
    expect([...lines]).toEqual(["POST /sign-csr HTTP/1.1"]);
  });

  it("gets the longest token in one header, within the buffers that it has by default", async () => {
    const length = LIMITS.provisioningTokenMaxBytes;
    await nginx.serve(
      `map $http_authorization $verdict { "~^Bearer [a-z]{${length}}$" 401; default 418; }` +
        server(
          "",
          ours,
          signCsr(`if ($verdict = 401) { return 401 '${REFUSAL}'; }`, "return 418;"),
        ),
    );
    await provision("t".repeat(length));
    expect(await complaint()).toMatchObject({
      code: "token_rejected",
      message: expect.stringContaining("HTTP 401"),
    });
  });

  it.each([
    ["takes too little", () => "client_max_body_size 64;", "backend_error", "HTTP 413, and not"],
    [
      "wants a certificate from whoever comes for the first one",
      () => `ssl_verify_client on; ssl_client_certificate ${dir}/ca.pem;`,
      "backend_error",
      "HTTP 400, and not the backend's JSON",
    ],
    ["has no such page", () => signCsr("return 404;"), "backend_error", "HTTP 404"],
    [
      // No POST finds a static file; the page for that error is one.
      "packs what nobody asked it to pack",
      () => `root ${dir}/packed; gzip_static always; error_page 404 =200 /answer;`,
      "backend_bad_response",
      "not JSON",
    ],
    ["answers with a page", () => 'return 200 "<html></html>";', "backend_bad_response", ""],
  ])("that %s is named", async (_what, lines, code, words) => {
    await nginx.serve(server("", ours, lines()));
    await provision();
    expect(await complaint()).toMatchObject({ code, message: expect.stringContaining(words) });
  });
});
