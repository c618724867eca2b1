// Stands in for nmcli and the NetworkManager behind it: one adapter, a home network and a board's AP at 127.0.0.9.
import { appendFileSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [, , home, ...argv] = process.argv;
const HOME = "HomeNet:11111111-2222-3333-4444-555555555555";
const BOARD_SSID = "ESP32-Prov-A1B2C3";

const text = argv
  .join(" ")
  .replace(/^-t -e yes -f \S+ /, "")
  .replace(/^-w \d+ /, "");
const state = JSON.parse(readFileSync(join(home, "state.json"), "utf8"));
if (text.startsWith("device monitor")) monitor();
else end();

/** Nothing happens to the adapter; a prov that is killed does not end its children, and they must not stay. */
function monitor() {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) process.exit();
  }, 100);
}

function end() {
  const before = JSON.stringify(state);
  process.stdout.write(answer());
  const after = JSON.stringify(state);
  if (after !== before) {
    // Calls may overlap, and none may read half a file.
    writeFileSync(join(home, `state.${process.pid}`), after);
    renameSync(join(home, `state.${process.pid}`), join(home, "state.json"));
  }
  // Last of all: who sees the call here can rely on what it did.
  appendFileSync(
    join(home, "calls.jsonl"),
    `${JSON.stringify({ call: text, env: process.env })}\n`,
  );
}

function answer() {
  if (text === "device status") return `wlan0:wifi:connected:${state.active}\n`;
  if (text.startsWith("device wifi list")) return accessPoints();
  if (text.includes("show") && argv.includes("GENERAL.AUTOCONNECT"))
    return "GENERAL.AUTOCONNECT:yes\n";
  if (text.startsWith("device show")) return "DHCP4.OPTION[1]:routers = 127.0.0.9\n";
  const name = argv[argv.indexOf("id") + 1];
  if (text.startsWith("connection add"))
    state.profiles = [...state.profiles, argv[argv.indexOf("con-name") + 1]];
  if (text.startsWith("connection up id"))
    state.active = `${name}:99999999-2222-3333-4444-555555555555`;
  if (text.startsWith("connection up uuid")) state.active = HOME;
  if (text.startsWith("connection delete id")) {
    state.profiles = state.profiles.filter((profile) => profile !== name);
    if (state.active.startsWith(`${name}:`)) state.active = HOME;
  }
  return "";
}

function accessPoints() {
  const line = (ssid, channel) =>
    `${state.active.startsWith(`${ssid}:`) ? "*" : " "}:${Buffer.from(ssid).toString("hex").toUpperCase()}:02\\:00\\:00\\:00\\:0${channel}\\:00:${channel}:80:WPA2\n`;
  return line(BOARD_SSID, 1) + line("HomeNet", 6);
}
