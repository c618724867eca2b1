import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { FAILURE_WORDS, FIELD_WORDS } from "../../codegen/page-words.js";
import { auditPage, launchBrowser, openPhone, type Phone, screenshot } from "../helpers/browser.js";
import { freshBoard, labUp, type RunningLab } from "../helpers/lab.js";

let lab: RunningLab;
let browser: Browser;
let base: string;
let phones: Phone[];

beforeAll(async () => {
  [lab, browser] = await Promise.all([labUp("page"), launchBrowser()]);
});

afterAll(async () => {
  await browser?.close();
  expect(await lab.stop()).toBe(0);
});

beforeEach(async () => {
  phones = [];
  base = (await freshBoard(lab)).baseUrl;
});

afterEach(async () => {
  for (const phone of phones) await phone.close();
});

async function open(options: Parameters<typeof openPhone>[2] = {}): Promise<Phone> {
  const phone = await openPhone(browser, base, options);
  phones.push(phone);
  return phone;
}

const network = (page: Page, ssid: string) => page.getByRole("radio", { name: ssid });
const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true });
const connect = (page: Page) => button(page, "Connect").click();

async function fill(page: Page, password: string, token: string): Promise<void> {
  await page.getByLabel("WiFi password").fill(password);
  await page.getByLabel("Provisioning token").fill(token);
}

async function isFocused(page: Page, id: string): Promise<boolean> {
  return page.evaluate<boolean>(`document.activeElement.id === ${JSON.stringify(id)}`);
}

async function expectAccessible(page: Page): Promise<void> {
  expect(await auditPage(page)).toEqual([]);
}

describe("the page on a phone", () => {
  it.each(["light", "dark"] as const)("provisions by clicking, in %s", async (colorScheme) => {
    const { page, complaints } = await open({ colorScheme });
    const shot = (name: string) => screenshot(page, `${colorScheme}-${name}`);
    await page.getByText("networks found").waitFor();
    await page.getByText("Device: Waiting for your WiFi details").waitFor();
    await expectAccessible(page);
    await shot("1-form");

    await network(page, lab.home.ssid).click();
    await fill(page, lab.home.password, await lab.token());
    await button(page, "Show password").click();
    expect(await page.getByLabel("WiFi password").getAttribute("type")).toBe("text");
    await expectAccessible(page);
    await shot("2-filled");

    const connected = lab.enters("MQTT_CONNECTED", { fromNow: true });
    await lab.client.setFaults([{ route: "/sign-csr", kind: "status", status: 503, times: 3 }]);
    await connect(page);
    await page.getByRole("heading", { name: "Connecting your device" }).waitFor();
    expect(await isFocused(page, "headline")).toBe(true);
    await page.getByText(`Join “\u2068${lab.home.ssid}\u2069”`).waitFor();
    await expectAccessible(page);
    await shot("3-joining");
    await page.getByText("Device: Getting its certificate").waitFor();
    await expectAccessible(page);
    await shot("4-certificate");
    await page.getByRole("heading", { name: "Your device is online" }).waitFor();
    await connected;
    await expectAccessible(page);
    await shot("5-online");
    expect(complaints).toEqual([]);
  });

  it("says in plain words that the password is wrong, and takes the right one", async () => {
    const { page } = await open();
    await network(page, lab.home.ssid).click();
    await fill(page, "not-the-password", await lab.token());
    await connect(page);
    await page.getByRole("alert").getByText(FAILURE_WORDS.wifi_wrong_password).waitFor();
    expect(await isFocused(page, "password")).toBe(true);
    await expectAccessible(page);
    await screenshot(page, "light-6-wrong-password");
    const visitor = await open();
    await visitor.page.getByRole("link", { name: "See why" }).click();
    await visitor.page.getByText(FAILURE_WORDS.wifi_wrong_password).waitFor();
    await visitor.page.getByRole("link", { name: "Back to the form" }).click();
    await visitor.page.getByText("The last attempt failed.").waitFor();
    expect(await visitor.page.getByText(FAILURE_WORDS.wifi_wrong_password).count()).toBe(0);
    await visitor.close(); // the AP closes for whoever reads first that the device is online

    await page.getByLabel("WiFi password").fill(lab.home.password);
    const connected = lab.enters("MQTT_CONNECTED", { fromNow: true });
    await connect(page);
    await page.getByRole("heading", { name: "Your device is online" }).waitFor();
    expect(await page.getByRole("alert").isVisible()).toBe(false);
    await connected;
  });

  it("takes a name that is not in the list, and says when nobody has it", async () => {
    const { page } = await open();
    await page.getByText("Another network").click();
    await page.getByLabel("WiFi name").fill("Nowhere");
    await fill(page, "some-password", "some-token");
    await connect(page);
    await page.getByRole("alert").getByText(FAILURE_WORDS.wifi_ap_not_found).waitFor();
    expect(await isFocused(page, "ssid")).toBe(true);
    expect(await page.getByLabel("WiFi name").inputValue()).toBe("Nowhere");
    await screenshot(page, "light-7-not-found");
  });

  it("follows a token that is refused, and one that works afterwards", async () => {
    const { page } = await open();
    await network(page, lab.home.ssid).click();
    await fill(page, lab.home.password, "wrong-token");
    await connect(page);
    await page.getByRole("alert").getByText(FAILURE_WORDS.token_rejected).waitFor();
    expect(await isFocused(page, "token")).toBe(true);
    await page.getByLabel("Provisioning token").fill(` ${await lab.token()} `); // as pasted
    await connect(page);
    await page.getByRole("heading", { name: "Your device is online" }).waitFor();
  });

  it("tells of a service that fails for long, and lets the details be changed", async () => {
    const { page } = await open();
    await lab.client.setFaults([{ route: "/sign-csr", kind: "status", status: 503 }]);
    await network(page, lab.home.ssid).click();
    await fill(page, lab.home.password, await lab.token());
    await connect(page);
    await page.getByRole("alert").getByText(FAILURE_WORDS.backend_error).waitFor();
    await expectAccessible(page);
    await screenshot(page, "light-8-service");
    await button(page, "Change the details").click();
    expect(await page.getByLabel("WiFi password").inputValue()).toBe(lab.home.password);
    await lab.client.setFaults([]);
    await connect(page);
    await page.getByRole("heading", { name: "Your device is online" }).waitFor();
  });

  it("marks each field that is wrong before anything is sent", async () => {
    const { page } = await open();
    const sent: string[] = [];
    page.on("request", (request) => {
      if (request.method() === "POST") sent.push(request.url());
    });
    await network(page, lab.home.ssid).click();
    await connect(page);
    expect(await isFocused(page, "password")).toBe(true);
    await page.getByText("Enter the password of this WiFi.").waitFor();
    await page.getByText(FIELD_WORDS.provisioning_token ?? "").waitFor();
    await expectAccessible(page);
    await screenshot(page, "light-9-fields");
    await page.getByLabel("WiFi password").fill("short");
    expect(await page.getByText("Enter the password of this WiFi.").isVisible()).toBe(false);
    await connect(page);
    await page.getByText(FIELD_WORDS.password ?? "").waitFor();
    expect(sent).toEqual([]);
  });

  it("works with the keyboard alone", async () => {
    const { page } = await open();
    await network(page, lab.home.ssid).waitFor();
    await page.keyboard.press("Tab");
    for (let row = 0; row < 20; row++) {
      const name = await page.evaluate<string>(
        'document.activeElement.closest("label")?.querySelector(".name").textContent ?? ""',
      );
      if (name === lab.home.ssid) break;
      await page.keyboard.press("ArrowDown");
    }
    await page.keyboard.press("Space");
    expect(await network(page, lab.home.ssid).isChecked()).toBe(true);
    await page.keyboard.press("Tab");
    expect(await isFocused(page, "rescan")).toBe(true);
    await page.keyboard.press("Tab");
    await page.keyboard.type(lab.home.password);
    await page.keyboard.press("Tab");
    await page.keyboard.press("Space");
    expect(await page.getByLabel("WiFi password").getAttribute("type")).toBe("text");
    await screenshot(page, "light-10-keyboard");
    await page.keyboard.press("Tab");
    await page.keyboard.type(await lab.token());
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Your device is online" }).waitFor();
  });

  it("says so when the device is out of reach, and goes on when it is back", async () => {
    const { page } = await open();
    await page.getByText("Device: Waiting").waitFor();
    await page.route("**/status", (route) => route.abort());
    await page.getByText("No contact with the device.").waitFor();
    expect(await page.locator("header").textContent()).toContain("Out of reach");
    await screenshot(page, "light-11-no-contact");
    await page.unroute("**/status");
    await page.getByText("Device: Waiting").waitFor();

    await lab.client.setFaults([{ route: "/sign-csr", kind: "status", status: 503 }]);
    await network(page, lab.home.ssid).click();
    await fill(page, lab.home.password, await lab.token());
    await connect(page);
    await page.getByText("Device: Getting its certificate").waitFor();
    await page.route("**/status", (route) => route.abort());
    await page.getByText("it is most likely online").waitFor();
  });

  it("shows hostile names of networks as what they are: text", async () => {
    const air = await lab.client.air();
    const name = "<img src=x onerror=alert(1)>";
    const hostile = { ...air.networks[0], ssid: name, psk: null, auth: "open", rssi: -20 } as const;
    await lab.client.setAir({
      ...air,
      networks: [...air.networks, hostile] as typeof air.networks,
    });
    try {
      base = (await freshBoard(lab)).baseUrl;
      const { page, complaints } = await open();
      await network(page, name).click();
      expect(await page.getByLabel("WiFi password").isVisible()).toBe(false);
      expect(await page.locator("img").count()).toBe(0);
      expect(complaints).toEqual([]);
      await screenshot(page, "light-12-open-network");
    } finally {
      await lab.client.setAir(air);
    }
  });
});

describe("without JavaScript", () => {
  it("takes the form and shows the way to the end", async () => {
    const { page } = await open({ javaScriptEnabled: false });
    await screenshot(page, "no-script-1-form");
    await page.getByLabel("WiFi name").fill(lab.home.ssid);
    await fill(page, "not-the-password", await lab.token());
    await connect(page);
    await page.getByRole("heading", { name: "Saved" }).waitFor();
    await screenshot(page, "no-script-2-saved");
    await page.getByRole("alert").getByText(FAILURE_WORDS.wifi_wrong_password).waitFor();
    await screenshot(page, "no-script-3-wrong-password");
    await page.getByRole("link", { name: "Back to the form" }).click();

    await page.getByLabel("WiFi name").fill(lab.home.ssid);
    await fill(page, lab.home.password, await lab.token());
    const connected = lab.enters("MQTT_CONNECTED", { fromNow: true });
    await connect(page);
    await page.getByRole("heading", { name: "Your device is online" }).waitFor();
    await screenshot(page, "no-script-4-online");
    await connected;
  });

  it("answers mistakes in plain words", async () => {
    const { page } = await open({ javaScriptEnabled: false });
    await page.getByLabel("WiFi name").fill("Home");
    await fill(page, "short", "token");
    await connect(page);
    await page
      .getByRole("alert")
      .getByText(FIELD_WORDS.password ?? "")
      .waitFor();
  });

  it.each(["light", "dark"] as const)(
    "escapes what it repeats, and is legible in %s",
    async (colorScheme) => {
      const { page } = await open({ javaScriptEnabled: false, colorScheme });
      const name = `"><b id=x>'&lt;`;
      await page.getByLabel("WiFi name").fill(name);
      await fill(page, "", "token");
      await connect(page);
      await page.getByText(`The device is about to join "${name}".`).waitFor();
      expect(await page.locator("b").count()).toBe(0);
    },
  );
});
