import { beforeAll, expect, test } from "vitest";
import { readPinnedCa } from "../../codegen/pinned-ca.js";
import { type PemForms, pemForms } from "../helpers/pem-forms.js";

/** A CA in two files; as the last of several it must be found, too. */
let forms: PemForms;
beforeAll(() => {
  forms = pemForms();
});

function ca(newkey: string): string {
  forms.openssl(`req -x509 -newkey ${newkey} -nodes -subj /CN=x -keyout x.key -out x.pem`);
  return forms.text("x.pem");
}

test.each([
  ["ed25519", "ed25519"],
  ["ed448", "ed448"],
  ["rsa-pss", "rsa-pss"],
])("a CA with an %s key, which mbedTLS cannot parse, is refused by name", (newkey, type) => {
  const pem = ca(newkey);
  for (const given of [pem, forms.cert + pem])
    expect(readPinnedCa(given)).toEqual({
      pem: undefined,
      fault: `it holds a certificate with a key of the type ${type}, which the device's TLS library does not read; use a CA whose key is RSA of 2048 to 4096 bits, or ECDSA on P-256`,
    });
});

test("an intermediate that such a CA signed is refused for its signature", () => {
  ca("ed25519");
  forms.openssl("req -new -key key.pem -subj /CN=between -out between.csr");
  forms.openssl("x509 -req -in between.csr -CA x.pem -CAkey x.key -out between.pem");
  expect(readPinnedCa(forms.text("between.pem"))?.fault).toContain(
    "a signature of the type ed25519",
  );
});

test.each(["rsa:2048", "ec -pkeyopt ec_paramgen_curve:P-384"])("a CA of %s is taken", (newkey) => {
  const pem = ca(newkey);
  expect(readPinnedCa(pem)).toEqual({ pem, fault: undefined });
});
