import { visible } from "./attempt.js";
import { RESCAN_MS, RESCAN_TRIES } from "./constants.js";
import { $, ask, element, field, say, show } from "./dom.js";

export let networks = [];
let scanning = false;

function bars(rssi) {
  return rssi >= -55 ? 4 : rssi >= -67 ? 3 : rssi >= -78 ? 2 : 1;
}

function networkRow(network, index) {
  const row = element("label", "network");
  const radio = element("input");
  radio.type = "radio";
  radio.name = "choice";
  radio.value = index;
  row.append(radio, element("span", "name", network ? visible(network.ssid) : "Another network…"));
  if (network) {
    if (!network.secure) row.append(element("span", "open", "no password"));
    const lit = bars(network.rssi);
    const meter = element("span", "bars");
    for (let bar = 1; bar <= 4; bar++) meter.append(element("i", bar <= lit ? "lit" : ""));
    row.append(meter, element("span", "spoken", `signal ${lit} of 4`));
  }
  return row;
}

function chosenRadio() {
  return document.querySelector("#list input:checked");
}

function chosenNetwork() {
  return networks[chosenRadio()?.value];
}

// Not always what the field shows: that cannot hold a line break, a name can.
export function ssid() {
  const network = chosenNetwork();
  return network ? network.ssid : field.ssid.value;
}

function showRows() {
  const network = chosenNetwork();
  const typed = !network && (chosenRadio() || networks.length === 0);
  // What is wrong with the name is said there, also of one that was chosen.
  show($("ssid-row"), typed || $("ssid-error").textContent !== "");
  show($("password-row"), !network || network.secure);
  show($("password-hint"), !network);
}

export function complain(name, words) {
  field[name].setAttribute("aria-invalid", words ? "true" : "false");
  say($(`${name}-error`), words);
  showRows();
}

export function onChoice() {
  field.ssid.value = chosenNetwork() ? ssid() : "";
  complain("ssid", "");
  complain("password", "");
}

// A name that is typed is another network, whatever was chosen before.
export function onTyped(event) {
  const name = event.target.id;
  const other = $("list").lastChild;
  if (name === "ssid" && other) other.firstChild.checked = true;
  if (name in field) complain(name, "");
}

export function drawNetworks(found) {
  const focused = document.activeElement;
  const typing = focused === field.ssid;
  const picking = $("list").contains(focused);
  const name = ssid();
  const wanted = chosenRadio() || name || typing;
  networks = found;
  const rows = found.map(networkRow);
  if (rows.length > 0) rows.push(networkRow(null, -1));
  $("list").replaceChildren(...rows);
  show($("list"), rows.length > 0);
  // A row that is typed into stays, also when the first half of the name is the name of another.
  const index = typing ? -1 : found.findIndex((network) => network.ssid === name);
  const radio = rows[index < 0 ? found.length : index]?.firstChild;
  if (radio && wanted) radio.checked = true;
  if (radio && picking) radio.focus();
  show($("networks"), true);
  showRows();
}

// Does nothing while the device is looking already.
export function lookForNetworks() {
  if (!scanning) scan(RESCAN_TRIES);
}

async function scan(tries) {
  scanning = true;
  say($("scan"), "Looking…");
  try {
    const answer = await ask("/scan");
    if (answer.ok) {
      const found = answer.body.networks;
      drawNetworks(found);
      const many = found.length === 1 ? "" : "s";
      say($("scan"), `${found.length || "No"} network${many} found.`);
      scanning = false;
      return;
    }
  } catch {
    // The next try, or the polling of the state, tells.
  }
  show($("networks"), true);
  if (tries > 0) {
    setTimeout(scan, RESCAN_MS, tries - 1);
    return;
  }
  say($("scan"), "The device cannot look for networks now.");
  scanning = false;
}
