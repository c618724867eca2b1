import { X509Certificate } from "node:crypto";
import { expect, test } from "vitest";
import { certificateFacts } from "../../codegen/certificate-facts.js";
import { refusedInChain, unreadablePart, uselessAsCa } from "../../codegen/certificate-rules.js";
import { dottedOid } from "../../codegen/der.js";
import { pemForms } from "../helpers/pem-forms.js";

const forms = pemForms();
forms.openssl(
  "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=ca -addext keyUsage=critical,keyCertSign -addext certificatePolicies=critical,2.5.29.32.0 -keyout k.pem -out ca.pem",
);
const DER = new X509Certificate(forms.text("ca.pem")).raw;

test("the facts of a CA on P-256", () => {
  expect(certificateFacts(DER)).toMatchObject({
    version: 3,
    signature: "1.2.840.10045.4.3.2",
    isSignatureNamedOnce: true,
    key: { type: "ec", curve: "prime256v1", isCompressed: false, isCurveExplicit: false },
  });
});

test.each([
  ["2a864886f70d", "1.2.840.113549"],
  ["2b6570", "1.3.101.112"],
  ["551d1e", "2.5.29.30"],
  ["883703", "2.999.3"],
])("the object identifier %s is %s", (hex, dotted) => {
  expect(dottedOid(Buffer.from(hex, "hex"))).toBe(dotted);
});

test("a certificate with any byte changed, or cut anywhere, is read or refused, and never ends in an error", () => {
  const judge = (der: Buffer): void => {
    const facts = certificateFacts(der);
    if (facts === undefined) expect(unreadablePart(facts)?.part).toBe("a form that is not DER");
    if (unreadablePart(facts) === undefined && facts !== undefined) uselessAsCa(facts);
    refusedInChain([facts], false);
  };
  for (let at = 0; at < DER.length; at++) {
    judge(DER.subarray(0, at));
    for (const value of [0x00, 0x30, 0x80, 0x84, 0xff]) {
      const changed = Buffer.from(DER);
      changed[at] = value;
      judge(changed);
    }
  }
});
