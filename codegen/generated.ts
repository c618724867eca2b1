import { BACKEND_CONTRACT_PATH, fillBackendContract } from "./backend-contract.js";
import { BUTTON_PINS_PATH, CI_PATH, emitButtonPins, fillCiMatrix } from "./chip-files.js";
import { emitManifestTypes, MANIFEST_TYPES_PATH } from "./emit-types.js";
import { emitFailureInc, FAILURE_INC_PATH } from "./failure-inc.js";
import { emitKconfig, KCONFIG_PATH } from "./kconfig.js";
import { emitLimitsHeader, LIMITS_HEADER_PATH } from "./limits.js";
import { fillNvsRoom, NVS_ROOM_PATH } from "./nvs-room.js";
import { emitRefusalsHeader, REFUSALS_HEADER_PATH } from "./refusals.js";
import { emitStatesInc, STATES_INC_PATH } from "./states.js";
import { emitMbedtlsConfig, MBEDTLS_CONFIG_PATH } from "./tls-offer.js";

/**
 * The committed files that follow from the tables, each with what it should be, given what it is. The page
 * (page.ts) and the README (cli/readme.ts) are not among them: one is compressed, the other takes the commands.
 */
export const GENERATED: readonly {
  /** Relative to the project root. */
  readonly path: string;
  readonly fill: (current: string) => string;
}[] = [
  { path: FAILURE_INC_PATH, fill: () => emitFailureInc() },
  { path: STATES_INC_PATH, fill: () => emitStatesInc() },
  { path: REFUSALS_HEADER_PATH, fill: () => emitRefusalsHeader() },
  { path: LIMITS_HEADER_PATH, fill: emitLimitsHeader },
  { path: MBEDTLS_CONFIG_PATH, fill: emitMbedtlsConfig },
  { path: BUTTON_PINS_PATH, fill: emitButtonPins },
  { path: KCONFIG_PATH, fill: emitKconfig },
  { path: MANIFEST_TYPES_PATH, fill: emitManifestTypes },
  { path: CI_PATH, fill: fillCiMatrix },
  { path: NVS_ROOM_PATH, fill: fillNvsRoom },
  { path: BACKEND_CONTRACT_PATH, fill: fillBackendContract },
];
