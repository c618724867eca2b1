import { ProvError } from "../../errors.js";
import { poll } from "../../time/wait.js";
import { apNotFound } from "../../wifi/access-point.js";
import type { AccessPoint, ApTarget, HostWifi } from "../../wifi/host-wifi.js";
import { type AnnouncedAp, listAnnouncedAps, passwordOpensAp } from "./air-file.js";

/**
 * The lab's air: the APs that virtual boards announce in `airDir`. The password is checked the way
 * WPA2 does (the key derived from it must match), and only then is the board's address handed out.
 */
export function virtualWifi(airDir: string, options: { pollIntervalMs?: number } = {}): HostWifi {
  const intervalMs = options.pollIntervalMs ?? 100;
  let joined: string | null = null;
  return {
    kind: "virtual",
    scan: async () => listAnnouncedAps(airDir).map(toAccessPoint),
    join: async (target, password, { signal }) => {
      const onTimeout = apNotFound(target.ssid);
      const find = async () => findAnnounced(airDir, target);
      const ap = await poll(find, { intervalMs, signal, onTimeout });
      if (!passwordOpensAp(ap, password)) {
        throw new ProvError("ap_wrong_password", `${JSON.stringify(ap.ssid)} refused the password`);
      }
      joined = ap.ssid;
      return { ssid: ap.ssid, baseUrl: ap.baseUrl.replace(/\/+$/, "") };
    },
    leave: async () => {
      const left = joined;
      joined = null;
      return {
        changed: left !== null,
        restored: true,
        network: null,
        message: left === null ? "no AP had been joined" : `left ${JSON.stringify(left)}`,
      };
    },
  };
}

function findAnnounced(airDir: string, target: ApTarget): AnnouncedAp | undefined {
  const wanted = "bssid" in target ? target.bssid : null;
  return listAnnouncedAps(airDir).find(
    (ap) => ap.ssid === target.ssid && (wanted === null || ap.bssid.toLowerCase() === wanted),
  );
}

function toAccessPoint(ap: AnnouncedAp): AccessPoint {
  return {
    ssid: ap.ssid,
    bssid: ap.bssid.toLowerCase(),
    channel: ap.channel,
    rssiDbm: null,
    secure: ap.pmk !== null,
  };
}
