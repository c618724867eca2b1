// Knocks at the doors in its arguments (host:port) for as long as its input is open, each time with a POST that would
// reset a board, and prints how often it was let in and how often it got a word back.
import { connect } from "node:net";

const REQUEST = (host) =>
  `POST /reset HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{"scope":"all"}`;
const counts = { attempts: 0, connected: 0, answered: 0 };
let isOver = false;

function knock(host, port) {
  return new Promise((resolve) => {
    counts.attempts++;
    const socket = connect(port, host);
    socket.setTimeout(500, () => socket.destroy());
    socket.on("connect", () => {
      counts.connected++;
      socket.write(REQUEST(host));
    });
    socket.once("data", () => {
      counts.answered++;
    });
    socket.on("error", () => {});
    socket.on("close", resolve);
  });
}

async function knockOn(door) {
  const [host, port] = door.split(":");
  while (!isOver) await knock(host, Number(port));
}

process.stdin.resume().on("end", () => {
  isOver = true;
});
process.stdout.on("error", () => process.exit(0)); // nobody wants to know any more
process.stdout.write("knocking\n");
await Promise.all(process.argv.slice(2).map(knockOn));
process.stdout.write(`${JSON.stringify(counts)}\n`);
