import { randomBytes } from "node:crypto";

/** How the names of prov's own profiles begin. */
const PREFIX = "prov-temporary-";

/** The names of all the profiles that prov makes, and may therefore delete. */
export const TEMPORARY_PROFILE = /^prov-temporary-[0-9a-f]{8}$/;

export function newProfileName(): string {
  return `${PREFIX}${randomBytes(4).toString("hex")}`;
}

export function isTemporaryProfile(name: string): boolean {
  return name.startsWith(PREFIX);
}
