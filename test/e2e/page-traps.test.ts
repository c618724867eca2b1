import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { FAILURE_WORDS, FIELD_WORDS, REFUSAL_WORDS } from "../../codegen/page-words.js";
import { auditPage, launchBrowser, SMALL_PHONE, screenshot } from "../helpers/browser.js";
import { longer } from "../helpers/longer.js";
import {
  fail,
  IDLE_STATUS,
  network,
  type PaperDevice,
  paperUrl,
  servePaperDevice,
} from "../helpers/paper-device.js";

const WIDE = "W".repeat(32);
const ODD_NAMES = [" spaces  within and without ", "two\nlines", "evil\u202etxt", "شبكة (2)", WIDE];
const NETWORKS = [
  network("Home"),
  network("Cafe", { secure: false }),
  ...ODD_NAMES.map((name) => network(name)),
  ...Array.from({ length: 13 }, (_, index) => network(`Neighbour ${index}`)),
];

let browser: Browser;
let context: BrowserContext;
let device: PaperDevice;
let page: Page;

beforeAll(async () => {
  browser = await launchBrowser();
});

afterAll(() => browser?.close());

beforeEach(async () => {
  await newPhone();
  device = await servePaperDevice(context);
  device.networks = NETWORKS;
});

afterEach(() => context.close());

async function newPhone(): Promise<void> {
  context = await browser.newContext({ viewport: SMALL_PHONE, hasTouch: true, isMobile: true });
  context.setDefaultTimeout(longer(30_000));
  // The page's pauses; its limits, which are longer, stay.
  await context.addInitScript(
    "const later = setTimeout; window.setTimeout = (act, ms, ...rest) => later(act, ms > 3000 ? ms : ms / 10, ...rest)",
  );
}

async function open(): Promise<void> {
  page = await context.newPage();
  await page.goto(paperUrl("/"));
}

async function openWithList(): Promise<void> {
  await open();
  await page.getByText(`${NETWORKS.length} networks found.`).waitFor();
}

const radio = (name: string) => page.getByRole("radio", { name });
const choose = (name: string) => radio(name).click();
const chooseAt = (index: number) => page.getByRole("radio").nth(index).click();
const type = (name: string) => page.getByLabel("WiFi name").fill(name);
const connect = () => page.getByRole("button", { name: "Connect", exact: true }).click();
const lookAgain = () => page.getByRole("button", { name: "Look again" }).click();
const nameRow = () => page.getByLabel("WiFi name");

async function fillRest(password = "password", token = "token"): Promise<void> {
  await page.getByLabel("WiFi password").fill(password);
  await page.getByLabel("Provisioning token").fill(token);
}

async function joining(): Promise<void> {
  await page.getByRole("heading", { name: "Connecting your device" }).waitFor();
}

/** Connects and gives back what the device was sent. */
async function send(): Promise<Record<string, unknown>> {
  await connect();
  await joining();
  expect(device.sent).toHaveLength(1);
  return device.sent[0] ?? {};
}

describe("the name that is sent", () => {
  it("is the one typed after Connect was pressed with nothing chosen", async () => {
    await openWithList();
    await fillRest();
    await connect();
    await page.getByText("Choose your WiFi in the list, or enter its name.").waitFor();
    expect(device.sent).toEqual([]);
    await type("Hidden");
    expect(await radio("Another network").isChecked()).toBe(true);
    expect(await send()).toMatchObject({ ssid: "Hidden" });
  });

  it("is the one chosen after Connect was pressed with nothing chosen", async () => {
    await openWithList();
    await fillRest();
    await connect();
    await choose("Home");
    expect(await nameRow().isVisible()).toBe(false);
    expect(await send()).toMatchObject({ ssid: "Home" });
  });

  it("is the last of those chosen and typed, in either order", async () => {
    await openWithList();
    await choose("Home");
    await choose("Another network");
    expect(await nameRow().inputValue()).toBe("");
    await type("Typed");
    await choose("Neighbour 7");
    await fillRest();
    expect(await send()).toMatchObject({ ssid: "Neighbour 7" });
  });

  it("is the one typed over a chosen one that could not be joined", async () => {
    await openWithList();
    await choose("Home");
    await fillRest();
    await send();
    fail(device, "wifi_ap_not_found");
    await page.getByText(FAILURE_WORDS.wifi_ap_not_found).waitFor();
    await type("Home-5G");
    await connect();
    await joining();
    expect(device.sent[1]).toMatchObject({ ssid: "Home-5G" });
  });

  it.each([
    ["Typed", "Another network"],
    ["Home", "Home"],
  ])("is %j, typed before there was a list, and then it is %j there", async (name, row) => {
    device.networks = "busy";
    await open();
    await type(name);
    await page.getByLabel("WiFi password").fill("password");
    device.networks = NETWORKS;
    await radio(row).waitFor();
    expect(await radio(row).isChecked()).toBe(true);
    await fillRest();
    expect(await send()).toMatchObject({ ssid: name });
  });

  it("can be finished when the list comes in the middle of it", async () => {
    device.networks = "busy";
    await open();
    await nameRow().pressSequentially("Home");
    device.networks = NETWORKS;
    await radio("Home").waitFor();
    await page.keyboard.type("-5G");
    await fillRest();
    expect(await send()).toMatchObject({ ssid: "Home-5G" });
  });

  it("stays when the list is drawn again, with the network and without it", async () => {
    await openWithList();
    await choose("Home");
    await fillRest();
    device.networks = [network("New"), ...NETWORKS];
    await lookAgain();
    await radio("New").waitFor();
    expect(await radio("Home").isChecked()).toBe(true);
    device.networks = [network("New")];
    await lookAgain();
    await page.getByText("1 network found.").waitFor();
    expect(await nameRow().inputValue()).toBe("Home");
    device.networks = [];
    await lookAgain();
    await page.getByText("No networks found.").waitFor();
    expect(await send()).toMatchObject({ ssid: "Home" });
  });

  it.each(
    ODD_NAMES.map((name) => [name, NETWORKS.findIndex(({ ssid }) => ssid === name)] as const),
  )("is %j to the byte", async (name, index) => {
    await openWithList();
    await chooseAt(index);
    await fillRest();
    expect(await send()).toMatchObject({ ssid: name });
    expect(await auditPage(page)).toEqual([]);
  });
});

describe("the rest of the form", () => {
  it("keeps a password for another choice, and sends none to an open network", async () => {
    await openWithList();
    await choose("Home");
    await fillRest();
    await choose("Cafe");
    expect(await page.getByLabel("WiFi password").isVisible()).toBe(false);
    await choose("Home");
    expect(await page.getByLabel("WiFi password").inputValue()).toBe("password");
    await choose("Cafe");
    expect(await send()).toMatchObject({ ssid: "Cafe", password: "" });
  });

  it("asks for the password of a network that is typed, when the list knows that it has one", async () => {
    await openWithList();
    await choose("Another network");
    await type("Home");
    await fillRest("");
    await connect();
    await page.getByText("Enter the password of this WiFi.").waitFor();
    await fillRest();
    expect(await send()).toMatchObject({ ssid: "Home", password: "password" });
  });

  it("sends a long token whole, without the breaks of the mail it came in", async () => {
    await openWithList();
    await choose("Home");
    await fillRest("password", ` ${"a".repeat(2000)}\n ${"b".repeat(2096)}\t`);
    expect(await send()).toMatchObject({
      provisioning_token: "a".repeat(2000) + "b".repeat(2096),
    });
  });

  it("is sent once, however often Connect is pressed", async () => {
    await openWithList();
    await choose("Home");
    await fillRest();
    await page.getByRole("button", { name: "Connect", exact: true }).dblclick();
    await joining();
    expect(device.sent).toHaveLength(1);
  });

  it.each(["1970-01-02", "2150-01-01"])("leaves out the time of a phone in %s", async (date) => {
    await context.clock.setFixedTime(new Date(date));
    await openWithList();
    await choose("Home");
    await fillRest();
    expect(await send()).not.toHaveProperty("time");
  });

  it("can be sent again after the device did not answer", async () => {
    await openWithList();
    await choose("Home");
    await fillRest();
    device.isGone = true;
    await connect();
    await page.getByRole("alert").getByText("The device did not answer.").waitFor();
    device.isGone = false;
    expect(await send()).toMatchObject({ ssid: "Home" });
  });

  it("works where the browser forbids storage", async () => {
    await context.addInitScript(
      'Object.defineProperty(window, "localStorage", { get() { throw new Error("forbidden"); } })',
    );
    await openWithList();
    await choose("Home");
    await fillRest();
    await send();
    fail(device, "wifi_wrong_password");
    await page.getByText(FAILURE_WORDS.wifi_wrong_password).waitFor();
  });
});

/** The field has the focus, is marked, and stands in view together with what describes it. */
async function expectPointedOut(id: string, words: string): Promise<void> {
  await page.getByRole("alert").getByText(words).waitFor();
  await expect
    .poll(() => page.evaluate<string>("document.activeElement.id"), { timeout: longer(30_000) })
    .toBe(id);
  const seen = await page.evaluate<{
    outside: string[];
    texts: string;
    isInvalid: string;
  }>(`(() => {
    const field = document.activeElement;
    const described = (field.getAttribute("aria-describedby") ?? "").split(" ").filter(Boolean);
    const nodes = [field, ...described.map((name) => document.getElementById(name))].filter((node) => !node.hidden);
    const outside = nodes.filter((node) => {
      const { top, bottom, left, right } = node.getBoundingClientRect();
      return top < 0 || left < 0 || bottom > visualViewport.height || right > visualViewport.width;
    });
    const isInvalid = field.getAttribute("aria-invalid");
    return { outside: outside.map(({ id }) => id), texts: nodes.map((node) => node.textContent).join(), isInvalid };
  })()`);
  expect(seen.outside).toEqual([]);
  expect(seen.texts).toContain(words);
  if (id !== "problem") expect(seen.isInvalid).toBe("true");
  expect(await auditPage(page)).toEqual([]);
}

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
    await context.close();
    await newPhone();
    const { status } = device;
    device = await servePaperDevice(context);
    Object.assign(device, { networks: NETWORKS, status });
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
