// The first of the modules: what is constant there is written into the script as it stands.
export const WORDS = "{{words}}";
export const REQUEST_TIMEOUT_MS = 8000;
export const POLL_MS = 1500;
export const MISSES_TO_MENTION = 3;
export const RESCAN_MS = 2500;
export const RESCAN_TRIES = 8;
