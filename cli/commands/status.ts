import type { DeviceStatus } from "../device/device-api.js";
import { evidenceOf } from "../flow/evidence.js";
import type { LiveDevice } from "../flow/online-already.js";
import { safeJson, visible } from "../terminal/foreign-text.js";
import type { Verb } from "../verb.js";
import type { OnBoardOptions } from "./options/board.js";
import { askedPort, withAskingOptions } from "./options/groups.js";

/** `prov status`: what the board says of itself, over its AP or, when it is online, at the broker or in its log. */
export const status: Verb<OnBoardOptions> = {
  name: "status",
  summary: "show the board's own status: over its AP, or at the broker when it is online",
  options: (command) => withAskingOptions(command).addOption(askedPort()),
  async action(options, context) {
    const { onBoardOf } = await import("./options/board.js");
    const { renderTable } = await import("../terminal/table.js");
    const { json, rows } = await onBoardOf<Shown>(options, context, {
      joined: async ({ status, apSsid }) => ofItsAp(status, apSsid),
      online: ofOneOnline,
    });
    return { json, text: renderTable(["", ""], rows, context.out.columns).trim() };
  },
};

interface Shown {
  readonly json: Record<string, unknown>;
  readonly rows: readonly (readonly string[])[];
}

function ofItsAp(status: DeviceStatus, apSsid: string | undefined): Shown {
  const rows = [
    ["device", status.deviceId],
    ...(apSsid === undefined ? [] : [["access point", visible(apSsid)]]),
    ["status", status.status],
    ["state", status.state],
    ["ip", status.ip || "none"],
    ["certificate", status.certificate ? "yes" : "no"],
    ["error", status.error ? `${status.error.code}: ${status.error.message}` : "none"],
    ["attempts remaining", String(status.attemptsRemaining)],
    ["firmware", status.firmware],
  ];
  const ap = apSsid === undefined ? {} : { ap: apSsid };
  return {
    json: { device: status.deviceId, source: "ap", ...ap, status: asInTheApi(status) },
    rows,
  };
}

/** An online device has no AP: its last status message, or at least its log, has to do. */
function ofOneOnline(deviceId: string, device: LiveDevice, brokerUri: string): Shown {
  const { mqtt } = device.outcome;
  const source = mqtt ? `the broker ${brokerUri}, topic ${mqtt.topic}` : "its serial log";
  const rows = [
    ["device", deviceId],
    ["source", `${source}; it is online, and so has no access point`],
    ...Object.entries(mqtt?.payload ?? { state: "MQTT_CONNECTED" })
      .filter(([name]) => name !== "device_id")
      .map(([name, value]) => [
        visible(name),
        typeof value === "string" ? visible(value) : safeJson(value),
      ]),
  ];
  return {
    json: {
      device: deviceId,
      source: mqtt ? "broker" : "log",
      evidence: evidenceOf(device.outcome),
      ...(mqtt ? { mqtt } : {}),
    },
    rows,
  };
}

/** As `GET /status` has it: there the firmware's version is `fw`. */
function asInTheApi({ firmware, ...status }: DeviceStatus): Record<string, unknown> {
  return { ...status, fw: firmware };
}
