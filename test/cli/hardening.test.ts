import { describe, expect, it } from "vitest";
import { projectWith } from "../helpers/project.js";
import { prov } from "../helpers/prov.js";

const HARDENED = `defineDevice({
  id: "vault-1",
  target: "esp32s3",
  backend: { url: "https://api.example.com" },
  mqtt: { uri: "mqtts://mqtt.example.com" },
  security: { flashEncryption: "release", nvsEncryption: "flash-encryption" },
})`;

describe("a manifest that burns eFuses", () => {
  it("is warned of when its configuration is made", async () => {
    const { code, stderr } = await prov(["codegen"], { cwd: projectWith(HARDENED) });
    expect(code).toBe(0);
    expect(stderr).toMatch(/security\.flashEncryption: .*for good/);
  });

  it("is not flashed without a yes, whatever the port", async () => {
    const cwd = projectWith(HARDENED);
    const refused = await prov(["flash", "--port", "/dev/null", "--json"], { cwd });
    expect(refused.code).toBe(5);
    expect(JSON.parse(refused.stdout).error).toMatchObject({ code: "efuses_unconfirmed" });
    const confirmed = await prov(["flash", "--port", "/dev/null", "--json", "--yes-burn-efuses"], {
      cwd,
    });
    expect(JSON.parse(confirmed.stdout).error.code).not.toBe("efuses_unconfirmed");
  });
});
