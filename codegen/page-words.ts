import { DEVICE_FAILURES } from "./failures.js";
import { LIMITS } from "./limits.js";
import { REFUSALS, type Refusal } from "./refusals.js";
import { DEVICE_STATES } from "./states.js";

/**
 * What the device's page says, in words for somebody with a phone and no manual. The page's script and
 * the answers that the firmware writes for browsers without scripts both get them from here.
 */

/** Each state of the device. */
export const STATE_WORDS = column(DEVICE_STATES);

/** Each way it can fail: what happened, and what the person can do about it. */
export const FAILURE_WORDS = column(DEVICE_FAILURES);

/** Each field of the form when it was refused. */
export const FIELD_WORDS: Readonly<Record<string, string>> = {
  ssid: `Enter the name of your WiFi, at most ${LIMITS.ssidMaxBytes} characters. Accented letters count twice or more.`,
  password: `A WiFi password has ${LIMITS.passphraseMinBytes} to ${LIMITS.passphraseMaxBytes} characters. Leave it empty only if your WiFi has none.`,
  provisioning_token: "Enter the provisioning token. It has no spaces.",
  pairing_secret: "Enter the pairing secret that belongs to this device.",
};

/** The other ways in which the device refuses a request. */
export const REFUSAL_WORDS = column(
  Object.fromEntries(
    Object.entries<Refusal>(REFUSALS).flatMap(([code, { words }]) =>
      words ? [[code, { words }]] : [],
    ),
  ),
);

function column<Name extends string>(
  table: Readonly<Record<Name, { readonly words: string }>>,
): Readonly<Record<Name, string>> {
  const rows = Object.entries<{ readonly words: string }>(table);
  return Object.fromEntries(rows.map(([name, { words }]) => [name, words])) as Record<Name, string>;
}
