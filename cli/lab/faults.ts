import { z } from "zod";
import { ProvError } from "../errors.js";

/** How often, then all is well again; without it, until the faults are changed. */
const times = z.int().positive().optional();

/** How a route of the dev backend misbehaves; what it does before that is as always. */
const routeFaultSchema = z.strictObject({
  route: z.enum(["/sign-csr", "/renew-csr", "/device-report"]),
  kind: z.enum([
    "serve", // does what is right (for use with `times`, before another fault)
    "status", // refuses with `status`, in the contract's form, and does nothing else
    "page", // answers as a firewall or proxy does: `status` (default 403) with a page of HTML
    "redirect", // answers `status` (default 302) and the address of a route that is not there
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
  /** With `kind: "status"`, "page" or "redirect"; with "serve", what a success has in place of 200. 100 to 599. */
  status: z.int().min(100).max(599).optional(),
  /** Answers of that status that come before, one after the other, unasked. */
  informational: z.array(z.int().min(100).max(199)).max(8).optional(),
  times,
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
    "tls13_only", // it speaks no older TLS
    "no_common_cipher", // it offers suites that nobody has who has an ECDSA key
    "no_common_signature", // it wants signatures of an algorithm that no device has
    "no_certificate", // it has none to show
  ]),
});

/** How a server cuts connections off below TLS, whoever opens them. Not for mosquitto. */
const connectionFaultSchema = z.strictObject({
  connection: z.enum(["backend", "broker"]),
  kind: z.enum([
    "close", // FIN
    "reset", // RST
    "silence", // says nothing from then on, and keeps the connection
    "alert", // a fatal TLS alert of the number `alert`, then FIN
    "garbage", // something that is no TLS, then FIN
  ]),
  /** When: at once, after the client's first words, or (the default) after those that show its certificate. */
  moment: z.enum(["accept", "hello", "certificate"]).optional(),
  /** With `kind: "alert"`. */
  alert: z.int().min(0).max(255).optional(),
  times,
});

/** What the embedded broker does with MQTT packets; what it does with the others is as always. */
const packetFaultSchema = z.strictObject({
  /** `delivery` is a PUBLISH of the broker's own. */
  packet: z.enum(["connect", "publish", "subscribe", "delivery"]),
  kind: z.enum([
    "serve", // does what is right (for use with `closeAfterMs`)
    "ignore", // takes it and never answers
    "answer", // sends `bytes` for an answer, and takes nothing more of this connection
    "acknowledge", // a PUBLISH: acknowledges and forgets it
    "forget_retain", // a PUBLISH: passes it on as if RETAIN were not set
    "set_retain", // a PUBLISH: passes it on as if RETAIN were set
  ]),
  /** With `kind: "answer"`: hexadecimal. */
  bytes: z
    .string()
    .regex(/^([0-9a-f]{2})*$/)
    .optional(),
  /** Then closes the connection, so much later. */
  closeAfterMs: z.int().min(0).max(60_000).optional(),
  /** How it closes: close_notify and FIN (the default), FIN alone, or RST. */
  closing: z.enum(["close", "cut", "reset"]).optional(),
  /** Whose packets; default those of devices. */
  clients: z.enum(["devices", "operator"]).optional(),
  /** Only packets of those whose certificate the broker saw for the first time after it got this fault. */
  onlyNewCertificates: z.boolean().optional(),
  times,
});

export const labFaultsSchema = z.array(
  z.union([routeFaultSchema, serverFaultSchema, connectionFaultSchema, packetFaultSchema]),
);

export type RouteFault = z.infer<typeof routeFaultSchema>;
export type ServerFault = z.infer<typeof serverFaultSchema>;
export type ConnectionFault = z.infer<typeof connectionFaultSchema>;
export type PacketFault = z.infer<typeof packetFaultSchema>;
export type LabFault = RouteFault | ServerFault | ConnectionFault | PacketFault;

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

export function isServerFault(fault: LabFault): fault is ServerFault {
  return "server" in fault;
}

export function isConnectionFault(fault: LabFault): fault is ConnectionFault {
  return "connection" in fault;
}

export function isPacketFault(fault: LabFault): fault is PacketFault {
  return "packet" in fault;
}

export function createFaultBox<T extends { readonly times?: number | undefined }>() {
  let queue: { fault: T; left: number }[] = [];
  return {
    set(faults: readonly T[]): void {
      queue = faults.map((fault) => ({ fault, left: fault.times ?? Number.POSITIVE_INFINITY }));
    },
    /** The first fault that is meant and not used up, if any; counts it. */
    take(isMeant: (fault: T) => boolean): T | null {
      const entry = queue.find(({ fault, left }) => left > 0 && isMeant(fault));
      if (entry === undefined) return null;
      entry.left -= 1;
      return entry.fault;
    },
  };
}
