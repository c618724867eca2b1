import type { GlobalOptions } from "../context.js";
import type { Sanitizer } from "../flow/build-host.js";

export interface RunOptions extends GlobalOptions {
  port?: string;
  broker: "embedded" | "mosquitto";
  sanitize?: Sanitizer;
  ssid?: string;
  password?: string;
  token?: string;
  bearer?: string;
  baud: number;
}
