import { z } from "zod";
import { ProvError } from "../errors.js";

/** How a route of the dev backend misbehaves; what it does before that is as always. */
const routeFaultSchema = z.strictObject({
  route: z.enum(["/sign-csr", "/renew-csr", "/device-report"]),
  kind: z.enum([
    "status", // answers `status` and does nothing else
    "hang", // takes the request and never answers
    "close", // takes the request and closes the connection
    "lose_reply", // does its work, then closes the connection without an answer
    "truncated_json", // sends half of the right answer with the right length for half
    "foreign_certificate", // a good certificate, for somebody else's key
    "foreign_name", // a good certificate for the right key with another device's name
    "wrong_ca", // the right certificate with a CA that did not sign it
    "expired_certificate", // one that ended an hour ago
    "new_ca", // one of a CA that the broker does not know yet, with the old CA beside the new one
  ]),
  /** With `kind: "status"`; 100 to 599. */
  status: z.int().min(100).max(599).optional(),
  /** How often, then all is well again; without it, until the faults are changed. */
  times: z.int().positive().optional(),
});

/** How a server as a whole misbehaves, until the faults are changed. */
const serverFaultSchema = z.strictObject({
  server: z.enum(["backend", "broker"]),
  kind: z.enum([
    "untrusted", // its certificate is signed by another CA
    "expired", // its certificate ended an hour ago
    "wrong_host", // its certificate names another host
    "down", // nothing listens on its port
    "revoked", // it has a list that takes back every device certificate signed so far
  ]),
});

export const labFaultsSchema = z.array(z.union([routeFaultSchema, serverFaultSchema]));

export type RouteFault = z.infer<typeof routeFaultSchema>;
export type ServerFault = z.infer<typeof serverFaultSchema>;
export type LabFault = RouteFault | ServerFault;

/** @throws ProvError lab_failed, naming the entry */
export function checkFaults(raw: unknown): LabFault[] {
  const parsed = labFaultsSchema.safeParse(raw);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const where = issue?.path.join(".") ?? "";
  throw new ProvError("lab_failed", `faults: ${where}: ${issue?.message ?? "not valid"}`);
}

export function isRouteFault(fault: LabFault): fault is RouteFault {
  return "route" in fault;
}

export interface FaultBox {
  set(faults: readonly RouteFault[]): void;
  /** The fault that this request gets, if any; counts it. */
  take(route: string): RouteFault | null;
}

export function createFaultBox(): FaultBox {
  let queue: { fault: RouteFault; left: number }[] = [];
  return {
    set(faults) {
      queue = faults.map((fault) => ({ fault, left: fault.times ?? Number.POSITIVE_INFINITY }));
    },
    take(route) {
      const entry = queue.find(({ fault, left }) => fault.route === route && left > 0);
      if (entry === undefined) return null;
      entry.left -= 1;
      return entry.fault;
    },
  };
}
