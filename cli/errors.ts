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

/** Failures that the host itself can name: code → the stage (hence the exit code) and the next step. */
export const HOST_FAILURES = {
  internal: {
    stage: "bug",
    hint: "This is a bug in prov. Run again with --verbose and report it.",
  },
  interrupted: {
    stage: "interrupted",
    hint: "Run the same command again; every step can be repeated.",
  },

  usage: { stage: "usage", hint: "See `prov --help` and `prov COMMAND --help`." },
  input_missing: {
    stage: "usage",
    hint: "Give the value as a flag, in the environment or on stdin.",
  },
  device_unknown: { stage: "usage", hint: "Name a device that the manifest defines." },

  manifest_not_found: {
    stage: "manifest",
    hint: "Create device.config.ts or name one with --config FILE.",
  },
  manifest_unloadable: { stage: "manifest", hint: "Mend the error in the manifest's code." },
  manifest_invalid: { stage: "manifest", hint: "Mend the fields named above." },
  manifest_placeholder: {
    stage: "manifest",
    hint: "Put your own backend and broker into the manifest.",
  },
  codegen_stale: { stage: "manifest", hint: "Run `prov codegen`." },
  identity_invalid: {
    stage: "manifest",
    hint: "Run `prov keys --force` to make a new key, or restore the old file.",
  },

  build_failed: {
    stage: "build",
    hint: "Mend the first error above; --verbose shows the whole output.",
  },
  image_too_big: {
    stage: "build",
    hint: "Enlarge the app partition in partitions.csv or switch features off.",
  },
  image_missing: { stage: "build", hint: "Run `prov build` first." },

  port_not_found: {
    stage: "flash",
    hint: "`prov ports` lists what is connected; check the cable carries data.",
  },
  port_ambiguous: { stage: "flash", hint: "Choose one with --port; `prov ports` lists them." },
  port_busy: {
    stage: "flash",
    hint: "Close the other program that has the port open (a monitor?).",
  },
  port_lost: { stage: "flash", hint: "Reconnect the board and run the same command again." },
  chip_silent: {
    stage: "flash",
    hint: "Hold BOOT while pressing RESET, then run the same command again.",
  },
  chip_mismatch: {
    stage: "flash",
    hint: "Set `target` in the manifest to the chip that is connected, and build again.",
  },
  image_invalid: { stage: "flash", hint: "Build again with `prov build --clean`." },
  flash_rejected: {
    stage: "flash",
    hint: "Run the same command again; if it persists, use --full or a lower --baud.",
  },
  flash_mismatch: {
    stage: "flash",
    hint: "Run the same command again with --full; if it persists, the flash chip may be worn.",
  },
  board_hardened: {
    stage: "flash",
    hint: 'Read README.md, "Hardening"; prov does not write to a board whose eFuses are burned.',
  },
  efuses_unconfirmed: {
    stage: "flash",
    hint: 'Read README.md, "Hardening"; if you mean it, run the same command with --yes-burn-efuses.',
  },
  boot_timeout: {
    stage: "flash",
    hint: "`prov monitor` shows what the board prints; flash it again if it prints nothing.",
  },
  monitor_timeout: {
    stage: "flash",
    hint: "Raise --timeout or check the pattern; the log above is what came.",
  },

  ap_not_found: {
    stage: "join",
    hint: "It has no power, is not in AP_MODE, or is online already and so has no AP: `prov monitor --reset --port PORT` tells which.",
  },
  ap_ambiguous: {
    stage: "join",
    hint: "Is the board in AP_MODE, and is this its manifest? Choose one with --ap SSID.",
  },
  ap_wrong_password: {
    stage: "join",
    hint: "Check softAp.password in the manifest that the board was built with.",
  },
  ap_unreachable: { stage: "join", hint: "Join the board's AP, then run the same command again." },
  device_online: {
    stage: "join",
    hint: "Make it forget with `prov reset --scope all --port PORT` or its BOOT button: that opens its AP.",
  },
  ap_no_dhcp: {
    stage: "join",
    hint: "The AP gave no address: restart the board; its client limit may be reached.",
  },
  ap_lost: { stage: "join", hint: "Move closer to the board and run the same command again." },
  wifi_busy: {
    stage: "join",
    hint: "Wait for the other prov to end, then run the same command again.",
  },
  wifi_failed: {
    stage: "join",
    hint: "Join the board's AP by hand, then run the same command with --url http://192.168.4.1.",
  },
  device_mismatch: {
    stage: "join",
    hint: "Another board answered; switch it off or choose with --ap SSID.",
  },
  bad_answer: { stage: "join", hint: "Something other than this firmware answered; check --url." },

  scan_failed: { stage: "provision", hint: "Try again; the board cannot scan while it connects." },
  provision_refused: { stage: "provision", hint: "Mend the field that the board names." },
  provision_busy: {
    stage: "provision",
    hint: "Another provisioning is under way; wait for it to end.",
  },
  outcome_unknown: {
    stage: "provision",
    hint: "`prov status` and the board's log tell how far it came.",
  },
  online_elsewhere: {
    stage: "provision",
    hint: "Make it forget with `prov reset --scope all --port PORT` or its BOOT button, then run the same command again.",
  },
  online_unverified: {
    stage: "provision",
    hint: "Make it forget with `prov reset --scope all --port PORT` or its BOOT button, then run the same command again.",
  },
  status_timeout: {
    stage: "mqtt",
    hint: "Look at the device's log and the broker's: may the device publish there, and may the operator read it?",
  },
  observer_failed: {
    stage: "mqtt",
    hint: "Check the operator certificate and the broker's address.",
  },

  file_inaccessible: {
    stage: "environment",
    hint: "Check the owner and the mode of the file and its folder, and the free space.",
  },
  path_unsupported: {
    stage: "environment",
    hint: "Move it to a folder whose path does not contain that.",
  },
  node_unsupported: {
    stage: "environment",
    hint: "Install a newer Node, such as the LTS release of https://nodejs.org, and run the same command again.",
  },
  tool_missing: { stage: "environment", hint: "Install it and run the same command again." },
  idf_missing: { stage: "environment", hint: "Install ESP-IDF with the commands shown." },
  port_forbidden: {
    stage: "environment",
    hint: "sudo usermod -aG dialout $USER, then log in again.",
  },
  wifi_radio_off: { stage: "environment", hint: "Switch WiFi on and run the same command again." },
  wifi_unmanaged: {
    stage: "environment",
    hint: "Let NetworkManager manage it: nmcli device set IFACE managed yes.",
  },
  wifi_no_adapter: {
    stage: "environment",
    hint: "Plug in a WiFi adapter, or join the board's AP some other way and give --url.",
  },
  wifi_service_down: {
    stage: "environment",
    hint: "Start it: sudo systemctl start NetworkManager.",
  },
  wifi_not_permitted: {
    stage: "environment",
    hint: "Run from the desktop session, with sudo, or allow it with a polkit rule.",
  },
  lab_not_running: { stage: "environment", hint: "Start one with `prov lab up`." },
  lab_busy: {
    stage: "environment",
    hint: "Stop it (Ctrl-C where it runs), or give this one another name with --name.",
  },
  lab_failed: {
    stage: "environment",
    hint: "Look at the message above; `prov doctor` checks what the lab needs.",
  },
  doctor_failed: { stage: "environment", hint: "Mend the lines marked red." },
} as const satisfies Record<string, { stage: Stage; hint: string }>;

export type HostFailureCode = keyof typeof HOST_FAILURES;
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
  return new ProvError("outcome_unknown", `the device reported "${code}": ${message}`, {
    hint: "This firmware knows a failure that this prov does not; update prov.",
  });
}
