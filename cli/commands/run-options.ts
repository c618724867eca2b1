import type { Sanitizer } from "../lab/stages/build-host.js";
import type { BoardOptions } from "./board-options.js";
import type { BrokerOptions } from "./broker-options.js";
import type { CredentialOptions } from "./credentials.js";
import type { ReportOptions } from "./stage-report.js";

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
