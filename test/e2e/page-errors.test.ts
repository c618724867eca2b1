import { beforeEach, describe, expect, it } from "vitest";
import { FAILURE_WORDS, FIELD_WORDS, REFUSAL_WORDS } from "../../codegen/page-words.js";
import { auditPage, screenshot } from "../helpers/browser.js";
import { fail, IDLE_STATUS } from "../helpers/paper-device.js";
import {
  choose,
  connect,
  device,
  expectPointedOut,
  fillRest,
  joining,
  NETWORKS,
  nextVisitor,
  open,
  openWithList,
  page,
  radio,
  send,
  WIDE,
} from "../helpers/paper-page.js";

describe("what is wrong, on a phone of 320 by 568 with a long list", () => {
  beforeEach(async () => {
    device.status = { ...IDLE_STATUS, pairing_required: true };
    await openWithList();
    await choose("Home");
    await fillRest();
    await page.getByLabel("Pairing secret").fill("secret");
  });

  it.each([
    ["bad_field", "ssid: expected", "ssid", FIELD_WORDS.ssid],
    ["bad_field", "password: expected", "password", FIELD_WORDS.password],
    ["bad_field", "provisioning_token: expected", "token", FIELD_WORDS.provisioning_token],
    ["bad_field", "pairing_secret: expected", "pairing", FIELD_WORDS.pairing_secret],
    ["bad_field", "time: expected", "problem", "time: expected"],
    ["pairing_required", "", "pairing", REFUSAL_WORDS.pairing_required],
    ["too_large", "", "token", REFUSAL_WORDS.too_large],
    ["locked", "", "problem", REFUSAL_WORDS.locked],
    ["busy", "", "problem", REFUSAL_WORDS.busy],
  ])("is shown where it is when the device says %s %s", async (code, message, id, words = "") => {
    device.refusal = { code, message };
    await connect();
    await expectPointedOut(id, words);
    await screenshot(page, `small-${code}-${id}`);
  });

  it.each([
    ["wifi_wrong_password", "password"],
    ["wifi_ap_not_found", "ssid"],
    ["wifi_weak_security", "ssid"],
    ["token_rejected", "token"],
    ["wifi_timeout", "problem"],
  ] as const)("is shown where it is when the attempt ends with %s", async (code, id) => {
    await send();
    fail(device, code);
    await expectPointedOut(id, FAILURE_WORDS[code]);
    const named = code.startsWith("wifi") ? 1 : 0;
    expect(await page.getByRole("alert").getByText("“\u2068Home\u2069”").count()).toBe(named);
    await screenshot(page, `small-${code}`);
  });

  it("is no longer marked once it is changed, or another network chosen", async () => {
    await send();
    fail(device, "wifi_wrong_password");
    await expectPointedOut("password", FAILURE_WORDS.wifi_wrong_password);
    await choose("Cafe");
    expect(await page.locator('[aria-invalid="true"]').count()).toBe(0);
    expect(await page.getByText(FAILURE_WORDS.wifi_wrong_password).count()).toBe(0);
  });
});

describe("the attempt", () => {
  async function attempt(): Promise<void> {
    await openWithList();
    await choose(WIDE);
    await fillRest();
    await send();
  }

  it("names its network to the end, the page opened again included", async () => {
    await attempt();
    const named = page.getByText(`Join “\u2068${WIDE}\u2069”`);
    await named.waitFor();
    await page.reload();
    await joining();
    await named.waitFor();
    expect(await auditPage(page)).toEqual([]);
    device.status = { ...device.status, state: "MQTT_CONNECTED" };
    await page.getByRole("heading", { name: "Your device is online" }).waitFor();
    expect(await named.isVisible()).toBe(true);
    expect(await page.evaluate("localStorage.attempt")).toBe("");
  });

  it("tells its end to whoever began it, in a new tab too", async () => {
    await attempt();
    fail(device, "wifi_wrong_password");
    await page.close();
    await openWithList();
    await expectPointedOut("password", FAILURE_WORDS.wifi_wrong_password);
    expect(await radio(WIDE).isChecked()).toBe(true);
  });

  it("is not put to another visitor, who may ask", async () => {
    await attempt();
    fail(device, "wifi_wrong_password");
    await page.getByText(FAILURE_WORDS.wifi_wrong_password).waitFor();
    await nextVisitor();
    await openWithList();
    await page.getByText("The last attempt failed.").waitFor();
    expect(await page.getByText(FAILURE_WORDS.wifi_wrong_password).count()).toBe(0);
    expect((await page.getByRole("alert").allTextContents()).join("")).toBe("");
    expect(await page.getByRole("radio", { checked: true }).count()).toBe(0);
    expect(await page.getByRole("link", { name: "See why" }).getAttribute("href")).toBe(
      "/progress",
    );
  });

  it("of another visitor is followed without a name", async () => {
    device.status = { ...IDLE_STATUS, state: "WIFI_CONNECTING", attempt_id: "other" };
    await open();
    await joining();
    await page.getByText("Join your WiFi").waitFor();
    device.status = { ...device.status, state: "AP_MODE", error: null };
    await page.getByText(`${NETWORKS.length} networks found.`).waitFor();
  });
});
