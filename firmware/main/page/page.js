import { isMine, mine, myNetwork, myQuotedNetwork, setMyAttempt, store } from "./attempt.js";
import { MISSES_TO_MENTION, POLL_MS, WORDS } from "./constants.js";
import { $, ask, field, form, say, show } from "./dom.js";
import {
  complain,
  drawNetworks,
  lookForNetworks,
  networks,
  onChoice,
  onTyped,
  ssid,
} from "./networks.js";

const FIELD_OF_FAILURE = {
  wifi_wrong_password: "password",
  wifi_ap_not_found: "ssid",
  wifi_weak_security: "ssid",
  token_rejected: "token",
  certificate_expired: "token",
};

let device = null;
let lastState = "";
let lastView = "";
let misses = 0;
let sending = false;
// The form was asked for while the device is at work.
let editing = false;

// ---- the form ----

// To the first thing that is wrong, if there is any. Of a field it stands above it, where no keyboard covers it.
function pointOut() {
  const wrong = document.querySelector('.problem:not([hidden]), [aria-invalid="true"]');
  wrong?.focus({ preventScroll: true });
  wrong?.closest(".problem, form > div").scrollIntoView({ block: "center" });
  return wrong;
}

function bytes(text) {
  return new TextEncoder().encode(text).length;
}

function password() {
  return $("password-row").hidden ? "" : field.password.value;
}

function checkFields() {
  const words = WORDS.FIELD_WORDS;
  const name = ssid();
  const size = bytes(password());
  const key = size === RAW_KEY_HEX_DIGITS && /^[0-9a-f]+$/i.test(password());
  const secret = networks.find((network) => network.ssid === name)?.secure;
  const token = field.token.value.replace(/\s/g, "");
  field.token.value = token;
  const unchosen = "Choose your WiFi in the list, or enter its name.";
  const ssidWords = name === "" && networks.length > 0 ? unchosen : words.ssid;
  complain("ssid", name !== "" && bytes(name) <= SSID_MAX_BYTES ? "" : ssidWords);
  const fits =
    (size === 0 && !secret) ||
    (size >= PASSPHRASE_MIN_BYTES && size <= PASSPHRASE_MAX_BYTES) ||
    key;
  const missing = size === 0 && secret ? "Enter the password of this WiFi." : words.password;
  complain("password", fits ? "" : missing);
  const spent = token === "" && device?.certificate;
  complain("token", /^[!-~]+$/.test(token) || spent ? "" : words.provisioning_token);
  const paired = !device?.pairing_required || field.pairing.value !== "";
  complain("pairing", paired ? "" : words.pairing_secret);
}

function refused({ code, message }) {
  const words = WORDS.REFUSAL_WORDS[code] || message;
  const names = Object.keys(field);
  const bad = names.find((name) => message.startsWith(`${field[name].name}:`));
  // Of all the fields only the token can be that long.
  const name = { pairing_required: "pairing", too_large: "token" }[code] || bad;
  if (name) complain(name, bad ? WORDS.FIELD_WORDS[field[name].name] : words);
  else problem(words);
  pointOut();
}

function problem(words) {
  say($("problem"), words);
  show($("problem"), words !== "");
  if (words) $("problem").scrollIntoView({ block: "nearest" });
}

function setSending(now) {
  sending = now;
  $("connect").setAttribute("aria-disabled", String(now));
  say($("connect"), now ? "Sending…" : "Connect");
}

async function submit(event) {
  event.preventDefault();
  if (sending) return;
  problem("");
  checkFields();
  if (pointOut()) return;
  setSending(true);
  const before = mine;
  // crypto.randomUUID() is for https only.
  const attempt = `page-${crypto.getRandomValues(new Uint32Array(3)).join("-")}`;
  const now = Math.floor(Date.now() / 1000);
  try {
    device = device || (await ask("/status")).body;
    // Before it is sent: when the answer is lost, the attempt may be under way.
    setMyAttempt(`${attempt} ${ssid()}`);
    const body = JSON.stringify({
      ssid: ssid(),
      password: password(),
      device_id: device.device_id,
      provisioning_token: field.token.value,
      pairing_secret: field.pairing.value,
      attempt_id: attempt,
      // A phone with a wrong clock keeps it to itself: the device refuses such times.
      time: now > 17e8 && now < 41e8 ? now : undefined,
    });
    const answer = await ask("/provision", { method: "POST", body });
    if (answer.ok) {
      editing = false;
      draw({ ...device, state: "WIFI_CONNECTING", error: null, attempt_id: attempt });
      $("headline").focus();
    } else {
      setMyAttempt(before);
      refused(answer.body);
    }
  } catch {
    problem(
      "The device did not answer. Check that your phone is on the device's WiFi, then try again.",
    );
    pointOut();
  }
  setSending(false);
}

// ---- the outcome ----

function drawSteps(step, stuck) {
  [...$("steps").children].forEach((item, index) => {
    const now = index === step;
    item.className = index < step ? "done" : now ? `now${stuck ? " stuck" : ""}` : "";
    say(item.lastChild, index < step ? ": done" : now ? (stuck ? ": trouble" : ": now") : "");
  });
}

function drawOutcome(status) {
  const words = failureWords(status);
  const done = status.state === "MQTT_CONNECTED";
  say($("join"), isMine(status) ? `Join ${myQuotedNetwork()}` : "Join your WiFi");
  show(form, false);
  show($("outcome"), true);
  problem(done ? "" : words);
  say(
    $("headline"),
    done
      ? "Your device is online"
      : words
        ? "Not there yet: the device keeps trying"
        : "Connecting your device",
  );
  drawSteps(WORDS.STEP_OF_STATE[status.state] || 0, words !== "");
  show($("again"), words !== "" && !done);
  const online =
    "You can close this page. The device's own WiFi closes now; your phone goes back to yours.";
  const working =
    "This takes up to a minute. If your phone leaves the device's WiFi meanwhile, join it again.";
  say($("advice"), done ? online : words ? "" : working);
}

function drawForm(status) {
  const own = isMine(status);
  const words = own ? failureWords(status) : "";
  const name = words && FIELD_OF_FAILURE[status.error.code];
  show($("outcome"), false);
  show(form, true);
  show($("before"), status.error && !own);
  if (own && ssid() === "") {
    field.ssid.value = myNetwork();
    drawNetworks(networks);
  }
  problem(name ? "" : words);
  if (name) complain(name, words);
  if (words) pointOut();
  if (networks.length === 0) lookForNetworks();
}

// The network is named where the person may have meant another.
function failureWords(status) {
  const error = status.error;
  if (!error) return "";
  const words = WORDS.FAILURE_WORDS[error.code] || error.message;
  const named = isMine(status) && /^(wifi|dhcp)_/.test(error.code);
  return named ? `${myQuotedNetwork()}: ${words}` : words;
}

function draw(status) {
  const first = device === null;
  device = status;
  say($("device"), `${status.device_id} · firmware ${status.fw}`);
  say($("state"), `Device: ${WORDS.STATE_WORDS[status.state] || status.state}`);
  show($("pairing-row"), status.pairing_required);
  if (first && status.certificate) say($("token-hint"), "Only needed if you were given a new one.");
  lastState = status.state;
  // Drawn again, an unchanged state would wipe what the person is being told or is typing.
  const view = [status.state, status.error ? status.error.code : "", status.attempt_id].join();
  if (view === lastView) return;
  lastView = view;
  if (status.state === "AP_MODE") {
    editing = false;
    drawForm(status);
  } else if (
    status.state in WORDS.STEP_OF_STATE &&
    (!editing || status.state === "MQTT_CONNECTED")
  ) {
    drawOutcome(status);
  }
}

function lost() {
  misses++;
  if (misses < MISSES_TO_MENTION) return;
  const late = WORDS.STEP_OF_STATE[lastState] >= 1;
  // At the top of a long form the line below it is out of view.
  say($("device"), "Out of reach");
  say(
    $("state"),
    "No contact with the device. This page goes on when your phone is on the device's WiFi again.",
  );
  if (late) {
    say(
      $("advice"),
      "If the device's WiFi is gone from your phone's list, it is most likely online: it closes its WiFi then.",
    );
  }
}

async function poll() {
  let status = null;
  try {
    const answer = await ask("/status");
    status = answer.ok ? answer.body : null;
  } catch {
    // Counted below.
  }
  if (status) {
    misses = 0;
    draw(status);
    if (status.state === "MQTT_CONNECTED") {
      store("");
      return;
    }
  } else {
    lost();
  }
  setTimeout(poll, POLL_MS);
}

form.noValidate = true;
form.addEventListener("submit", submit);
form.addEventListener("input", onTyped);
$("list").addEventListener("change", onChoice);
$("rescan").addEventListener("click", lookForNetworks);
$("again").addEventListener("click", () => {
  editing = true;
  drawForm(device);
});
$("show").addEventListener("click", () => {
  const visible = field.password.type === "password";
  field.password.type = visible ? "text" : "password";
  $("show").setAttribute("aria-pressed", String(visible));
  say($("show"), visible ? "Hide" : "Show");
});
show($("show"), true);
show($("pairing-row"), false);
lookForNetworks();
poll();
