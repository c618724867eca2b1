import { ProvError } from "../errors.js";
import type { CommandResult, CommandRunner } from "./command.js";
import { activateWithPassword } from "./nmcli-activate.js";
import { isUnknownProfile, nmcliError } from "./nmcli-errors.js";
import {
  AP_FIELDS,
  boardAddress,
  DEVICE_FIELDS,
  type NmDevice,
  parseApList,
  parseDevices,
  parseProperties,
  parseRows,
} from "./nmcli-parse.js";

export interface TemporaryProfile {
  name: string;
  iface: string;
  ssid: string;
  keyManagement: "wpa-psk" | "sae" | null;
}

export type ProfileRef = { id: string } | { uuid: string };

export interface UpOptions {
  waitS: number;
  password?: string;
  signal?: AbortSignal;
}

/** The board answers DHCP at once; NetworkManager's own default is 45 s. */
const DHCP_TIMEOUT_S = 15;

export type NmcliClient = ReturnType<typeof nmcliClient>;

/** The nmcli calls that prov makes, typed. Every method throws the ProvError of a failed call. */
export function nmcliClient(run: CommandRunner) {
  const call = (args: string[], { signal }: { signal?: AbortSignal | undefined } = {}) =>
    run({ file: "nmcli", args, ...(signal === undefined ? {} : { signal }) });
  const must = async (args: string[], doing: string, signal?: AbortSignal): Promise<string> => {
    const result = await call(args, { signal });
    if (result.code !== 0) throw nmcliError(result, doing);
    return result.stdout;
  };
  const terse = (fields: string) => ["-t", "-e", "yes", "-f", fields];
  return {
    devices: async (signal?: AbortSignal): Promise<NmDevice[]> =>
      parseDevices(
        await must([...terse(DEVICE_FIELDS), "device", "status"], "listing adapters", signal),
      ),
    /** The radio switches: `hardware` is a switch on the machine, `software` that of the desktop. */
    radio: async (signal?: AbortSignal) => {
      const rows = parseRows(
        await must([...terse("WIFI-HW,WIFI"), "radio"], "reading the radio switches", signal),
      );
      const isOn = (column: number) => rows[0]?.[column] !== "disabled";
      return { hardware: isOn(0), software: isOn(1) };
    },
    /** Whether the adapter connects by itself. */
    autoconnect: async (iface: string, signal?: AbortSignal) => {
      const args = [...terse("GENERAL.AUTOCONNECT"), "device", "show", iface];
      const properties = parseProperties(await must(args, "reading the adapter's state", signal));
      return properties.get("GENERAL.AUTOCONNECT")?.[0] !== "no";
    },
    /** Asks for a scan and returns at once; a refusal (one is running already) is no failure. */
    rescan: async (iface: string, signal?: AbortSignal) => {
      await call(["device", "wifi", "rescan", "ifname", iface], { signal });
    },
    /** What the last scans saw. */
    accessPoints: async (iface: string, signal?: AbortSignal) => {
      const list = ["device", "wifi", "list", "ifname", iface, "--rescan", "no"];
      return parseApList(await must([...terse(AP_FIELDS), ...list], "scanning", signal));
    },
    /** Never takes a signal: a killed nmcli may or may not have made the profile. */
    addProfile: (profile: TemporaryProfile) => addProfile(call, profile),
    /** Activates a profile, `id NAME` or `uuid UUID`, and waits until it has an address. */
    up: async (which: ProfileRef, iface: string, options: UpOptions) => {
      const ref = "id" in which ? ["id", which.id] : ["uuid", which.uuid];
      const args = ["-w", String(options.waitS), "connection", "up", ...ref, "ifname", iface];
      const result =
        options.password === undefined
          ? await call(args, { signal: options.signal })
          : await activateWithPassword(run, iface, args, options.password, options.signal);
      if (result.code !== 0) throw nmcliError(result, "connecting");
    },
    /** Deletes a profile; one that is gone already is no failure. */
    deleteProfile: async (name: string, signal?: AbortSignal) => {
      const result = await call(["connection", "delete", "id", name], { signal });
      if (result.code !== 0 && !isUnknownProfile(result)) {
        throw nmcliError(result, "deleting the temporary profile");
      }
    },
    /** Whether the adapter may connect by itself, as `nmcli device disconnect` switches off. */
    setAutoconnect: async (iface: string, on: boolean, signal?: AbortSignal) => {
      const args = ["device", "set", iface, "autoconnect", on ? "yes" : "no"];
      await must(args, "setting the adapter's autoconnect", signal);
    },
    /** Address of the board on the joined network; null when DHCP named none. */
    boardAddress: async (iface: string, signal?: AbortSignal) => {
      const args = [...terse("IP4,DHCP4"), "device", "show", iface];
      return boardAddress(parseProperties(await must(args, "reading the address", signal)));
    },
  };
}

type Call = (args: string[]) => Promise<CommandResult>;

async function addProfile(call: Call, profile: TemporaryProfile): Promise<void> {
  const args = addArguments(profile);
  let result = await call(args);
  if (result.code !== 0 && /Insufficient privileges|[Nn]ot authorized/.test(result.stderr)) {
    // Without the right to change system-wide profiles a user may still have the right to own ones.
    const user = process.env.USER;
    if (user) result = await call([...args, "connection.permissions", `user:${user}`]);
  }
  if (result.code !== 0) throw nmcliError(result, "adding a temporary profile");
}

/**
 * The profile never autoconnects and is not written to disk; it takes neither the default route nor
 * DNS; the password is asked for at each activation (psk-flags 2) and kept nowhere.
 */
function addArguments(profile: TemporaryProfile): string[] {
  const security =
    profile.keyManagement === null
      ? []
      : ["wifi-sec.key-mgmt", profile.keyManagement, "wifi-sec.psk-flags", "2"];
  return [
    ...["connection", "add", "save", "no", "type", "wifi", "con-name", profile.name],
    ...["ifname", profile.iface, "autoconnect", "no", "ssid", profile.ssid],
    ...["ipv4.method", "auto", "ipv4.may-fail", "no", "ipv4.dhcp-timeout", String(DHCP_TIMEOUT_S)],
    ...["ipv4.never-default", "yes", "ipv4.ignore-auto-dns", "yes"],
    ...["ipv4.ignore-auto-routes", "yes"],
    ...["ipv6.method", "disabled", ...security],
  ];
}

/**
 * The adapter to use: the one that was asked for, else an idle one (it leaves the connection of the
 * others alone), else the first that works.
 */
export async function chooseDevice(
  client: NmcliClient,
  iface: string | undefined,
  signal: AbortSignal,
): Promise<NmDevice> {
  const wifi = (await client.devices(signal)).filter((device) => device.type === "wifi");
  const candidates = iface === undefined ? wifi : wifi.filter((device) => device.name === iface);
  const [first] = candidates;
  if (first === undefined) throw noAdapter(iface, wifi);
  const usable = candidates.filter(
    (device) => !["unmanaged", "unavailable"].includes(device.state),
  );
  const chosen = usable.find((device) => device.state === "disconnected") ?? usable[0];
  if (chosen === undefined) throw await explainUnusable(client, first, signal);
  return chosen;
}

function noAdapter(iface: string | undefined, present: NmDevice[]): ProvError {
  if (iface === undefined) {
    return new ProvError("wifi_no_adapter", "NetworkManager sees no WiFi adapter on this machine");
  }
  const names = present.map((device) => device.name).join(", ") || "none";
  return new ProvError(
    "wifi_no_adapter",
    `there is no WiFi adapter ${iface} (there are: ${names})`,
  );
}

async function explainUnusable(
  client: NmcliClient,
  device: NmDevice,
  signal: AbortSignal,
): Promise<ProvError> {
  if (device.state === "unmanaged") {
    return new ProvError("wifi_unmanaged", `NetworkManager does not manage ${device.name}`, {
      hint: `Let it: nmcli device set ${device.name} managed yes`,
    });
  }
  const radio = await client.radio(signal);
  if (!radio.hardware) {
    return new ProvError("wifi_radio_off", "WiFi is off at the machine's own switch", {
      hint: "Use the WiFi or flight-mode key, or `rfkill list` to see what blocks it.",
    });
  }
  if (!radio.software) {
    return new ProvError("wifi_radio_off", "WiFi is switched off", { hint: "nmcli radio wifi on" });
  }
  return new ProvError("wifi_service_down", `${device.name} is unavailable although WiFi is on`, {
    hint: "wpa_supplicant is probably not running: sudo systemctl start wpa_supplicant",
  });
}
