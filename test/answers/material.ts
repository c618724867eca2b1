import type { KeyObject } from "node:crypto";
import { readFileSync } from "node:fs";
import { DEVICE_ID } from "../attack/rig.js";
import { CA, CLIENT, createPki, type Issued, type Order, type Pki } from "./pki.js";

/** Two texts that the backend sends, and the broker that goes with them. */
export interface Chain {
  readonly certificate: string;
  readonly ca: string;
  /** What the broker knows; default: the default root. */
  readonly trusts?: Issued;
  /** Who has signed the broker's own certificate; default: whom it knows. */
  readonly signer?: Issued;
}

/** What a broker shows, and whom it takes: those whose certificate leads to one of `trusts`. */
export interface Place {
  readonly certPem: string;
  readonly keyPem: string;
  readonly trusts: string;
}

/** What rows are made of. */
export interface Material {
  readonly pki: Pki;
  /** Of P-256, as is what it has signed. */
  readonly root: Issued;
  /** A good certificate of the device, by that root. */
  readonly leaf: Issued;
  /** The contract's answer, with the two. */
  readonly good: { certificate: { content: string }; ca_certificate: { content: string } };
  /** The same as JSON. */
  readonly text: string;
  /** Of the provisioning in which it is sent. */
  readonly token: string;
  /** A certificate of the device. */
  device(by: Issued, more?: Partial<Order>): Promise<Issued>;
  ca(name: string, key: string, by?: Issued, more?: Partial<Order>): Promise<Issued>;
  place(chain: Pick<Chain, "trusts" | "signer">): Promise<Place>;
}

export const EC = "ec:P-256";

export async function makeMaterial(dir: string, deviceKey: KeyObject): Promise<Material> {
  const pki = createPki(dir);
  pki.adopt("device", deviceKey.export({ type: "pkcs8", format: "pem" }).toString());
  const ca: Material["ca"] = (name, key, by, more) =>
    pki.issue({
      ...{ subject: `/CN=${name}`, key: `${key} ${name}`, extensions: CA },
      ...(by === undefined ? {} : { by }),
      ...more,
    });
  const device: Material["device"] = (by, more) =>
    pki.issue({ subject: `/CN=${DEVICE_ID}`, key: "device", by, extensions: CLIENT, ...more });
  const root = await ca("root", EC);
  const leaf = await device(root);
  const good = {
    certificate: { content: leaf.certPem },
    ca_certificate: { content: root.certPem },
  };
  const place: Material["place"] = async ({ trusts = root, signer = trusts }) => {
    const server = await pki.issue({
      ...{ subject: "/CN=localhost", key: `${EC} server`, by: signer },
      extensions: ["subjectAltName=DNS:localhost", "extendedKeyUsage=serverAuth"],
    });
    const keyPem = readFileSync(server.keyFile, "utf8");
    return { certPem: server.certPem, keyPem, trusts: trusts.certPem };
  };
  return { pki, root, leaf, good, text: JSON.stringify(good), token: "", device, ca, place };
}
