import { findTarget, TARGETS, type Target } from "../../../codegen/chips.js";
import { ProvError } from "../../errors.js";

/** Accepts `esp32c3`, `c3` and `host`. @throws ProvError usage */
export function parseTarget(given: string | undefined): Target | undefined {
  if (given === undefined) return undefined;
  const found = findTarget(given);
  if (!found)
    throw new ProvError("usage", `--target: expected one of ${TARGETS.join(", ")}, got "${given}"`);
  return found;
}
