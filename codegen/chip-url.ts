/** URLs and host names as the device judges them: http_parser 2.7.0, strict, then lwIP's resolver. */

/** What http_parser_parse_url() finds; a part that is empty is not there. */
export type UrlParts = Partial<Record<(typeof PARTS)[number], string>>;

const PARTS = ["schema", "userinfo", "host", "port", "path", "query", "fragment"] as const;

const CHAR = String.raw`[\x21\x22\x24-\x3e\x40-\x7e]`;
const AUTHORITY = [
  String.raw`(?:(?<userinfo>[A-Za-z0-9\-_.!~*'()%;:&=+$,]*)@)?`,
  String.raw`(?:(?<name>[A-Za-z0-9.-]+)|\[(?<ipv6>[0-9A-Fa-f:.]+(?:%[A-Za-z0-9%.\-_~]+)?)\])`,
  "(?::(?<port>[0-9]+))?",
].join("");
const WITH_SCHEMA = new RegExp(
  `^(?<schema>[A-Za-z]+)://${AUTHORITY}(?:(?<path>/${CHAR}*)?(?:[?](?<query>(?:${CHAR}|[?])*))?)(?<tail>#.*)?$`,
);
const WITHOUT_SCHEMA = new RegExp(
  `^(?<path>[/*]${CHAR}*)(?:[?](?<query>(?:${CHAR}|[?])*))?(?<tail>#.*)?$`,
);
const FRAGMENT = new RegExp(`^#+(?<fragment>(?:${CHAR}|[?#])*)$`);

/** The parts that the device's parser finds, or undefined when it refuses the URL. */
export function parseChipUrl(url: string): UrlParts | undefined {
  if (url === "") return {};
  const found = (WITH_SCHEMA.exec(url) ?? WITHOUT_SCHEMA.exec(url))?.groups;
  if (!found || Number(found.port ?? 0) > 65_535) return undefined;
  const tail = found.tail === undefined ? undefined : FRAGMENT.exec(found.tail)?.groups;
  // A fragment can follow a path or a query, not a host.
  const hasPlace = found.path !== undefined || found.query !== undefined;
  if (found.tail !== undefined && (!tail || !hasPlace)) return undefined;
  const all = { ...found, ...tail, host: found.name ?? found.ipv6 } as UrlParts;
  return Object.fromEntries(PARTS.filter((part) => all[part]).map((part) => [part, all[part]]));
}

const NAME_MAX_BYTES = 253;
const LABEL_MAX_BYTES = 63;

/** Why the device cannot reach a host of that name or address; undefined when it can. */
export function hostFlaw(host: string): string | undefined {
  if (/[^\x21-\x7e]/.test(host)) return nonAsciiFlaw(host);
  if (/[[\]]|:.*:/.test(host)) {
    return "an IPv6 address is of no use: the firmware gives its WiFi station none";
  }
  if (host.includes("%")) return "a host has no percent escapes";
  const labels = host.split(".");
  if (labels.includes("")) return "a host has no empty part before, between or behind its dots";
  if (/^\d+$/.test(labels.at(-1) ?? "") && !isIpv4(labels)) return "that is no IPv4 address";
  if (host.length > NAME_MAX_BYTES) return `a host has at most ${NAME_MAX_BYTES} bytes`;
  if (labels.some((label) => label.length > LABEL_MAX_BYTES)) {
    return `between the dots of a host are at most ${LABEL_MAX_BYTES} bytes`;
  }
  return undefined;
}

/** Why the device takes no such URL, where there is more to say than that it does not; undefined when it takes it. */
export function urlFlaw(url: string): string | undefined {
  const authority = /^[A-Za-z]+:\/\/([^/?#]*)/.exec(url)?.[1] ?? "";
  if (authority.includes("@")) return "a user name has no place in it";
  const [, host = "", port] = /^(\[[^\]]*\]|[^:]*|.*:.*)(?::(\d+))?$/.exec(authority) ?? [];
  const flaw = host === "" ? undefined : hostFlaw(host);
  if (flaw) return flaw;
  if (host.includes("_")) return 'ESP-IDF takes no "_" in the host of a URL';
  const isPort = port === undefined || (Number(port) >= 1 && Number(port) <= 65_535);
  return isPort ? undefined : "a port is 1–65535";
}

function isIpv4(labels: readonly string[]): boolean {
  const isByte = (label: string) => /^(0|[1-9]\d{0,2})$/.test(label) && Number(label) <= 255;
  return labels.length === 4 && labels.every(isByte);
}

function nonAsciiFlaw(host: string): string {
  const url = `https://${host}`;
  const ascii = URL.canParse(url) ? new URL(url).hostname : "";
  const hint = ascii.startsWith("xn--") || ascii.includes(".xn--") ? `: ${ascii}` : "";
  return `a host is ASCII; names in other letters are written in punycode${hint}`;
}
