import { ESPError } from "esptool-js/lib/types/error.js";
import { Transport } from "esptool-js/lib/webserial.js";
import { optional } from "../optional.js";
import { pause } from "../time/wait.js";
import { DEFAULT_BAUD, type SerialLink } from "./link.js";
import { createSlipDecoder, encodeSlip } from "./slip.js";

/** The shortest reply: an 8-byte header and two bytes of status. */
const SHORTEST_REPLY = 10;
const QUIET_MS = 30;

/**
 * esptool-js's Transport over a SerialLink. It takes the place of nearly all of the original, which
 * is written for the browser's streams, polls, writes traces to the console whether tracing is on or
 * not, and loses track of DTR. A class because esptool-js wants one.
 */
export class LinkTransport extends Transport {
  readonly #link: SerialLink;
  readonly #signal: AbortSignal | undefined;
  readonly #stop: () => void;
  #frames: Uint8Array[] = [];
  #waiter: { resolve(frame: Uint8Array): void; reject(error: unknown): void } | undefined;
  #lines = { dtr: false, rts: false };

  constructor(link: SerialLink, signal?: AbortSignal) {
    super({ getInfo: () => ({}) } as unknown as ConstructorParameters<typeof Transport>[0]);
    this.#link = link;
    this.#signal = signal;
    this.baudrate = DEFAULT_BAUD;
    const decoder = createSlipDecoder((frame) => this.#take(frame), { keepBetween: true });
    const fail = (): void => this.#waiter?.reject(link.lost() ?? signal?.reason);
    const stops = [link.onData(decoder.feed), link.onLost(fail)];
    signal?.addEventListener("abort", fail);
    this.#stop = () => {
      for (const stop of stops) stop();
      signal?.removeEventListener("abort", fail);
    };
  }

  /** Stops listening; the link stays open. */
  release(): void {
    this.#stop();
  }

  override trace(): void {}

  override getInfo(): string {
    return this.#link.spec;
  }

  override getVid(): number | undefined {
    return this.#link.usb.vendorId;
  }

  override getPid(): number | undefined {
    return this.#link.usb.productId;
  }

  override async write(data: Uint8Array): Promise<void> {
    this.#signal?.throwIfAborted();
    await this.#link.write(encodeSlip(data));
  }

  /** The next frame that can be a reply; noise and boot messages between frames are passed over. */
  override read(timeoutMs: number): Promise<Uint8Array> {
    const failure = this.#signal?.aborted ? this.#signal.reason : this.#link.lost();
    if (failure) return Promise.reject(failure);
    const frame = this.#frames.shift();
    if (frame) return Promise.resolve(frame);
    return new Promise((resolve, reject) => {
      const finish = (): void => {
        clearTimeout(timer);
        this.#waiter = undefined;
      };
      const timer = setTimeout(() => {
        finish();
        reject(new ESPError("no answer"));
      }, timeoutMs);
      this.#waiter = {
        resolve: (reply) => {
          finish();
          resolve(reply);
        },
        reject: (error) => {
          finish();
          reject(error);
        },
      };
    });
  }

  #take(frame: Uint8Array): void {
    const isReply = frame[0] === 1 && frame.length >= SHORTEST_REPLY;
    const isGreeting = frame.length === 4 && Buffer.from(frame).toString("latin1") === "OHAI";
    if (!isReply && !isGreeting) return;
    if (this.#waiter) this.#waiter.resolve(frame);
    else this.#frames.push(frame);
  }

  override flushInput(): void {
    this.#frames = [];
  }

  /** Waits until nothing has come for a moment, and forgets what did. */
  override async drainInput(): Promise<void> {
    do {
      this.#frames = [];
      await pause(QUIET_MS);
    } while (this.#frames.length > 0);
  }

  override peek(): Uint8Array {
    return new Uint8Array();
  }

  override async readLoop(): Promise<void> {}

  override async connect(baud = DEFAULT_BAUD): Promise<void> {
    this.baudrate = baud;
    await this.#link.setBaud(baud);
  }

  override async changeBaudrate(baud: number): Promise<boolean> {
    await this.connect(baud);
    return false;
  }

  override async disconnect(): Promise<void> {}

  override setRTS(rts: boolean): Promise<void> {
    return this.#setLines({ rts });
  }

  override setDTR(dtr: boolean): Promise<void> {
    return this.#setLines({ dtr });
  }

  /** Remembers a lowered DTR as well as a raised one, so that a later setRTS cannot raise it again. */
  override setSignals(dtr?: boolean, rts?: boolean): Promise<void> {
    return this.#setLines(optional({ dtr, rts }));
  }

  async #setLines(change: { dtr?: boolean; rts?: boolean }): Promise<void> {
    this.#lines = { ...this.#lines, ...change };
    await this.#link.setLines(this.#lines);
  }
}
