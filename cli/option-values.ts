import { InvalidArgumentError } from "commander";

/** The values of an option that may be given several times. */
export function collect(value: string, previous: string[]): string[] {
  return [...previous, value];
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

/** A duration; Node's timers take no more than 24 days and fire at once when asked for more. */
export function seconds(value: string): number {
  const number = Number(value);
  if (!(number > 0 && number <= MOST_SECONDS))
    throw new InvalidArgumentError(`not a number of seconds between 0 and ${MOST_SECONDS}`);
  return number;
}

const MOST_SECONDS = 1_000_000;
