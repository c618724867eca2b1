import { ProvError } from "../errors.js";
import { reasonOf, systemError } from "../system-error.js";

/** The part of an error that belongs into a report: no cause, no stack. */
export function toStageError(error: unknown): { code: string; message: string } {
  const known = error instanceof ProvError ? error : systemError(error);
  if (known) return { code: known.code, message: known.message };
  return { code: "internal", message: reasonOf(error) };
}
