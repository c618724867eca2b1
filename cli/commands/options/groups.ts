import { type Command, Option } from "commander";
import { DEFAULT_BOUND_S } from "../../flow/timeouts.js";
import type { HostWifiKind } from "../../wifi/host-wifi.js";
import { boardUrl, labName, port, seconds, ssid } from "./values.js";

// What several verbs declare alike. Loaded for every help: nothing but declarations.

/** What `--timeout` bounds besides the boot. */
export const WHOLE_BOUND = `${DEFAULT_BOUND_S.all}, of which ${DEFAULT_BOUND_S.join} to find the AP`;
const TIMEOUT_HELP = `bound on all of it; default ${WHOLE_BOUND}`;

export function withTimeout(command: Command): Command {
  return command.option("--timeout <seconds>", TIMEOUT_HELP, seconds);
}

/** For a command that asks the board something over its AP, unless the broker knows that it has none. */
export function withAskingOptions(command: Command): Command {
  return withTimeout(withOperatorOptions(withBoardOptions(command)));
}

export function askedPort(): Option {
  return new Option(
    "--port <port>",
    "serial port of the board: restart it, and read from its log whether it is online",
  ).argParser(port);
}

/** Which board: that of a lab, or a real one. */
export function withBoardOptions(command: Command): Command {
  return withReachOptions(
    command.option("--lab [name]", "the virtual board of a running lab", labName),
  );
}

/** How to reach a real board: the host's WiFi, or an address that is reachable already. */
export function withReachOptions(command: Command): Command {
  return command
    .optionsGroup("To reach the board:")
    .option("--url <url>", "the board's address, when this machine can reach it already", boardUrl)
    .option("--ap <ssid>", "the board's AP, when several are near", ssid)
    .option("--iface <name>", "the WiFi adapter to use")
    .addOption(
      new Option("--wifi <adapter>", "how to join the board's AP")
        .choices(["auto", "nmcli", "networksetup", "netsh", "manual"] satisfies (
          | HostWifiKind
          | "auto"
        )[])
        .default("auto"),
    )
    .optionsGroup("");
}

/** What the board is given, and how the outcome is watched and reported. */
export function withProvisioningOptions(command: Command): Command {
  const given = command
    .optionsGroup("To provision it:")
    .option("--ssid <ssid>", "the WiFi network to join", ssid)
    .option(
      "--password <password>",
      "its password (better: PROV_WIFI_PASSWORD, --password-stdin or the prompt)",
    )
    .option("--password-stdin", "read the password from stdin")
    .option("--open", "the network has no password")
    .option("--token <token>", "one-time provisioning token (or PROV_TOKEN)")
    .option("--no-token", "none: the device holds a certificate and only gets another WiFi")
    .option("--bearer <token>", "Bearer token for calls on the user's behalf (or PROV_BEARER)")
    .option("--junit <file>", "write a JUnit report, one test case per stage")
    .option("--no-input", "never ask")
    .optionsGroup("");
  return withOperatorOptions(given);
}

/** Who may read the device's topics at the broker. */
function withOperatorOptions(command: Command): Command {
  return command
    .optionsGroup("To watch the broker:")
    .option("--mqtt-ca <file>", "CA of the broker, to watch for the device's status message")
    .option("--mqtt-cert <file>", "operator certificate for the broker")
    .option("--mqtt-key <file>", "its key")
    .option("--mqtt-username <name>", "the operator's, where the broker wants one besides")
    .option("--mqtt-password <password>", "the operator's (better: PROV_MQTT_PASSWORD)")
    .optionsGroup("");
}
