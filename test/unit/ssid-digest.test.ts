import { expect, test } from "vitest";
import { ssidDigest } from "../../cli/device/ssid-digest.js";

// The right values are those of coreutils' sha256sum; test/firmware/test_small.c has the same for the firmware.
test.each([
  ["e2e-device", "Home", "36620ffcf470726f"],
  ["a", "b", "59b271ae1bbcb1d3"],
  ["plain", "Küche", "58876fd4633cc68b"],
  ["d".repeat(64), "s".repeat(32), "4e17d7c259e9f8f0"],
])("the digest of %s on %s", (id, ssid, digest) => {
  expect(ssidDigest(id, ssid)).toBe(digest);
});
