import { Command, Option } from "commander";
import {
  boardUrl,
  collectPorts,
  labName,
  port,
  positiveInteger,
  seconds,
  ssid,
} from "./commands/options/values.js";
import type { GlobalOptions } from "./context.js";
import { readVersion } from "./paths.js";
import { addLab, type CommandRun } from "./program-lab.js";
import { refuseEmptyAndRepeated } from "./strict-options.js";

export type RunCommand = (globals: GlobalOptions, command: CommandRun) => Promise<void>;

/**
 * The command tree. Each command's code is imported only when it runs: `prov --help` has to be instant.
 * @param onComplaint gets what commander would print on stderr: an error in the arguments or, with no command, the help
 */
export function buildProgram(
  runCommand: RunCommand,
  onComplaint: (text: string) => void = () => {},
): Command {
  const program = new Command("prov")
    .description(
      "From an empty ESP32 to a device that reports over mutual-TLS MQTT, from one typed manifest.",
    )
    .version(readVersion())
    .option("--config <file>", "the device manifest", "device.config.ts")
    .option("--device <id>", "which device, when the manifest defines several")
    .option("--json", "print one JSON document on stdout")
    .option("--quiet", "print results, warnings and errors only")
    .option("--verbose", "print details and causes")
    .option("--no-color", "no colour (also NO_COLOR)")
    // Wrapped at words on narrow terminals too: commander leaves columns of less than 40 to the terminal.
    .configureHelp({ showGlobalOptions: true, minWidthToWrap: 20 })
    // The commands below inherit both.
    .configureOutput({ writeErr: onComplaint })
    .exitOverride();

  /** Adds a command whose action hands its options to `start`, which imports the code and runs it. */
  const add = <Options>(
    command: Command,
    start: (options: Options & GlobalOptions, ...positional: string[]) => Promise<CommandRun>,
  ): void => {
    command.action(async (...received: unknown[]) => {
      const positional = received.filter((value): value is string => typeof value === "string");
      const options = command.optsWithGlobals<Options & GlobalOptions>();
      await runCommand(options, await start(options, ...positional));
    });
  };

  add<import("./commands/keys.js").KeysOptions>(
    program
      .command("keys")
      .description("make the device's private key and CSR, once")
      .option("--force", "replace an existing key, which is kept beside the new one"),
    async (options) => (await import("./commands/keys.js")).keysCommand(options),
  );

  add<import("./commands/codegen.js").CodegenOptions>(
    program
      .command("codegen")
      .description("write device_keys.h and sdkconfig from the manifest")
      .option("--check", "write nothing; fail when files are stale"),
    async (options) => (await import("./commands/codegen.js")).codegenCommand(options),
  );

  add<import("./commands/build.js").BuildOptions>(
    program
      .command("build")
      .description("build the firmware (ESP-IDF for a chip, cmake for the virtual board)")
      .option(
        "--target <chip>",
        "override the manifest's target; `host` builds for the virtual board",
      )
      .option("--clean", "build everything again")
      .option("--docker", "build in the espressif/idf image")
      .option("--idf-image <image>", "the image for --docker; default espressif/idf:release-v5.5"),
    async (options) => (await import("./commands/build.js")).buildCommand(options),
  );

  add<import("./commands/flash.js").FlashOptions>(
    program
      .command("flash")
      .description("write to a board what differs, verify it by MD5, start it")
      .option(
        "--port <port>",
        "serial port, socket://host:port or rfc2217://host:port; repeat for several",
        collectPorts,
      )
      .option("--all", "every Espressif board that is connected")
      .option("--target <chip>", "which build to flash; default: the manifest's target")
      .option("--baud <rate>", "line rate while writing", positiveInteger, 460800)
      .option("--full", "write everything, not only what differs")
      .option("--erase", "erase the whole flash first (settings and certificates too)")
      .option(
        "--yes-burn-efuses",
        "yes, a hardened device's first boot may change the chip for good",
      ),
    async (options) => (await import("./commands/flash.js")).flashCommand(options),
  );

  add<import("./commands/monitor.js").MonitorOptions>(
    program
      .command("monitor")
      .description("show the device's log (Ctrl-R resets the board, Ctrl-] leaves)")
      .option("--port <port>", "serial port, socket:// or rfc2217:// address", port)
      .option("--baud <rate>", "line rate", positiveInteger, 115200)
      .option("--until <regex>", "stop with success at the first line that matches")
      .option("--timeout <seconds>", "give up after this long (exit 5)", seconds)
      .option("--filter <filter>", 'what to show, such as "*:W wifi:I"')
      .option("--timestamps", "put the host's time before each line")
      .option("--log <file>", "also write the log to a file")
      .option("--reset", "reset the board first"),
    async (options) => (await import("./commands/monitor.js")).monitorCommand(options),
  );

  add(program.command("ports").description("list serial ports and the boards on them"), async () =>
    (await import("./commands/ports.js")).portsCommand(),
  );

  add<import("./commands/on-board.js").OnBoardOptions>(
    withAskingOptions(
      program.command("scan").description("list the WiFi networks that the board sees"),
    ).addOption(askedPort()),
    async (options) => (await import("./commands/scan.js")).scanCommand(options),
  );

  add<import("./commands/provision.js").ProvisionOptions>(
    withProvisioningOptions(
      withBoardOptions(
        program
          .command("provision")
          .description("give the board its WiFi and tokens; prove that it came online"),
      ),
    )
      .addOption(
        new Option("--wait <what>", "how far to wait").choices(["wifi", "certificate", "mqtt"]),
      )
      .option("--timeout <seconds>", BOUND, seconds)
      .option("--port <port>", "serial port of the board: its log is one more witness", port),
    async (options) => (await import("./commands/provision.js")).provisionCommand(options),
  );

  add<import("./commands/on-board.js").OnBoardOptions>(
    withAskingOptions(
      program
        .command("status")
        .description(
          "show the board's own status: over its AP, or at the broker when it is online",
        ),
    ).addOption(askedPort()),
    async (options) => (await import("./commands/status.js")).statusCommand(options),
  );

  add<import("./commands/reset.js").ResetOptions>(
    withAskingOptions(
      program.command("reset").description("make the board forget its WiFi, or everything"),
    )
      .addOption(
        new Option("--scope <scope>", "what to forget").choices(["wifi", "all"]).default("wifi"),
      )
      .option(
        "--port <port>",
        "through the loader on this serial port instead of the AP (with --scope all)",
        port,
      )
      .option("--baud <rate>", "with --port: line rate; default 460800", positiveInteger),
    async (options) => (await import("./commands/reset.js")).resetCommand(options),
  );

  add<import("./commands/options/run.js").RunOptions>(
    withProvisioningOptions(
      withReachOptions(
        program
          .command("run")
          .description(
            "everything: keys, build, flash, boot, join, scan, provision, status, MQTT proof",
          ),
      ),
    )
      .option("--port <port>", "a real board; without it the virtual board is used", port)
      .addOption(
        new Option("--broker <kind>", "the lab's broker; default embedded").choices([
          "embedded",
          "mosquitto",
        ]),
      )
      .addOption(
        new Option(
          "--sanitize <kind>",
          "build the virtual board's firmware with a sanitizer",
        ).choices(["address", "undefined", "thread"]),
      )
      .option(
        "--timeout <seconds>",
        "bound on the boot, and on everything after it; default 30 (virtual board: 20) and 120, of which 45 to find the AP",
        seconds,
      )
      .option("--yes-burn-efuses", "with --port: as for `prov flash`")
      .option(
        "--baud <rate>",
        "with --port: line rate while writing; default 460800",
        positiveInteger,
      ),
    async (options) => (await import("./commands/run.js")).runCommand(options),
  );

  addLab(program, add);

  add<import("./commands/doctor.js").DoctorOptions>(
    program
      .command("doctor")
      .description("check what this machine has; every red line says how to mend it")
      .option("--lab [name]", "also check a running lab", labName),
    async (options) => (await import("./commands/doctor.js")).doctorCommand(options),
  );
  refuseEmptyAndRepeated(program);
  return program;
}

const BOUND = "bound on all of it; default 120, of which 45 to find the AP";

/** For a command that asks the board something over its AP, unless the broker knows that it has none. */
function withAskingOptions(command: Command): Command {
  return withOperatorOptions(withBoardOptions(command)).option(
    "--timeout <seconds>",
    BOUND,
    seconds,
  );
}

function askedPort(): Option {
  return new Option(
    "--port <port>",
    "serial port of the board: restart it, and read from its log whether it is online",
  ).argParser(port);
}

/** Which board: that of a lab, or a real one. */
function withBoardOptions(command: Command): Command {
  return withReachOptions(
    command.option("--lab [name]", "the virtual board of a running lab", labName),
  );
}

/** How to reach a real board: the host's WiFi, or an address that is reachable already. */
function withReachOptions(command: Command): Command {
  return command
    .optionsGroup("To reach the board:")
    .option("--url <url>", "the board's address, when this machine can reach it already", boardUrl)
    .option("--ap <ssid>", "the board's AP, when several are near", ssid)
    .option("--iface <name>", "the WiFi adapter to use")
    .addOption(
      new Option("--wifi <adapter>", "how to join the board's AP")
        .choices(["auto", "nmcli", "networksetup", "netsh", "manual"])
        .default("auto"),
    )
    .optionsGroup("");
}

/** What the board is given, and how the outcome is watched and reported. */
function withProvisioningOptions(command: Command): Command {
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
