import { Option } from "commander";
import type { CommandContext } from "../context.js";
import type { ResetScope } from "../device/device-api.js";
import { ProvError } from "../errors.js";
import { DEFAULT_FLASH_BAUD } from "../serial/link.js";
import type { CommandResult } from "../terminal/output.js";
import type { Verb } from "../verb.js";
import type { OnBoardOptions } from "./options/board.js";
import { withAskingOptions } from "./options/groups.js";
import { port, positiveInteger } from "./options/values.js";

interface ResetOptions extends OnBoardOptions {
  scope: ResetScope;
  /** The serial port, instead of the AP. */
  port?: string;
  baud?: number;
}

/** `prov reset`: the board forgets its WiFi (or everything but its key) and starts again. */
export const reset: Verb<ResetOptions> = {
  name: "reset",
  summary: "make the board forget its WiFi, or everything",
  options: (command) =>
    withAskingOptions(command)
      .addOption(
        new Option("--scope <scope>", "what to forget")
          .choices(["wifi", "all"] satisfies ResetScope[])
          .default("wifi"),
      )
      .option(
        "--port <port>",
        "through the loader on this serial port instead of the AP (with --scope all)",
        port,
      )
      .option(
        "--baud <rate>",
        `with --port: line rate; default ${DEFAULT_FLASH_BAUD}`,
        positiveInteger,
      ),
  action: (options, context) =>
    options.port === undefined
      ? resetOverAp(options, context)
      : resetOverSerial({ ...options, port: options.port }, context),
};

async function resetOverAp(options: ResetOptions, context: CommandContext): Promise<CommandResult> {
  if (options.baud !== undefined)
    throw new ProvError(
      "usage",
      "--baud is the line rate of a serial port, and no --port names one",
    );
  const { asTask } = await import("../terminal/progress.js");
  const { onBoardOf } = await import("./options/board.js");
  return onBoardOf(options, context, {
    joined: async ({ api, status }, inTime) => {
      await asTask(context.out, `reset ${options.scope}`, () => api.reset(options.scope, inTime));
      return describe(status.deviceId, options.scope);
    },
  });
}

async function resetOverSerial(
  options: ResetOptions & { port: string },
  context: CommandContext,
): Promise<CommandResult> {
  if (options.scope !== "all") {
    throw new ProvError("usage", "over serial a board can only forget everything", {
      hint: "Add --scope all, or leave --port out to reset it over its AP.",
    });
  }
  const { refuseBeside } = await import("./options/board.js");
  const { eraseSettings } = await import("../flow/erase-settings.js");
  const { openProject } = await import("../flow/project.js");
  refuseBeside("--port", wayOverAp(options));
  const { manifest } = await openProject(options, context);
  await eraseSettings({
    port: options.port,
    manifest,
    baud: options.baud ?? DEFAULT_FLASH_BAUD,
    signal: context.signal,
    progress: context.out,
    ...(manifest.target === "host" ? {} : { chip: manifest.target }),
  });
  return describe(manifest.id, "all");
}

/** What is given for a reset over the AP, of which one over serial needs nothing. */
function wayOverAp(options: ResetOptions): readonly (string | undefined)[] {
  const { lab, url, ap, iface, wifi, mqttCa, mqttCert, mqttKey } = options;
  const { mqttUsername, mqttPassword } = options;
  const operator = mqttCa ?? mqttCert ?? mqttKey ?? mqttUsername ?? mqttPassword;
  return [
    ...[lab && "--lab", url && "--url", ap && "--ap", iface && "--iface"],
    ...[wifi === "auto" ? undefined : "--wifi", operator && "the operator's --mqtt-… options"],
  ];
}

function describe(deviceId: string, scope: ResetScope): CommandResult {
  const forgot =
    scope === "wifi" ? "its WiFi credentials" : "its WiFi credentials, tokens and certificates";
  return {
    json: { device: deviceId, scope },
    text: `${deviceId} forgot ${forgot} and starts again.`,
  };
}
