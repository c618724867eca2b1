import { type ErrorCode, ProvError } from "../errors.js";
import type { CommandResult } from "./command.js";
import { stripControls } from "./nmcli-parse.js";

/**
 * What nmcli's exit statuses and messages mean (nmcli(1) "EXIT STATUS"; the messages are those of
 * NetworkManager's `nmc_device_reason_to_string`, and were recorded from 1.42).
 */
interface Rule {
  pattern: RegExp;
  code: ErrorCode;
  what: string;
  hint?: string;
}

const RULES: readonly Rule[] = [
  {
    pattern: /Insufficient privileges|[Nn]ot authorized/,
    code: "wifi_not_permitted",
    what: "NetworkManager does not let this user change WiFi connections",
  },
  {
    pattern: /NetworkManager is not running/,
    code: "wifi_service_down",
    what: "NetworkManager is not running",
  },
  {
    pattern: /Could not create NMClient|Could not connect/,
    code: "wifi_service_down",
    what: "the system D-Bus does not answer, so NetworkManager cannot be reached",
    hint: "Start it: sudo systemctl start dbus NetworkManager (a container has neither: use --url).",
  },
  {
    pattern: /No Wi-Fi device found|is not a Wi-Fi device|Device '.*' not found/,
    code: "wifi_no_adapter",
    what: "this machine has no such WiFi adapter",
  },
  {
    pattern: /Secrets were required|password for .* not given|No valid secrets|Invalid secrets/,
    code: "ap_wrong_password",
    what: "the AP refused the password",
  },
  {
    pattern: /Wi-Fi network could not be found|No network with SSID/,
    code: "ap_not_found",
    what: "the AP did not answer",
  },
  {
    pattern: /IP configuration could not be reserved|IP configuration is no longer|DHCP client/,
    code: "ap_no_dhcp",
    what: "the AP was joined but gave no IP address",
  },
  {
    pattern: /unmanaged/,
    code: "wifi_unmanaged",
    what: "NetworkManager does not manage the WiFi adapter",
  },
  {
    pattern: /device (was removed|disappeared)|went to sleep/,
    code: "wifi_no_adapter",
    what: "the WiFi adapter went away",
  },
  {
    pattern:
      /supplicant (disconnected|took too long)|Carrier\/link changed|connection was interrupted/,
    code: "ap_lost",
    what: "the link to the AP broke while it was being set up",
  },
];

/** Exit status 8: NetworkManager is not running; 3: the -w timeout expired. */
const STATUS_NOT_RUNNING = 8;
const STATUS_TIMEOUT = 3;

/** The ProvError for a failed nmcli call; `doing` completes "while …". */
export function nmcliError(result: CommandResult, doing: string): ProvError {
  const text = stripControls(`${result.stderr}\n${result.stdout}`).trim();
  const rule = RULES.find(({ pattern }) => pattern.test(text));
  if (rule) {
    const options = rule.hint === undefined ? {} : { hint: rule.hint };
    return new ProvError(rule.code, `${rule.what} (while ${doing})`, options);
  }
  if (result.code === STATUS_NOT_RUNNING) {
    return new ProvError("wifi_service_down", `NetworkManager is not running (while ${doing})`);
  }
  if (result.code === STATUS_TIMEOUT) {
    return new ProvError("ap_lost", `NetworkManager did not finish in time (while ${doing})`);
  }
  return new ProvError(
    "wifi_failed",
    `nmcli failed while ${doing}: ${lastLine(text, result.code)}`,
  );
}

/** Whether the profile that the command named does not exist (exit status 10). */
export function isUnknownProfile(result: CommandResult): boolean {
  return result.code === 10 && /unknown connection|no active connection/i.test(result.stderr);
}

function lastLine(text: string, code: number): string {
  return (
    text
      .split("\n")
      .at(-1)
      ?.replace(/^Error: /, "") || `exit status ${code}`
  );
}
