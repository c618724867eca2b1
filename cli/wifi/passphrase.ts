import { isWpaPassword, LIMITS } from "../../codegen/limits.js";
import { ProvError } from "../errors.js";

export type KeyManagement = "wpa-psk" | "sae";

/** Refuses a password that no WPA network can have. Null and "" stand for an open AP. */
export function checkPassphrase(password: string | null): void {
  if (password === null || password === "" || isWpaPassword(password)) return;
  const { passphraseMinBytes: min, passphraseMaxBytes: max } = LIMITS;
  throw new ProvError(
    "ap_wrong_password",
    `an AP password has ${min} to ${max} bytes; the one given has ${Buffer.byteLength(password)}`,
  );
}

/**
 * How to join an AP whose security is described in words ("WPA2", "WPA2 WPA3", "WEP" …): null for an
 * open one, on which a password is of no use.
 */
export function chooseKeyManagement(
  ap: { ssid: string; security: string },
  password: string | null,
): KeyManagement | null {
  const name = JSON.stringify(ap.ssid);
  const words = ap.security.toUpperCase().split(/[\s/]+/);
  if (words.every((word) => word === "" || word === "--" || word === "OPEN")) return null;
  if (words.some((word) => word.includes("802.1X") || word === "WEP")) {
    throw new ProvError("wifi_failed", `${name} uses ${ap.security}, which no board's AP does`);
  }
  if (password === null || password === "") {
    throw new ProvError("ap_wrong_password", `${name} needs a password`);
  }
  const isPlainWpa = words.some((word) => /^WPA[12]?(-|$)/.test(word));
  return isPlainWpa ? "wpa-psk" : "sae";
}
