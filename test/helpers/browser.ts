import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import { longer } from "./longer.js";
import { REPOSITORY } from "./prov.js";

/** Where the tests leave what they saw. */
export const SCREENSHOTS = join(REPOSITORY, ".cache", "screenshots");

export const PHONE = { width: 390, height: 844 };
/** The smallest that is still in use. */
export const SMALL_PHONE = { width: 320, height: 568 };

const AUDIT = readFileSync(fileURLToPath(new URL("page-audit.js", import.meta.url)), "utf8");

function findChromium(): string {
  const dirs = [...(process.env.PATH ?? "").split(delimiter), "/usr/bin"];
  const found = dirs.map((dir) => join(dir, "chromium")).find((path) => existsSync(path));
  if (found === undefined) throw new Error("chromium is missing: npm run setup -- --test");
  return found;
}

/** @param more further switches of Chromium */
export function launchBrowser(more: readonly string[] = []): Promise<Browser> {
  return chromium.launch({
    executablePath: findChromium(),
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      ...more,
    ],
  });
}

export interface Phone {
  page: Page;
  /** What the page asked for beyond the board, and what its script or its policy complained about. */
  complaints: string[];
  close(): Promise<void>;
}

/** A phone with the board's page open. */
export async function openPhone(
  browser: Browser,
  baseUrl: string,
  options: { javaScriptEnabled?: boolean; colorScheme?: "light" | "dark" } = {},
): Promise<Phone> {
  const context = await browser.newContext({
    viewport: PHONE,
    deviceScaleFactor: 2,
    hasTouch: true,
    isMobile: true,
    ...options,
  });
  context.setDefaultTimeout(longer(30_000));
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource"))
      complaints.push(message.text());
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(baseUrl) && !request.url().startsWith("data:"))
      complaints.push(`asked for ${request.url()}`);
  });
  await page.goto(`${baseUrl}/`);
  return { page, complaints, close: () => context.close() };
}

export async function screenshot(page: Page, name: string): Promise<void> {
  mkdirSync(SCREENSHOTS, { recursive: true });
  await page.screenshot({
    path: join(SCREENSHOTS, `${name}.png`),
    fullPage: true,
    animations: "disabled",
  });
}

/** What is wrong with the page for people who see, point or hear less well; empty when nothing is. */
export function auditPage(page: Page): Promise<string[]> {
  return page.evaluate<string[]>(AUDIT);
}
