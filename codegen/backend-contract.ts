import { RSA_BITS } from "./certificate-rules.js";
import { BACKEND_LIMIT_ROWS } from "./limits.js";
import { deviceSchema } from "./manifest-fields.js";
import { fillBetween, markdownTable } from "./markdown.js";
import { SDKCONFIG_SYMBOLS } from "./sdkconfig-table.js";
import { CURVES, TLS_SUITES } from "./tls-offer.js";

/** The written contract between device and backend, relative to the project root. */
export const BACKEND_CONTRACT_PATH = "docs/backend-contract.md";

/** Its tables that follow from the code, by the names of their markers. */
const TABLES: Readonly<Record<string, () => string>> = {
  "backend-limits": () => markdownTable(["what", "at most", "longer"], BACKEND_LIMIT_ROWS),
  "backend-pauses": pauseTable,
  "backend-tls": tlsTable,
};

/** The text with its tables, each between its markers. */
export function fillBackendContract(text: string): string {
  return Object.entries(TABLES).reduce(
    (filled, [name, table]) => fillBetween(filled, name, table()),
    text,
  );
}

/** How long a device waits and how often it tries, as the firmware's sdkconfig has it. */
function pauseTable(): string {
  const defaults = deviceSchema.parse({ id: "any", target: "host" });
  const symbols = SDKCONFIG_SYMBOLS.filter(({ name }) =>
    /^CONFIG_PROV_BACKEND_.*(_MS|_ATTEMPTS)$/.test(name),
  );
  const rows = symbols.map(({ name, prompt = "", value }) => [
    `\`${name}\``,
    prompt,
    String(value(defaults)),
  ]);
  return markdownTable(["option", "is", "default"], rows);
}

/** What every device offers; `tls.allSuites` adds to it. */
function tlsTable(): string {
  const everywhere = CURVES.filter(({ isNarrowed }) => !isNarrowed);
  const namesOf = (curves: typeof CURVES) => curves.map(({ name }) => name).join(", ");
  return markdownTable(
    ["the device offers", ""],
    [
      ["suites", TLS_SUITES.map(({ openssl }) => `\`${openssl}\``).join(", ")],
      ["key exchange on", namesOf(everywhere)],
      [
        "servers' keys",
        `RSA of ${RSA_BITS.least} to ${RSA_BITS.most} bits, ${namesOf(everywhere.filter((curve) => curve.isForCertificates))}`,
      ],
    ],
  );
}
