import type { ReportOptions } from "../../flow/stage-report.js";
import type { Sanitizer } from "../../lab/stages/build-host.js";
import type { BoardOptions } from "./board.js";
import type { BrokerOptions } from "./broker.js";
import type { CredentialOptions } from "./credentials.js";

export interface RunOptions
  extends Omit<BoardOptions, "lab">,
    CredentialOptions,
    BrokerOptions,
    ReportOptions {
  port?: string;
  broker?: "embedded" | "mosquitto";
  sanitize?: Sanitizer;
  /** Default 460800. */
  baud?: number;
  yesBurnEfuses?: boolean;
}
