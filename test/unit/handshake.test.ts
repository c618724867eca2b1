import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createServer, type TLSSocket } from "node:tls";
import { expect, test } from "vitest";
import { shakeHands } from "../../cli/flow/handshake.js";
import { temporaryDir } from "../helpers/project.js";
import { served } from "../helpers/served.js";

/** A server with a certificate of that name of its own, and the certificate. */
async function serverOf(commonName: string, act: (socket: TLSSocket) => void = () => {}) {
  const dir = temporaryDir();
  const [keyFile, certFile] = [join(dir, "key.pem"), join(dir, "cert.pem")];
  execFileSync(
    "openssl",
    [
      ..."req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -utf8".split(" "),
      ...["-subj", `/CN=${commonName}`, "-keyout", keyFile, "-out", certFile],
    ],
    { stdio: "ignore" },
  );
  const [key, cert] = [readFileSync(keyFile), readFileSync(certFile, "utf8")];
  const server = createServer({ key, cert }, act);
  server.on("tlsClientError", () => {});
  return { port: await served(server), cert };
}

test("what a server's certificate calls itself is shown, not obeyed", async () => {
  const { port, cert } = await serverOf("good\u202eevil\u200b");
  const seen = await shakeHands({ host: "localhost", port, ca: cert, askTime: false });
  expect(seen).toMatchObject({
    problem: expect.stringContaining("good\\u{202e}evil\\u{200b}"),
  });
});

test.each([
  [
    "in pieces",
    ["HTTP/1.1 405 No\r\nX: 1\r\nDa", "te: Thu, 01 Jan 1970 00:00:10 GMT\r\n", "\r\n"],
    true,
  ],
  ["without a date", ["HTTP/1.1 200 OK\r\n", "\r\n"], false],
  ["with a date that is none", ["HTTP/1.1 200 OK\r\nDate: soon\r\n\r\n"], false],
  ["that is cut", ["HTTP/1.1 200 OK\r\n"], false],
  ["that never comes", [], false],
])("the time is read from an answer %s", async (_, pieces, hasTime) => {
  const { port, cert } = await serverOf("localhost", (socket) => {
    socket.on("error", () => {});
    socket.once("data", async () => {
      for (const piece of pieces) await new Promise((sent) => socket.write(piece, sent));
      socket.end();
    });
  });
  const seen = await shakeHands({ host: "localhost", port, ca: cert, askTime: true });
  expect(seen).toMatchObject({ spoken: expect.stringContaining("TLS") });
  if (hasTime) expect(seen).toMatchObject({ skewS: expect.closeTo(Date.now() / 1000 - 10, -1) });
  else expect(seen).not.toHaveProperty("skewS");
});
