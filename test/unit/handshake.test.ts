import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createServer } from "node:tls";
import { expect, test } from "vitest";
import { shakeHands } from "../../cli/flow/handshake.js";
import { temporaryDir } from "../helpers/project.js";
import { served } from "../helpers/served.js";

test("what a server's certificate calls itself is shown, not obeyed", async () => {
  const dir = temporaryDir();
  const [keyFile, certFile] = [join(dir, "key.pem"), join(dir, "cert.pem")];
  execFileSync(
    "openssl",
    [
      ..."req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -utf8".split(" "),
      ...["-subj", "/CN=good\u202eevil\u200b", "-keyout", keyFile, "-out", certFile],
    ],
    { stdio: "ignore" },
  );
  const [key, cert] = [readFileSync(keyFile), readFileSync(certFile, "utf8")];
  const server = createServer({ key, cert });
  server.on("tlsClientError", () => {});
  const port = await served(server);
  const seen = await shakeHands({ host: "localhost", port, ca: cert, askTime: false });
  expect(seen).toMatchObject({
    problem: expect.stringContaining("good\\u{202e}evil\\u{200b}"),
  });
});
