import { LIMITS } from "./limits.js";
import { fillBetween, markdownTable } from "./markdown.js";

/**
 * ESP-IDF, "Non-Volatile Storage Library", Internals: a page of 4096 bytes has 126 entries of 32; of the partition's
 * pages one is kept empty. A blob is an index and chunks that fill what is left of a page, each behind an entry of
 * its own.
 */
const ENTRY_BYTES = 32;
const ENTRIES_PER_PAGE = 126;
const PAGES = 0x6000 / 4096 - 1;

/** What there is room for in `nvs` of firmware/partitions.csv. */
export const NVS_ENTRIES = PAGES * ENTRIES_PER_PAGE;

/** What a record takes in its least favourable place; prov_records.c says how texts lie in one. */
function record(...texts: readonly number[]): number {
  return blob(texts.reduce((bytes, text) => bytes + 2 + text + 1, 1));
}

function blob(bytes: number): number {
  const entries = Math.ceil(bytes / ENTRY_BYTES);
  const chunks = Math.ceil(entries / (ENTRIES_PER_PAGE - 1)) + 1;
  return entries + chunks + 1;
}

const { ssidMaxBytes, rawKeyHexDigits, bearerMaxBytes } = LIMITS;
const { attemptIdMaxBytes, certificatesDerMaxBytes } = LIMITS;
const WIFI = [ssidMaxBytes, rawKeyHexDigits];
const SECRETS = [bearerMaxBytes, attemptIdMaxBytes];
/** certificate_record.c: a version, and three bytes before each certificate; of the longest chain that we know, four. */
const CERTIFICATES = blob(1 + 4 * 3 + certificatesDerMaxBytes);

/**
 * The fullest moment: a device that works has renewed its certificate, but not yet shown the new one to the broker. A
 * request that comes then with the longest token has no room; device_store.c says what goes for it.
 */
export const NVS_WORST_CASE: readonly (readonly [what: string, entries: number])[] = [
  ["`enrol`: Bearer and attempt in effect, the token spent", record(0, ...SECRETS)],
  ["`wifi`: in effect, and its successor while it is written", 2 * record(...WIFI)],
  ["`crt`: the certificate that works, its chain and the CA", CERTIFICATES],
  ["`crt_new`: the renewed one with its own", CERTIFICATES],
  ["`clock`, and its successor", 2 * blob(16)],
  ["the namespace `device_config`", 1],
  ["ESP-IDF's PHY calibration: namespace, version, MAC, 1904 bytes", 1 + 1 + blob(6) + blob(1904)],
];

/** Where the table stands, relative to the project root. */
export const NVS_ROOM_PATH = "CONTRIBUTING.md";

/** The text with the table as it follows from the limits, between its markers. */
export function fillNvsRoom(text: string): string {
  return fillBetween(text, "nvs", nvsRoomTable());
}

function nvsRoomTable(): string {
  const total = NVS_WORST_CASE.reduce((sum, [, entries]) => sum + entries, 0);
  const room = `room: ${PAGES} pages of ${ENTRIES_PER_PAGE} entries, ${NVS_ENTRIES * ENTRY_BYTES} bytes`;
  const rows = [...NVS_WORST_CASE, ["**together**", total] as const, [room, NVS_ENTRIES] as const];
  return markdownTable(
    ["what NVS holds at worst", "entries"],
    rows.map(([what, entries]) => [what, String(entries)]),
  );
}
