import { createHash } from "node:crypto";

const HEX_DIGITS = 16;

/** Which network a device is on, as its status message and its log tell it; `firmware/main/ssid_digest.h`. */
export function ssidDigest(deviceId: string, ssid: string): string {
  return createHash("sha256")
    .update(`${deviceId}\0${ssid}`, "utf8")
    .digest("hex")
    .slice(0, HEX_DIGITS);
}
