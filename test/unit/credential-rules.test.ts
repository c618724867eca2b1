import { describe, expect, test } from "vitest";
import {
  boardUrlFlaw,
  passwordFlaw,
  ssidFlaw,
  tokenFlaw,
} from "../../cli/device/credential-rules.js";
import { LIMITS } from "../../codegen/limits.js";

const { provisioningTokenMaxBytes: tokenMax } = LIMITS;

// test_provision_request.c holds the firmware to the same borders.
describe("what a device takes", () => {
  test.each([
    ["a name of one byte", ssidFlaw("x")],
    ["a name of 32 bytes", ssidFlaw("ü".repeat(16))],
    ["a name that is a blank", ssidFlaw(" ")],
    ["a password of 8 bytes", passwordFlaw("ä".repeat(4))],
    ["a password of 63 bytes", passwordFlaw("p".repeat(63))],
    ["a raw key", passwordFlaw("0123456789abcdefABCDEF0123456789abcdef0123456789abcdef0123456789")],
    ["a token of one byte", tokenFlaw("t", tokenMax)],
    ["the longest token", tokenFlaw("t".repeat(tokenMax), tokenMax)],
    ["a JWT's characters", tokenFlaw("eyJ.a-b_c~!{}", tokenMax)],
    ["an address", boardUrlFlaw("http://192.168.4.1")],
    ["an address with a port and a slash", boardUrlFlaw("http://[::1]:8080/")],
    ["one behind a proxy with TLS", boardUrlFlaw("https://bench.example/board-7")],
  ])("%s", (_name, flaw) => expect(flaw).toBeUndefined());
});

describe("what it does not take", () => {
  test.each([
    ["no name", ssidFlaw(""), "has 0 bytes"],
    ["a name of 33 bytes in 17 characters", ssidFlaw(`${"ü".repeat(16)}x`), "has 33 bytes"],
    ["a name with a NUL", ssidFlaw("a\0b"), "NUL"],
    ["no password", passwordFlaw(""), "has 0 bytes"],
    ["a password of 7 bytes", passwordFlaw("1234567"), "has 7 bytes"],
    ["64 bytes that are no key", passwordFlaw(`${"0".repeat(63)}g`), "has 64 bytes"],
    ["32 characters of two bytes", passwordFlaw("ä".repeat(32)), "has 64 bytes"],
    ["65 hex digits", passwordFlaw("0".repeat(65)), "has 65 bytes"],
    ["a password with a NUL", passwordFlaw("hunter\x002"), "NUL"],
    ["no token", tokenFlaw("", tokenMax), "has 0 bytes"],
    ["a token too long", tokenFlaw("t".repeat(tokenMax + 1), tokenMax), `1 to ${tokenMax}`],
    ["a token with a line break", tokenFlaw("abc\n", tokenMax), "visible ASCII"],
    ["a token with a blank", tokenFlaw("a b", tokenMax), "visible ASCII"],
    ["a token with DEL", tokenFlaw("a\x7f", tokenMax), "visible ASCII"],
    ["a bare address", boardUrlFlaw("192.168.4.1"), "no http:// URL"],
    ["another scheme", boardUrlFlaw("ftp://192.168.4.1"), "no http:// URL"],
    ["no host", boardUrlFlaw("http:///status"), "no http:// URL"],
    ["a port that is none", boardUrlFlaw("http://board:99999"), "no http:// URL"],
    ["an address with a password", boardUrlFlaw("http://u:p@board/"), "a user or a password"],
    ["an address with a query", boardUrlFlaw("http://board/?a"), "a query"],
  ])("%s", (_name, flaw, says) => expect(flaw).toContain(says));

  test("and no flaw quotes a secret", () => {
    for (const flaw of [passwordFlaw("hunter2"), tokenFlaw("se cret", 64), tokenFlaw("secret", 3)])
      expect(flaw).not.toMatch(/hunter|se ?cret/);
  });
});
