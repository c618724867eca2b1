import type { CommandContext, GlobalOptions } from "../context.js";
import type { Sanitizer } from "../flow/build-host.js";
import { createStageClock } from "../flow/stages.js";
import type { Lab } from "../lab/lab-types.js";
import type { CommandResult } from "../output.js";
import { bootVirtualBoard, flashVirtualBoard } from "./lab-board.js";
import { bringUpLab } from "./lab-bring-up.js";
import { openProject } from "./project.js";

export interface LabUpOptions extends GlobalOptions {
  name: string;
  broker: "embedded" | "mosquitto";
  sanitize?: Sanitizer;
  keep?: boolean;
  certificateSeconds?: number;
}

/** `prov lab up`: a lab in the foreground, until Ctrl-C. */
export function labUpCommand(
  options: LabUpOptions,
): (context: CommandContext) => Promise<CommandResult> {
  return async (context) => {
    const project = await openProject(options, context);
    const { out, signal } = context;
    const { lab, image } = await bringUpLab({
      project,
      name: options.name,
      broker: options.broker,
      clock: createStageClock(),
      context,
      keepFlash: options.keep ?? false,
      ...(options.sanitize ? { sanitize: options.sanitize } : {}),
      ...(options.certificateSeconds
        ? { certificateLifetimeMs: options.certificateSeconds * 1000 }
        : {}),
    });
    try {
      lab.board.log.subscribe((line) => out.note(out.paint("dim", line)));
      await flashVirtualBoard(lab, image, context);
      await bootVirtualBoard(lab, context);
      const baseUrl = lab.board.baseUrl();
      if (out.options.json)
        out.options.stdout.write(`${JSON.stringify({ ok: true, lab: lab.info, baseUrl })}\n`);
      else out.options.stdout.write(`${instructions(lab, options.name, project.manifest.id)}\n`);
      await new Promise<void>((resolve) => {
        if (signal.aborted) resolve();
        signal.addEventListener("abort", () => resolve(), { once: true });
      });
      return { json: null, text: "" };
    } finally {
      await lab.stop();
    }
  };
}

function instructions(lab: Lab, name: string, deviceId: string): string {
  const { info } = lab;
  const networks = lab.air().networks;
  const home = networks.find((network) => network.psk !== null);
  const suffix = name === "default" ? "" : ` --name ${name}`;
  const labFlag = name === "default" ? "--lab" : `--lab ${name}`;
  const ssid = home?.ssid ?? "";
  const port = new URL(info.broker.uri).port;
  return `
The lab is up: device ${deviceId}, backend ${info.backend.url}, broker ${info.broker.uri}.
Its air holds ${networks.length} networks; the password of "${ssid}" is in ${info.airDir}/air.json. Ctrl-C ends the lab.

From another terminal, in this folder, with prov:

  export PROV_WIFI_PASSWORD=$(node -p 'JSON.parse(fs.readFileSync("${info.airDir}/air.json")).networks.find(n => n.ssid === "${ssid}").psk')
  npx prov scan ${labFlag}
  npx prov provision ${labFlag} --ssid "${ssid}" --token "$(npx prov lab token ${deviceId}${suffix})"
  npx prov lab board reset${suffix}

or with curl:

  BASE=${lab.board.baseUrl() ?? "(the AP is down)"}
  curl $BASE/local-wifi
  curl -X POST $BASE/provision -H 'Content-Type: application/json' -H 'Authorization: Bearer user-token' \\
    -d "{\\"ssid\\":\\"${ssid}\\",\\"password\\":\\"$PROV_WIFI_PASSWORD\\",\\"device_id\\":\\"${deviceId}\\",\\"provisioning_token\\":\\"$(npx prov lab token ${deviceId}${suffix})\\"}"
  curl $BASE/status

and the device's status as the broker delivers it:

  mosquitto_sub -h 127.0.0.1 -p ${port} --cafile ${info.operator.caPath} --cert ${info.operator.certPath} --key ${info.operator.keyPath} -t 'devices/#' -v
`;
}
