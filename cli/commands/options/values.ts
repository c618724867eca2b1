import { CommanderError, InvalidArgumentError } from "commander";
import { boardUrlFlaw, ssidFlaw } from "../../device/credential-rules.js";
import { parseNetworkSpec } from "../../serial/link.js";

/** A serial port; the address of one on another machine has to be whole. @throws ProvError usage */
export function port(value: string): string {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(value)) parseNetworkSpec(value);
  return value;
}

/** The ports of an option that may be given several times. */
export function collectPorts(value: string, previous: string[] = []): string[] {
  return [...previous, port(value)];
}

export function positiveInteger(value: string): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number) || number <= 0)
    throw new InvalidArgumentError("not a positive whole number");
  return number;
}

/** It names a folder and, in the lab's messages, a flag's value. */
export function labName(value: string): string {
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(value))
    throw new InvalidArgumentError("a lab's name is 1 to 64 of A-Z, a-z, 0-9, _ and -");
  return value;
}

/** The lab that `--lab [name]` means; undefined without it. */
export function labNameOf({ lab }: { readonly lab?: string | true }): string | undefined {
  return lab === true ? "default" : lab;
}

/** A duration; Node's timers take no more than 24 days and fire at once when asked for more. */
export function seconds(value: string): number {
  const number = Number(value);
  if (!(number > 0 && number <= MOST_SECONDS))
    throw new InvalidArgumentError(`not a number of seconds between 0 and ${MOST_SECONDS}`);
  return number;
}

/** The name of a WiFi network, in as many bytes as one can have. */
export function ssid(value: string): string {
  const flaw = ssidFlaw(value);
  if (flaw !== undefined) throw new InvalidArgumentError(`It ${flaw}.`);
  return value;
}

export function boardUrl(value: string): string {
  const flaw = boardUrlFlaw(value);
  // commander quotes the value of an InvalidArgumentError, and this one may hold a password.
  if (flaw !== undefined) throw new CommanderError(2, "prov.url", `--url ${flaw}`);
  return value;
}

const MOST_SECONDS = 1_000_000;
