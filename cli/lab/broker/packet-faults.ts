import { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import { type EventSink, labEvent } from "../events.js";
import { createFaultBox, type PacketFault } from "../faults.js";
import { createFrameSplitter, type Frame, PACKET, pubackFor, withRetain } from "./mqtt-frames.js";
import { isStaff } from "./topic-rules.js";

/** Who is at the other end of a connection. */
export interface PacketPeer {
  /** The CN of its certificate. */
  readonly name: string | null;
  readonly serial: string;
}

/** Stands between TLS and the broker, passes packets on as they came, and does what the faults say. */
export function createPacketGuard(report: EventSink) {
  const box = createFaultBox<PacketFault>();
  const seen = new Set<string>();
  let known = new Set<string>();

  const take = (packet: PacketFault["packet"], { name, serial }: PacketPeer) => {
    const clients = isStaff(name) ? "operator" : "devices";
    const fault = box.take(
      (each) =>
        each.packet === packet &&
        (each.clients ?? "devices") === clients &&
        !(each.onlyNewCertificates === true && known.has(serial)),
    );
    if (fault !== null) report(labEvent("broker", name, packet, `fault_${fault.kind}`, serial));
    return fault;
  };

  return {
    set(faults: readonly PacketFault[]): void {
      known = new Set(seen);
      box.set(faults);
    },
    /** What the broker serves in place of `socket`; `reset` closes that with an RST. */
    wrap(socket: TLSSocket, peer: PacketPeer, reset: () => void): Duplex {
      seen.add(peer.serial);
      return relay(socket, { peer, reset, take, report });
    },
  };
}

interface Context {
  readonly peer: PacketPeer;
  readonly reset: () => void;
  readonly take: (packet: PacketFault["packet"], peer: PacketPeer) => PacketFault | null;
  readonly report: EventSink;
}

function relay(socket: TLSSocket, context: Context): Duplex {
  const { peer, take, report } = context;
  const split = { up: createFrameSplitter(), down: createFrameSplitter() };
  let isOver = false; // nothing of the client reaches the broker any more

  const act = (frame: Frame, fault: PacketFault): Buffer | null => {
    if (fault.closeAfterMs !== undefined) {
      setTimeout(() => close(socket, fault, context.reset), fault.closeAfterMs);
    }
    if (fault.kind === "answer") {
      isOver = true;
      socket.write(Buffer.from(fault.bytes ?? "", "hex"));
    } else if (fault.kind === "acknowledge") {
      const puback = pubackFor(frame);
      if (puback !== null) socket.write(puback);
    }
    return passedOn(frame, fault);
  };
  const fromClient = (frame: Frame): Buffer | null => {
    if (isOver) return null;
    if (frame.type === PACKET.connect) {
      report(labEvent("broker", peer.name, "certificate", "shown", peer.serial));
    } else if (frame.type === PACKET.disconnect) {
      report(labEvent("broker", peer.name, "goodbye", "ok"));
    }
    const fault = faultFor(frame, (packet) => take(packet, peer));
    return fault === null ? frame.bytes : act(frame, fault);
  };
  const toClient = (frame: Frame): Buffer | null => {
    const fault = frame.type === PACKET.publish ? take("delivery", peer) : null;
    return fault === null ? frame.bytes : act(frame, fault);
  };

  const stream = new Duplex({
    read: () => void socket.resume(),
    write(chunk, _encoding, done) {
      for (const frame of split.down(chunk)) socket.write(toClient(frame) ?? Buffer.alloc(0));
      done();
    },
    final(done) {
      socket.end(done);
    },
    destroy(error, done) {
      socket.destroy();
      done(error);
    },
  });
  socket.on("data", (chunk: Buffer) => {
    for (const frame of split.up(chunk)) {
      const bytes = fromClient(frame);
      if (bytes !== null && !stream.push(bytes)) socket.pause();
    }
  });
  socket.on("error", () => {}); // a cut connection is what "close" tells
  // Also for one that was reset: the broker still has to read what came before, a DISCONNECT, say.
  for (const end of ["end", "close"]) socket.on(end, () => stream.push(null));
  return stream;
}

function faultFor(
  { type }: Frame,
  take: (packet: PacketFault["packet"]) => PacketFault | null,
): PacketFault | null {
  if (type === PACKET.connect) return take("connect");
  if (type === PACKET.publish) return take("publish");
  return type === PACKET.subscribe ? take("subscribe") : null;
}

function passedOn(frame: Frame, { kind }: PacketFault): Buffer | null {
  if (kind === "serve") return frame.bytes;
  if (kind === "forget_retain") return withRetain(frame, false);
  return kind === "set_retain" ? withRetain(frame, true) : null;
}

function close(socket: TLSSocket, { closing }: PacketFault, reset: () => void): void {
  if (closing === "reset") reset();
  else if (closing === "cut") socket.destroy();
  else socket.end();
}
