import { connect, type Socket } from "node:net";

/** What a server answered on a connection, byte by byte. */
export interface RawAnswer {
  /** 0 when it closed the connection without a word. */
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/** A connection that a client keeps in its own hands. */
export interface RawClient {
  readonly socket: Socket;
  /** Resolves when the server has closed it; what it had said until then. */
  readonly closed: Promise<RawAnswer>;
}

export function rawClient(base: string): RawClient {
  const { hostname, port } = new URL(base);
  const socket = connect(Number(port || 80), hostname);
  const chunks: Buffer[] = [];
  socket.on("data", (chunk) => chunks.push(chunk));
  socket.on("error", () => {}); // a reset ends it, too
  const closed = new Promise<RawAnswer>((resolve) =>
    socket.once("close", () => resolve(parse(Buffer.concat(chunks).toString("latin1")))),
  );
  return { socket, closed };
}

/** The whole answer to what was sent, in however many pieces it comes, or what came before the end of the connection. */
export function answerOf({ socket, closed }: RawClient): Promise<RawAnswer> {
  const answered = new Promise<RawAnswer>((resolve) => {
    let seen = "";
    socket.on("data", (chunk) => {
      seen += chunk.toString("latin1");
      if (isWhole(seen)) resolve(parse(seen));
    });
  });
  return Promise.race([answered, closed]);
}

/** Sends a request as it is, and waits for the whole answer or the end of the connection. */
export async function rawRequest(base: string, text: string): Promise<RawAnswer> {
  const client = rawClient(base);
  const answered = answerOf(client);
  client.socket.write(text, "latin1");
  const answer = await answered;
  client.socket.destroy();
  return answer;
}

function isWhole(text: string): boolean {
  const { head, body } = parse(text);
  const length = /^content-length: (\d+)$/im.exec(head)?.[1];
  if (length !== undefined) return body.length >= Number(length);
  return body.endsWith("0\r\n\r\n");
}

function parse(text: string): RawAnswer {
  const [head = "", ...body] = text.split("\r\n\r\n");
  return { status: Number(head.split(" ")[1] ?? 0), head, body: body.join("\r\n\r\n") };
}
