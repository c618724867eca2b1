import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { BrowserContext, Route } from "playwright-core";
import { buildPage, PAGE_SOURCE_DIR, PAGE_SOURCES, type PageSources } from "../../codegen/page.js";
import { waitingStatus } from "./board-status.js";
import { REPOSITORY } from "./prov.js";

const PAPER_URL = "http://192.168.4.1";

export function paperUrl(path: string): string {
  return `${PAPER_URL}${path}`;
}

export interface PaperNetwork {
  readonly ssid: string;
  readonly rssi: number;
  readonly secure: boolean;
}

/** What the API of a device would say next; a test writes into it. */
export interface PaperDevice {
  networks: readonly PaperNetwork[] | "busy";
  status: Record<string, unknown>;
  /** The answer to the next `POST /provision`, as long as it is one; undefined = it is saved. */
  refusal: { readonly code: string; readonly message: string } | undefined;
  /** No answer to anything but the page. */
  isGone: boolean;
  /** The bodies that were posted. */
  readonly sent: Record<string, unknown>[];
}

export const IDLE_STATUS = waitingStatus("sensor-1");

export function network(ssid: string, more: Partial<PaperNetwork> = {}): PaperNetwork {
  return { ssid, rssi: -60, secure: true, ...more };
}

/**
 * Answers a browser as a device would, for states that a real board passes too fast, or that no test brings it to.
 * What the firmware really answers is for `page.test.ts`.
 */
export async function servePaperDevice(context: BrowserContext): Promise<PaperDevice> {
  const device: PaperDevice = {
    networks: [],
    status: { ...IDLE_STATUS },
    refusal: undefined,
    isGone: false,
    sent: [],
  };
  const { html, csp } = buildPage(
    Object.fromEntries(
      PAGE_SOURCES.map((name) => [
        name,
        readFileSync(join(REPOSITORY, PAGE_SOURCE_DIR, name), "utf8"),
      ]),
    ) as PageSources,
  );
  const headers = { "Content-Security-Policy": csp, "Cache-Control": "no-store" };
  await context.route(`${PAPER_URL}/**`, async (route) => {
    const path = new URL(route.request().url()).pathname;
    if (path === "/") return route.fulfill({ contentType: "text/html", headers, body: html });
    return device.isGone ? route.abort() : answer(device, route, path);
  });
  return device;
}

async function answer(device: PaperDevice, route: Route, path: string): Promise<void> {
  if (path === "/status") return route.fulfill({ json: device.status });
  if (path === "/scan")
    return device.networks === "busy"
      ? route.fulfill({ status: 503, json: { code: "scan_unavailable", message: "busy" } })
      : route.fulfill({ json: { networks: device.networks } });
  if (path !== "/provision") return route.abort();
  const body = route.request().postDataJSON() as Record<string, unknown>;
  device.sent.push(body);
  if (device.refusal !== undefined) return route.fulfill({ status: 400, json: device.refusal });
  device.status = {
    ...IDLE_STATUS,
    state: "WIFI_CONNECTING",
    attempt_id: body.attempt_id,
  };
  return route.fulfill({ json: { status: "ok" } });
}

/** The attempt that was sent last ends so. */
export function fail(device: PaperDevice, code: string, state = "AP_MODE"): void {
  device.status = { ...device.status, state, error: { code, message: code } };
}
