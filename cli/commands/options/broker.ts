import { createPrivateKey, X509Certificate } from "node:crypto";
import {
  judgeCertificates,
  judgePrivateKey,
  type PemVerdict,
  pemSentence,
} from "../../../codegen/pem.js";
import { requireNamedFile } from "../../config/named-file.js";
import { mqttTextFlaw } from "../../device/credential-rules.js";
import { ProvError } from "../../errors.js";
import type { BrokerAccess } from "../../flow/broker-session.js";

/** How the broker can be watched: the identity of an operator who may read the device's topics. */
export interface BrokerOptions {
  mqttCa?: string;
  mqttCert?: string;
  mqttKey?: string;
  mqttUsername?: string;
  mqttPassword?: string;
}

/** What to tell when there is no such identity. */
export const NO_OPERATOR_NOTE =
  "no operator certificate for the broker (--mqtt-ca, --mqtt-cert, --mqtt-key): the board's own word is the evidence";

/** Judges what flags alone tell. @throws ProvError usage when something is missing, or a lab has its own */
export function checkBrokerOptions(options: BrokerOptions & { lab?: string | true }): void {
  const { lab, mqttCa, mqttCert, mqttKey, mqttUsername, mqttPassword } = options;
  const given = [mqttCa, mqttCert, mqttKey, mqttUsername, mqttPassword];
  if (lab !== undefined && given.some((value) => value !== undefined))
    throw new ProvError("usage", "--lab brings its own broker: leave the --mqtt-… options out");
  // MQTT 3.1.1, 3.1.2.9: without a user name there is no password.
  if (mqttPassword !== undefined && mqttUsername === undefined)
    throw new ProvError("usage", "--mqtt-password needs --mqtt-username");
  const files = [mqttCa, mqttCert, mqttKey].filter((file) => file !== undefined);
  if (files.length < 3 && (files.length > 0 || mqttUsername !== undefined))
    throw new ProvError("usage", "--mqtt-ca, --mqtt-cert and --mqtt-key belong together");
  refuseFlaw("--mqtt-username", mqttUsername);
  refuseFlaw("--mqtt-password", mqttPassword);
}

function refuseFlaw(what: string, text: string | undefined): void {
  const flaw = text === undefined ? undefined : mqttTextFlaw(text);
  if (flaw !== undefined) throw new ProvError("usage", `${what} ${flaw}`);
}

/**
 * The operator's access to the broker at `uri`, or undefined when no certificate was named.
 * @throws ProvError usage when something is missing, or when the files are no CA, certificate and key that belong together; file_inaccessible
 */
export function brokerAccess(
  options: BrokerOptions,
  uri: string,
  env: NodeJS.ProcessEnv,
): BrokerAccess | undefined {
  checkBrokerOptions(options);
  const { mqttCa, mqttCert, mqttKey, mqttUsername, mqttPassword } = options;
  if (mqttCa === undefined || mqttCert === undefined || mqttKey === undefined) return undefined;
  const password = mqttPassword || env.PROV_MQTT_PASSWORD;
  if (mqttUsername) refuseFlaw("the operator's password", password);
  const ca = requirePem("--mqtt-ca", mqttCa, judgeCertificates);
  const cert = requirePem("--mqtt-cert", mqttCert, (bytes) =>
    judgeCertificates(bytes, { key: "allowed" }),
  );
  const key = requirePem("--mqtt-key", mqttKey, judgePrivateKey);
  if (!new X509Certificate(cert).checkPrivateKey(createPrivateKey(key)))
    throw new ProvError("usage", "the key of --mqtt-key is not that of --mqtt-cert");
  return {
    uri,
    ...(mqttUsername ? { username: mqttUsername, ...(password ? { password } : {}) } : {}),
    caPem: ca,
    certPem: cert,
    keyPem: key,
  };
}

/** Nothing of the file is ever part of the message. */
function requirePem(flag: string, path: string, judge: (bytes: Uint8Array) => PemVerdict): string {
  const verdict = judge(requireNamedFile(path));
  if (verdict.ok) return verdict.pem;
  throw new ProvError("usage", `${flag}: ${path}: ${pemSentence(verdict.fault)}`);
}
