import type { Chip } from "../../codegen/chips.js";
import type { Air } from "./air/air-file.js";
import type { LabBackend } from "./backend/backend.js";
import type { VirtualBoard } from "./board/virtual-board.js";
import type { LabBroker } from "./broker/broker.js";
import type { LabEvent } from "./events.js";
import type { LabFault } from "./faults.js";
import type { LabInfo } from "./lab-info.js";
import type { CertificateDates } from "./pki/authority.js";
import type { Stream } from "./stream.js";

export interface LabOptions {
  /** The lab's own folder, `.prov/lab/<name>` (see `labDir`); its last part is the lab's name. */
  readonly root: string;
  readonly deviceIds: readonly string[];
  /** Default `embedded`. */
  readonly broker?: "embedded" | "mosquitto";
  /** What the board pretends to be; default DEFAULT_LOADER_CHIP. */
  readonly chip?: Chip;
  /** Default: what the last run left, or a home and its neighbours. */
  readonly air?: Air;
  readonly certificateDates?: CertificateDates;
  /** Variables for the firmware's process (sanitizer options …). */
  readonly firmwareEnvironment?: Readonly<Record<string, string>>;
}

export interface Lab {
  readonly info: LabInfo;
  readonly backend: LabBackend;
  readonly broker: LabBroker;
  /** Off at first. */
  readonly board: VirtualBoard;
  /** What backend, broker and board saw. */
  readonly events: Stream<LabEvent>;
  readonly caPem: string;
  /** PEM of the identity that may read every device's topics; the paths are in `info.operator`. */
  readonly operator: { readonly certPem: string; readonly keyPem: string };
  /** A single-use provisioning token. @throws ProvError usage for an id that no device can have */
  issueToken(deviceId: string, length?: number): string;
  air(): Air;
  setAir(air: Air): void;
  /** Replaces all faults; an empty list mends everything. */
  setFaults(faults: readonly LabFault[]): Promise<void>;
  /** Ends every process and removes what must not outlive the lab; flash, CA and air stay. */
  stop(): Promise<void>;
}
