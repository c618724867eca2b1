/** Shorter ones would blot out half the log and protect nothing. */
const SECRET_MIN_LENGTH = 4;

/** Replaces each secret by stars. */
export function createMask(secrets: readonly string[]): (text: string) => string {
  const worthy = secrets
    .filter(({ length }) => length >= SECRET_MIN_LENGTH)
    .sort((a, b) => b.length - a.length);
  return (text) => worthy.reduce((masked, secret) => masked.replaceAll(secret, "***"), text);
}
