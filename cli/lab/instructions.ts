import { join } from "node:path";
import { insideDoubleQuotes, shellQuote } from "../terminal/shell-quote.js";
import { AIR_FILE } from "./air/air-file.js";
import type { LabInfo } from "./lab-info.js";

export interface LabToDrive {
  readonly name: string;
  readonly deviceId: string;
  readonly info: LabInfo;
  readonly networks: readonly { readonly ssid: string; readonly psk: string | null }[];
  /** null while the board's AP is down. */
  readonly baseUrl: string | null;
}

/** What to type into another terminal, word for word, to drive a lab. */
export function labInstructions({ name, deviceId, info, networks, baseUrl }: LabToDrive): string {
  const ssid = networks.find((network) => network.psk !== null)?.ssid ?? "";
  const suffix = name === "default" ? "" : ` --name ${name}`;
  const labFlag = name === "default" ? "--lab" : `--lab ${name}`;
  const { caPath, certPath, keyPath } = info.spectator;
  const airFile = join(info.airDir, AIR_FILE);
  const findPassword = `JSON.parse(fs.readFileSync(${JSON.stringify(airFile)})).networks.find(n => n.ssid === ${JSON.stringify(ssid)}).psk`;
  const ssidJson = insideDoubleQuotes(JSON.stringify(ssid));
  const { tty } = info.board;
  const monitor = tty === null ? "" : `\n  npx prov monitor --port ${shellQuote(tty)}`;
  const withCurl =
    baseUrl === null
      ? ""
      : `or with curl:

  BASE=${baseUrl}
  curl $BASE/local-wifi
  curl -X POST $BASE/provision -H 'Content-Type: application/json' -H 'Authorization: Bearer user-token' \\
    -d "{\\"ssid\\":${ssidJson},\\"password\\":\\"$PROV_WIFI_PASSWORD\\",\\"device_id\\":\\"${deviceId}\\",\\"provisioning_token\\":\\"$(npx prov lab token ${deviceId}${suffix})\\"}"
  curl $BASE/status

`;
  return `
The lab is up; Ctrl-C ends it.

device       ${deviceId}, on a virtual ${info.board.chip}
its page     ${baseUrl === null ? "none: the board's AP is down" : `${baseUrl}/`}
serial port  ${tty ?? `none: no ROM loader for an ${info.board.chip}`}
backend      ${info.backend.url}
broker       ${info.broker.uri}
air          ${networks.length} network${networks.length === 1 ? "" : "s"}, with passwords: ${airFile}

From another terminal, in this folder, with prov:

  export PROV_WIFI_PASSWORD="$(node -p ${shellQuote(findPassword)})"
  npx prov scan ${labFlag}
  npx prov provision ${labFlag} --ssid ${shellQuote(ssid)} --token "$(npx prov lab token ${deviceId}${suffix})"
  npx prov lab board reset${suffix}${monitor}

${withCurl}and the device's status as the broker delivers it${info.broker.kind === "mosquitto" ? " (to one at a time)" : ""}:

  mosquitto_sub -h 127.0.0.1 -p ${new URL(info.broker.uri).port} --cafile ${shellQuote(caPath)} --cert ${shellQuote(certPath)} --key ${shellQuote(keyPath)} -t 'devices/#' -v
`;
}
