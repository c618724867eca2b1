import { createServer } from "node:https";
import { z } from "zod";
import { bearerToken, readJsonBody, refuse, sendAnswer } from "../../cli/lab/server/http-json.js";
import { followConnections, listenOn } from "../../cli/lab/server/listen.js";
import type { TlsIdentity } from "../../cli/lab/server/server-identity.js";
import type { Answer, Pki } from "./pki.js";

const MAX_BODY_BYTES = 16 * 1024;
const SignRequest = z.object({ device_id: z.string(), csr: z.string() });

/** The backend of a company that has a PKI: the contract's POST /sign-csr, with the PKI's own answer. */
export interface PkiBackend {
  /** From now on CSRs go to this one, for this token alone. @returns the answer, when there is one */
  ask(pki: Pki, token: string): Promise<Answer>;
  stop(): Promise<void>;
}

export async function startPkiBackend(identity: TlsIdentity, port: number): Promise<PkiBackend> {
  let sign = (_token: string | null, _csr: string): Promise<Answer> | null => null;
  const server = createServer({ cert: identity.certPem, key: identity.keyPem });
  const { close } = followConnections(server);

  async function answer(request: Parameters<typeof readJsonBody>[0]) {
    if (request.method !== "POST" || request.url !== "/sign-csr")
      return refuse(404, "not_found", "no such route");
    const body = await readJsonBody(request, MAX_BODY_BYTES);
    if (!body.ok) return body.refusal;
    const asked = SignRequest.safeParse(body.value);
    if (!asked.success) return refuse(400, "bad_field", "device_id and csr are wanted");
    const signed = sign(bearerToken(request), asked.data.csr);
    if (signed === null) return refuse(401, "token_invalid", "no such token");
    const { certificate, caCertificate } = await signed;
    return {
      status: 200,
      body: { certificate: { content: certificate }, ca_certificate: { content: caCertificate } },
    };
  }

  server.on("request", (request, response) => {
    answer(request)
      .catch(() => refuse(502, "pki_failed", "the PKI did not sign"))
      .then((made) => sendAnswer(request, response, made))
      .catch(() => response.destroy());
  });
  await listenOn(server, port, { exact: true });
  return {
    ask: (pki, token) =>
      new Promise<Answer>((resolve, reject) => {
        let answered: { csr: string; signed: Promise<Answer> } | undefined;
        sign = (given, csr) => {
          if (given !== token) return null;
          // A token is good for one CSR; whoever lost the answer gets it again.
          answered ??= { csr, signed: pki.sign(csr, "client") };
          if (answered.csr !== csr) return null;
          answered.signed.then(resolve, reject);
          return answered.signed;
        };
      }),
    stop: close,
  };
}
