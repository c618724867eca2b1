import { BACKEND_LIMIT_ROWS } from "./limits.js";
import { fillBetween, markdownTable } from "./markdown.js";

/** The written contract between device and backend, relative to the project root. */
export const BACKEND_CONTRACT_PATH = "docs/backend-contract.md";

/** The text with the table of its limits, between its markers. */
export function fillBackendLimits(text: string): string {
  const head = ["what", "at most", "longer"];
  return fillBetween(text, "backend-limits", markdownTable(head, BACKEND_LIMIT_ROWS));
}
