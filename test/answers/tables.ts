import { BODIES } from "./bodies.js";
import { ALGORITHMS } from "./chains.js";
import { ENCODINGS } from "./encodings.js";
import { FITNESS } from "./fitness.js";
import { FRAMINGS, NO_ANSWERS } from "./framings.js";
import { ORDERS } from "./orders.js";
import { REJECTIONS } from "./rejections.js";
import type { Row } from "./row.js";
import { SIZES } from "./sizes.js";
import { BESIDE_A_CERTIFICATE, STATUSES } from "./statuses.js";

export const TABLES: Readonly<Record<string, readonly Row[]>> = {
  status: STATUSES,
  "status, beside a certificate": BESIDE_A_CERTIFICATE,
  "401 with JSON": REJECTIONS,
  "200 with": BODIES,
  "200 comes": FRAMINGS,
  "no answer but": NO_ANSWERS,
  "chain of": ALGORITHMS,
  "chain in order": ORDERS,
  "PEM with": ENCODINGS,
  "certificate with": FITNESS,
  DER: SIZES,
};
