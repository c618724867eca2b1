import type { ChildProcess } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { daemon, end, must, run, until } from "./shell.js";

/**
 * The lab's air inside the VM: simulated radios, each role in a network namespace of its own. The
 * laptop is the root namespace, with NetworkManager on the radios that are left there.
 */
export const BOARD_NS = "board";
export const HOME_NS = "home";
export const BOARD_IFACE = "wlan1";
export const HOME_IFACE = "wlan2";
/** The board's second radio, for its station: wpa_supplicant behind the host port's esp_wifi. */
export const STATION_IFACE = "wlan3";
export const LAPTOP_IFACE = "wlan0";
/** The laptop's second adapter; unmanaged until a scenario wants it. */
export const SPARE_IFACE = "wlan4";
export const BOARD_ADDRESS = "192.168.4.1";

export const HOME_PROFILE = {
  id: "HomeNet",
  uuid: "11111111-2222-3333-4444-555555555555",
  ssid: "HomeNet",
  psk: "homepass1234",
} as const;

/** A second router behind the home network's namespace, for networks that only the board joins. */
export const OTHER_IFACE = "wlan5";

const RADIOS = 6;

export interface AccessPointOptions {
  ssid: string;
  /** Passphrase or 64 hex digits of key; null: an open network. */
  psk: string | null;
  channel: number;
  /** Whether a DHCP server answers. */
  dhcp: boolean;
}

export interface AddressPool {
  from: string;
  to: string;
  router: string;
}

export const BOARD_POOL: AddressPool = {
  from: "192.168.4.2",
  to: "192.168.4.9",
  router: BOARD_ADDRESS,
};
const HOME_POOL: AddressPool = {
  from: "192.168.77.50",
  to: "192.168.77.99",
  router: "192.168.77.1",
};

export interface RunningAp {
  stop(): Promise<void>;
}

/** Loads the radios and hands them to their roles; the laptop also gets a wired default route. */
export async function createRadios(): Promise<void> {
  await must("modprobe", "mac80211_hwsim", `radios=${RADIOS}`);
  for (const ns of [BOARD_NS, HOME_NS]) {
    await must("ip", "netns", "add", ns);
    await must("ip", "-n", ns, "link", "set", "lo", "up");
  }
  await moveRadio(BOARD_IFACE, BOARD_NS);
  await moveRadio(STATION_IFACE, BOARD_NS);
  await moveRadio(HOME_IFACE, HOME_NS);
  await moveRadio(OTHER_IFACE, HOME_NS);
  await must("ip", "-n", BOARD_NS, "addr", "add", `${BOARD_ADDRESS}/24`, "dev", BOARD_IFACE);
  await must("ip", "-n", HOME_NS, "addr", "add", "192.168.77.1/24", "dev", HOME_IFACE);
  await addWiredUplink();
}

async function moveRadio(iface: string, ns: string): Promise<void> {
  const phy = readFileSync(`/sys/class/net/${iface}/phy80211/name`, "utf8").trim();
  await must("iw", "phy", phy, "set", "netns", "name", ns);
}

/** A wired network beside the WiFi, whose default route must never move. */
async function addWiredUplink(): Promise<void> {
  await must("ip", "link", "add", "wired0", "type", "veth", "peer", "name", "wired1");
  await must("ip", "link", "set", "wired1", "netns", HOME_NS);
  await must("ip", "-n", HOME_NS, "addr", "add", "10.9.9.1/24", "dev", "wired1");
  await must("ip", "-n", HOME_NS, "link", "set", "wired1", "up");
  await must("ip", "addr", "add", "10.9.9.2/24", "dev", "wired0");
  await must("ip", "link", "set", "wired0", "up");
  await must("ip", "route", "add", "default", "via", "10.9.9.1", "dev", "wired0", "metric", "50");
}

/** The default routes as the kernel lists them, leaving out the laptop's own WiFi. */
export async function wiredDefaultRoute(): Promise<string> {
  const routes = await must("ip", "route", "show", "default");
  return routes
    .split("\n")
    .filter((route) => route.includes("wired0"))
    .join("\n")
    .trim();
}

export function startBoardAp(options: AccessPointOptions): Promise<RunningAp> {
  return runAp(BOARD_NS, BOARD_IFACE, options, BOARD_POOL);
}

export function startHomeAp(
  options: AccessPointOptions = {
    ssid: HOME_PROFILE.ssid,
    psk: HOME_PROFILE.psk,
    channel: 6,
    dhcp: true,
  },
): Promise<RunningAp> {
  return runAp(HOME_NS, HOME_IFACE, options, HOME_POOL);
}

/** A network of the home router's that gives no addresses. */
export function startSilentAp(ssid: string, psk: string): Promise<RunningAp> {
  return runAp(HOME_NS, OTHER_IFACE, { ssid, psk, channel: 11, dhcp: false }, HOME_POOL);
}

/** hostapd, and a DHCP server where one is wanted, on a radio of the namespace `ns`. */
export async function runAp(
  ns: string,
  iface: string,
  options: AccessPointOptions,
  pool: AddressPool,
): Promise<RunningAp> {
  const config = `/tmp/hostapd-${iface}.conf`;
  writeFileSync(config, hostapdConfig(iface, options), { mode: 0o600 });
  const children: ChildProcess[] = [
    daemon(`hostapd-${iface}`, "ip", "netns", "exec", ns, "hostapd", config),
  ];
  await until(`${ns}: AP enabled`, 20, async () => {
    const info = await run("ip", "netns", "exec", ns, "iw", "dev", iface, "info");
    return info.stdout.includes("type AP") && info.stdout.includes("ssid") ? true : undefined;
  });
  if (options.dhcp) {
    children.push(
      daemon(
        `dnsmasq-${ns}`,
        "ip",
        "netns",
        "exec",
        ns,
        "dnsmasq",
        "--no-daemon",
        "--conf-file=/dev/null",
        "--port=0",
        `--interface=${iface}`,
        "--bind-interfaces",
        `--dhcp-range=${pool.from},${pool.to},255.255.255.0,1h`,
        `--dhcp-option=3,${pool.router}`,
        `--dhcp-option=6,${pool.router}`,
        `--dhcp-leasefile=/tmp/${ns}.leases`,
        "--no-ping",
      ),
    );
  }
  return {
    stop: async () => {
      for (const child of children) await end(child);
    },
  };
}

/** Centre frequency in MHz of a 2.4 GHz channel. */
export function frequencyOf(channel: number): number {
  return channel === 14 ? 2484 : 2407 + 5 * channel;
}

/** `ssid2` takes the bytes as hex, so that any SSID can be served. */
function hostapdConfig(iface: string, options: AccessPointOptions): string {
  const lines = [
    `interface=${iface}`,
    "driver=nl80211",
    `ssid2=${Buffer.from(options.ssid).toString("hex")}`,
    "utf8_ssid=1",
    "hw_mode=g",
    `channel=${options.channel}`,
    "ctrl_interface=/run/hostapd",
  ];
  if (options.psk !== null) {
    lines.push(
      "wpa=2",
      "wpa_key_mgmt=WPA-PSK",
      "rsn_pairwise=CCMP",
      /^[0-9a-f]{64}$/.test(options.psk)
        ? `wpa_psk=${options.psk}`
        : `wpa_passphrase=${options.psk}`,
    );
  }
  return `${lines.join("\n")}\n`;
}

const NM_CONFIG = `[main]
plugins=keyfile
dhcp=internal
dns=none
[connectivity]
enabled=false
[keyfile]
unmanaged-devices=interface-name:wired*
[device-spare]
match-device=interface-name:wlan4
managed=0
`;

/** Starts D-Bus, wpa_supplicant and NetworkManager, which knows the home network. */
export async function startNetworkManager(): Promise<void> {
  writeFileSync("/etc/NetworkManager/NetworkManager.conf", NM_CONFIG);
  const profile = `/etc/NetworkManager/system-connections/${HOME_PROFILE.id}.nmconnection`;
  writeFileSync(
    profile,
    `[connection]\nid=${HOME_PROFILE.id}\nuuid=${HOME_PROFILE.uuid}\ntype=wifi\nautoconnect=true\n` +
      `[wifi]\nmode=infrastructure\nssid=${HOME_PROFILE.ssid}\n` +
      `[wifi-security]\nkey-mgmt=wpa-psk\npsk=${HOME_PROFILE.psk}\n` +
      "[ipv4]\nmethod=auto\n[ipv6]\nmethod=disabled\n",
  );
  chmodSync(profile, 0o600);
  mkdirSync("/run/dbus", { recursive: true });
  await must("dbus-uuidgen", "--ensure");
  await must("dbus-daemon", "--system", "--fork", "--nopidfile");
  // NetworkManager waits for udev, which the VM has none of, unless /sys is read-only.
  await must("mount", "-o", "remount,ro", "/sys");
  daemon(
    "wpa_supplicant",
    "wpa_supplicant",
    "-u",
    "-s",
    "-O",
    "DIR=/run/wpa_supplicant GROUP=root",
  );
  daemon("NetworkManager", "NetworkManager", "--debug");
  await atHome(90);
}

/** Waits until the laptop's first radio is connected to the home network. */
export async function atHome(limitS: number): Promise<void> {
  await until("the laptop is on its home network", limitS, async () => {
    const status = await run("nmcli", "-t", "-f", "DEVICE,STATE,CONNECTION", "device");
    const wanted = `${LAPTOP_IFACE}:connected:${HOME_PROFILE.id}`;
    return status.stdout.split("\n").includes(wanted) ? true : undefined;
  });
}
