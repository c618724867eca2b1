/** How long a run of `prov status` takes on a machine that does nothing else. */
const USUAL_RUN_MS = 7000;
/** The load may grow after it was measured. */
const MARGIN = 1.5;

/** The board's processes inherit what was measured. */
const VARIABLE = "WIFI_LAB_RUN_MS";

/** Bounds follow from how long one run took on this machine, now. */
export function setPace(measuredMs: number): void {
  process.env[VARIABLE] = String(measuredMs);
}

/** How long one run takes here. */
export function runLengthMs(): number {
  return Number(process.env[VARIABLE] ?? USUAL_RUN_MS);
}

/** A bound that would do on a machine that does nothing else, as long as it has to be on this one. */
export function slowly(bound: number): number {
  return Math.round(bound * Math.max(1, (MARGIN * runLengthMs()) / USUAL_RUN_MS));
}
