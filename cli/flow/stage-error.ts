import { ProvError } from "../errors.js";

/** The part of an error that belongs into a report: no cause, no stack. */
export function toStageError(error: unknown): { code: string; message: string } {
  if (error instanceof ProvError) return { code: error.code, message: error.message };
  return { code: "internal", message: error instanceof Error ? error.message : String(error) };
}
