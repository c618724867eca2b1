import type { Server, Socket } from "node:net";
import { Duplex } from "node:stream";
import { type EventSink, labEvent } from "../events.js";
import { type ConnectionFault, createFaultBox } from "../faults.js";

/** RFC 5246, 6.2.1 and 7.2: a record of TLS 1.2 with an alert of the level "fatal". */
const alertRecord = (alert: number): Buffer => Buffer.from([21, 3, 3, 0, 2, 2, alert]);
const HANDSHAKE_FAILURE = 40;
const GARBAGE = "HTTP/1.1 400 Bad Request\r\n\r\n";

/** Stands before a TLS server, which has no connection yet, and keeps from it those that get a fault. */
export function guardConnections(server: Server, report: EventSink) {
  const box = createFaultBox<ConnectionFault>();
  const serve = server.listeners("connection");
  server.removeAllListeners("connection");
  server.on("connection", (socket: Socket) => {
    const fault = box.take(() => true);
    if (fault !== null) report(labEvent(fault.connection, null, "connect", `fault_${fault.kind}`));
    const stream = fault === null ? socket : misbehave(socket, fault);
    if (stream !== null) for (const listener of serve) listener.call(server, stream);
  });
  return { set: box.set };
}

/** @returns what is left for the server to serve, if anything */
function misbehave(socket: Socket, fault: ConnectionFault): Duplex | null {
  const moment = fault.moment ?? "certificate";
  socket.on("error", () => {});
  if (moment === "certificate") return untilSecondFlight(socket, () => end(socket, fault));
  if (moment === "accept") end(socket, fault);
  else socket.once("data", () => end(socket, fault));
  return null;
}

function end(socket: Socket, { kind, alert }: ConnectionFault): void {
  socket.resume(); // what is left unread would turn a FIN into an RST
  if (kind === "reset") socket.resetAndDestroy();
  else if (kind === "close") socket.end();
  else if (kind === "alert") socket.end(alertRecord(alert ?? HANDSHAKE_FAILURE));
  else if (kind === "garbage") socket.end(GARBAGE);
}

/** Passes everything on until the client answers the server's first words: that is where it shows its certificate. */
function untilSecondFlight(socket: Socket, act: () => void): Duplex {
  let hasAnswered = false;
  let isOver = false;
  const stream = new Duplex({
    read: () => {},
    write(chunk, _encoding, done) {
      hasAnswered = true;
      if (isOver) done();
      else socket.write(chunk, () => done());
    },
    destroy(error, done) {
      if (!isOver) socket.destroy();
      done(error);
    },
  });
  socket.on("data", (chunk) => {
    if (isOver) return;
    if (!hasAnswered) stream.push(chunk);
    else {
      isOver = true;
      act();
    }
  });
  socket.on("close", () => stream.destroy());
  return stream;
}
