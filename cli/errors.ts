import { DEVICE_FAILURES, type FailureCode, isFailureCode } from "../codegen/failures.js";
import { visibleText } from "./terminal/foreign-text.js";

/** Exit codes; part of the interface. */
export const EXIT = {
  ok: 0,
  bug: 1,
  usage: 2,
  manifest: 3,
  build: 4,
  flash: 5,
  join: 6,
  provision: 7,
  enrol: 8,
  mqtt: 9,
  environment: 10,
  interrupted: 130,
} as const;

export type Stage = keyof Omit<typeof EXIT, "ok">;

/** The next step for each failure that the host itself can name, below the stage (hence the exit code) that it is of. */
const HINTS = {
  bug: {
    internal: "This is a bug in prov. Run again with --verbose and report it.",
  },
  interrupted: {
    interrupted: "Run the same command again; every step can be repeated.",
  },
  usage: {
    usage: "See `prov --help` and `prov COMMAND --help`.",
    input_missing: "Give the value as a flag, in the environment or on stdin.",
    device_unknown: "Name a device that the manifest defines.",
  },
  manifest: {
    manifest_not_found: "Create device.config.ts or name one with --config FILE.",
    manifest_unloadable: "Mend the error in the manifest's code.",
    manifest_invalid: "Mend the fields named above.",
    manifest_placeholder: "Put your own backend and broker into the manifest.",
    codegen_stale: "Run `prov codegen`.",
    identity_invalid: "Run `prov keys --force` to make a new key, or restore the old file.",
  },
  build: {
    build_failed: "Mend the first error above; --verbose shows the whole output.",
    image_too_big: "Enlarge the app partition in partitions.csv or switch features off.",
    image_missing: "Run `prov build` first.",
  },
  flash: {
    port_not_found: "`prov ports` lists what is connected; check the cable carries data.",
    port_ambiguous: "Choose one with --port; `prov ports` lists them.",
    port_busy: "Close the other program that has the port open (a monitor?).",
    port_lost: "Reconnect the board and run the same command again.",
    chip_silent: "Hold BOOT while pressing RESET, then run the same command again.",
    chip_mismatch: "Set `target` in the manifest to the chip that is connected, and build again.",
    image_invalid: "Build again with `prov build --clean`.",
    flash_rejected: "Run the same command again; if it persists, use --full or a lower --baud.",
    flash_mismatch:
      "Run the same command again with --full; if it persists, the flash chip may be worn.",
    board_hardened:
      'Read README.md, "Hardening"; prov does not write to a board whose eFuses are burned.',
    efuses_unconfirmed:
      'Read README.md, "Hardening"; if you mean it, run the same command with --yes-burn-efuses.',
    boot_timeout:
      "`prov monitor` shows what the board prints; flash it again if it prints nothing.",
    monitor_timeout: "Raise --timeout or check the pattern; the log above is what came.",
  },
  join: {
    ap_not_found:
      "It has no power, is not in AP_MODE, or is online already and so has no AP: `prov monitor --reset --port PORT` tells which.",
    ap_ambiguous: "Is the board in AP_MODE, and is this its manifest? Choose one with --ap SSID.",
    ap_wrong_password: "Check softAp.password in the manifest that the board was built with.",
    ap_unreachable: "Join the board's AP, then run the same command again.",
    device_online:
      "Make it forget with `prov reset --scope all --port PORT` or its BOOT button: that opens its AP.",
    ap_no_dhcp: "The AP gave no address: restart the board; its client limit may be reached.",
    ap_lost: "Move closer to the board and run the same command again.",
    wifi_busy: "Wait for the other prov to end, then run the same command again.",
    wifi_failed:
      "Join the board's AP by hand, then run the same command with --url http://192.168.4.1.",
    device_mismatch: "Another board answered; switch it off or choose with --ap SSID.",
    bad_answer: "Something other than this firmware answered; check --url.",
  },
  provision: {
    scan_failed: "Try again; the board cannot scan while it connects.",
    provision_refused: "Mend the field that the board names.",
    provision_busy: "Another provisioning is under way; wait for it to end.",
    outcome_unknown: "`prov status` and the board's log tell how far it came.",
    online_elsewhere:
      "Make it forget with `prov reset --scope all --port PORT` or its BOOT button, then run the same command again.",
    online_unverified:
      "Make it forget with `prov reset --scope all --port PORT` or its BOOT button, then run the same command again.",
  },
  mqtt: {
    status_timeout:
      "Look at the device's log and the broker's: may the device publish there, and may the operator read it?",
    observer_failed: "Check the operator certificate and the broker's address.",
  },
  environment: {
    file_inaccessible:
      "Check the owner and the mode of the file and its folder, and the free space.",
    path_unsupported: "Move it to a folder whose path does not contain that.",
    node_unsupported:
      "Install a newer Node, such as the LTS release of https://nodejs.org, and run the same command again.",
    tool_missing: "Install it and run the same command again.",
    idf_missing: "Install ESP-IDF with the commands shown.",
    port_forbidden: "sudo usermod -aG dialout $USER, then log in again.",
    wifi_radio_off: "Switch WiFi on and run the same command again.",
    wifi_unmanaged: "Let NetworkManager manage it: nmcli device set IFACE managed yes.",
    wifi_no_adapter:
      "Plug in a WiFi adapter, or join the board's AP some other way and give --url.",
    wifi_service_down: "Start it: sudo systemctl start NetworkManager.",
    wifi_not_permitted: "Run from the desktop session, with sudo, or allow it with a polkit rule.",
    lab_not_running: "Start one with `prov lab up`.",
    lab_busy: "Stop it (Ctrl-C where it runs), or give this one another name with --name.",
    lab_failed: "Look at the message above; `prov doctor` checks what the lab needs.",
    doctor_failed: "Mend the lines marked red.",
  },
} as const satisfies Partial<Record<Stage, Readonly<Record<string, string>>>>;

type Hints = typeof HINTS;
export type HostFailureCode = { [S in keyof Hints]: keyof Hints[S] }[keyof Hints];

/** Failures that the host itself can name: code → its stage and the next step. */
export const HOST_FAILURES = Object.fromEntries(
  Object.entries(HINTS).flatMap(([stage, hints]) =>
    Object.entries(hints).map(([code, hint]) => [code, { stage, hint }]),
  ),
) as Readonly<Record<HostFailureCode, { readonly stage: Stage; readonly hint: string }>>;

export type ErrorCode = HostFailureCode | FailureCode;

const FAILURES = { ...HOST_FAILURES, ...DEVICE_FAILURES };

/**
 * The only error that prov shows to people: a stable code, the stage it belongs to, the next step
 * and the cause. Nothing in its texts is obeyed by a terminal. Adapters convert foreign errors into it; `command-line.ts` prints it and sets the exit code.
 */
export class ProvError extends Error {
  override readonly name = "ProvError";
  readonly code: ErrorCode;
  readonly stage: Stage;
  readonly hint: string;
  /** What else the JSON document of the error holds, beside `ok` and `error`. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(
    code: ErrorCode,
    message: string,
    options: { hint?: string; cause?: unknown; details?: Readonly<Record<string, unknown>> } = {},
  ) {
    super(visibleText(message), options.cause === undefined ? undefined : { cause: options.cause });
    const row = FAILURES[code];
    this.code = code;
    this.stage = row.stage;
    this.hint = options.hint === undefined ? row.hint : visibleText(options.hint);
    this.details = options.details ?? {};
  }

  get exitCode(): number {
    return EXIT[this.stage];
  }
}

/** The error for a failure that a device reported; an unknown code is kept readable, not guessed at. */
export function deviceError(code: string, message: string): ProvError {
  if (isFailureCode(code)) return new ProvError(code, message || DEVICE_FAILURES[code].message);
  const said = message === "" ? "" : `: ${message}`;
  return new ProvError("outcome_unknown", `the device reported "${code}"${said}`, {
    hint: "This firmware knows a failure that this prov does not; update prov.",
  });
}
