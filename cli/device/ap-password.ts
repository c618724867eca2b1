import { randomInt } from "node:crypto";
import { LIMITS } from "../../codegen/limits.js";
import { type DeviceManifest, PER_DEVICE } from "../../codegen/manifest.js";
import { DEFAULT_AP_PASSWORD } from "../../codegen/manifest-fields.js";
import type { Workspace } from "../config/workspace.js";
import { ProvError } from "../errors.js";
import { readIfPresent, SECRET_FILE, writeNew } from "../files/files.js";

/** Without 0, 1, i, l and o: people read it off a label and type it into a phone. */
const ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789";
const LENGTH = 12; // 59 bits
const USABLE = new RegExp(
  `^[\\x20-\\x7e]{${LIMITS.passphraseMinBytes},${LIMITS.passphraseMaxBytes}}$`,
);

/**
 * The manifest with the AP's password in the place of `"per-device"`. It is made once, and then kept: the board
 * has it too.
 * @param readOnly leaves the manifest as it is where there is none yet
 * @throws ProvError identity_invalid, file_inaccessible
 */
export function withApPassword(
  manifest: DeviceManifest,
  workspace: Workspace,
  readOnly: boolean,
): DeviceManifest {
  if (manifest.softAp.password !== PER_DEVICE) return manifest;
  const path = workspace.apPasswordPath;
  if (!readOnly) writeNew(path, `${makePassword()}\n`, SECRET_FILE);
  const password = readIfPresent(path)?.trimEnd();
  if (password === undefined) return manifest;
  if (!USABLE.test(password) || password === PER_DEVICE)
    throw new ProvError("identity_invalid", `${path} holds no password for an AP`, {
      hint: "Restore the old file, or delete it, run `prov keys` for a new one, and build and flash again.",
    });
  return { ...manifest, softAp: { ...manifest.softAp, password } };
}

function makePassword(): string {
  return Array.from({ length: LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join("");
}

/** What a neighbour needs to know to take over a device, when it is what everybody knows. */
export function openApWarnings({ softAp }: DeviceManifest): string[] {
  if (softAp.password !== DEFAULT_AP_PASSWORD || softAp.pairingSecret !== "") return [];
  return [
    "softAp.password is the default, which everybody knows, and there is no softAp.pairingSecret: whoever is near " +
      `can provision and reset the device. Set one of them; password: "${PER_DEVICE}" makes one for each device`,
  ];
}
