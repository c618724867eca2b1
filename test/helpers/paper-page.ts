import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect } from "vitest";
import { auditPage, launchBrowser, SMALL_PHONE } from "./browser.js";
import { longer } from "./longer.js";
import { network, type PaperDevice, paperUrl, servePaperDevice } from "./paper-device.js";

/* A small phone on the page of a device on paper, another one for each test that imports this. */

export const WIDE = "W".repeat(32);
export const ODD_NAMES = [
  " spaces  within and without ",
  "two\nlines",
  "evil\u202etxt",
  "شبكة (2)",
  WIDE,
];
export const NETWORKS = [
  network("Home"),
  network("Cafe", { secure: false }),
  ...ODD_NAMES.map((name) => network(name)),
  ...Array.from({ length: 13 }, (_, index) => network(`Neighbour ${index}`)),
];

let browser: Browser;
export let context: BrowserContext;
export let device: PaperDevice;
export let page: Page;

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

/** Somebody else comes to the same device. */
export async function nextVisitor(): Promise<void> {
  const { status } = device;
  await context.close();
  await newPhone();
  device = await servePaperDevice(context);
  Object.assign(device, { networks: NETWORKS, status });
}

export async function open(): Promise<void> {
  page = await context.newPage();
  await page.goto(paperUrl("/"));
}

export async function openWithList(): Promise<void> {
  await open();
  await page.getByText(`${NETWORKS.length} networks found.`).waitFor();
}

export const radio = (name: string) => page.getByRole("radio", { name });
export const choose = (name: string) => radio(name).click();
export const chooseAt = (index: number) => page.getByRole("radio").nth(index).click();
export const type = (name: string) => page.getByLabel("WiFi name").fill(name);
export const connect = () => page.getByRole("button", { name: "Connect", exact: true }).click();
export const lookAgain = () => page.getByRole("button", { name: "Look again" }).click();
export const nameRow = () => page.getByLabel("WiFi name");

export async function fillRest(password = "password", token = "token"): Promise<void> {
  await page.getByLabel("WiFi password").fill(password);
  await page.getByLabel("Provisioning token").fill(token);
}

export async function joining(): Promise<void> {
  await page.getByRole("heading", { name: "Connecting your device" }).waitFor();
}

/** Connects and gives back what the device was sent. */
export async function send(): Promise<Record<string, unknown>> {
  await connect();
  await joining();
  expect(device.sent).toHaveLength(1);
  return device.sent[0] ?? {};
}

/** The field has the focus, is marked, and stands in view together with what describes it. */
export async function expectPointedOut(id: string, words: string): Promise<void> {
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
