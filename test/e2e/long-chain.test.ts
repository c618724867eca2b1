import { afterAll, beforeAll, expect, it } from "vitest";
import { temporaryDir } from "../helpers/project.js";
import { findOpensslRsa4096 } from "../pki/openssl-ca.js";
import { openWorld, type World } from "../pki/world.js";

/* `npm run test:pki` asks more PKIs, and has RSA keys in the device. */

let world: World;
beforeAll(async () => {
  world = await openWorld("long-chain", "P-256");
});
afterAll(() => world.stop());

it("a leaf, two intermediates of RSA-4096 and their root lead to a mosquitto that has the root alone", async () => {
  const found = findOpensslRsa4096();
  if ("missing" in found) throw new Error(found.missing);
  const { sent, givenBytes } = await world.enrol(await found.open(temporaryDir()));
  expect(sent.map(({ publicKey }) => publicKey.asymmetricKeyDetails?.modulusLength)).toEqual([
    undefined, // the device's own is P-256
    4096,
    4096,
  ]);
  expect(givenBytes).toBeGreaterThan(6000);
});
