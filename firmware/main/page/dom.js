import { REQUEST_TIMEOUT_MS } from "./constants.js";

export const $ = (id) => document.getElementById(id);
export const form = $("form");
export const field = {
  ssid: $("ssid"),
  password: $("password"),
  token: $("token"),
  pairing: $("pairing"),
};

// Live regions speak on every change: only a change may touch them.
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function show(element, visible) {
  element.hidden = !visible;
}

export function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}

export async function ask(path, options) {
  const control = new AbortController();
  const timer = setTimeout(() => control.abort(), REQUEST_TIMEOUT_MS);
  try {
    const headers = { "Content-Type": "application/json" };
    const response = await fetch(path, {
      cache: "no-store",
      headers,
      signal: control.signal,
      ...options,
    });
    return { ok: response.ok, body: await response.json() };
  } finally {
    clearTimeout(timer);
  }
}
