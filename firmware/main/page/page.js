(() => {
  const WORDS = "{{words}}";
  const POLL_MS = 1500;
  const REQUEST_TIMEOUT_MS = 8000;
  const RESCAN_MS = 2500;
  const RESCAN_TRIES = 8;
  const MISSES_TO_MENTION = 3;
  const STEP_OF_STATE = {
    WIFI_CONNECTING: 0,
    WIFI_CONNECTED: 1,
    CHECK_CERTIFICATES: 1,
    SUBMIT_CSR: 1,
    MQTT_CONNECTING: 2,
    MQTT_CONNECTED: 3,
  };
  const FIELD_OF_FAILURE = {
    wifi_wrong_password: "password",
    wifi_ap_not_found: "ssid",
    token_rejected: "token",
  };
  const $ = (id) => document.getElementById(id);
  const form = $("form");
  const field = {
    ssid: $("ssid"),
    password: $("password"),
    token: $("token"),
    pairing: $("pairing"),
  };

  let device = null;
  let networks = [];
  let lastState = "";
  let lastView = "";
  let misses = 0;
  let scanning = false;
  let sending = false;
  // The form was asked for while the device is at work.
  let editing = false;
  // What the person has seen of the attempt so far.
  let following = false;

  // Live regions speak on every change: only a change may touch them.
  function say(element, text) {
    if (element.textContent !== text) element.textContent = text;
  }

  function show(element, visible) {
    element.hidden = !visible;
  }

  function element(name, className, text) {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (text) made.textContent = text;
    return made;
  }

  async function ask(path, options) {
    const control = new AbortController();
    const timer = setTimeout(() => control.abort(), REQUEST_TIMEOUT_MS);
    try {
      const headers = { Accept: "application/json", "Content-Type": "application/json" };
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

  // ---- the list of networks ----

  function strength(rssi) {
    if (rssi >= -55) return [4, "very good signal"];
    if (rssi >= -67) return [3, "good signal"];
    return rssi >= -78 ? [2, "weak signal"] : [1, "very weak signal"];
  }

  function networkRow(network, index) {
    const row = element("label", "network");
    const radio = element("input");
    radio.type = "radio";
    radio.name = "choice";
    radio.value = index;
    row.append(radio, element("span", "name", network ? network.ssid : "Another network…"));
    if (network) {
      const [bars, words] = strength(network.rssi);
      if (!network.secure) row.append(element("span", "open", "no password"));
      const meter = element("span", "bars");
      meter.setAttribute("aria-hidden", "true");
      for (let bar = 1; bar <= 4; bar++) meter.append(element("i", bar <= bars ? "lit" : ""));
      row.append(meter, element("span", "spoken", words));
    }
    return row;
  }

  function chosen() {
    const radio = document.querySelector("#list input:checked");
    return radio ? { radio, network: networks[radio.value] } : null;
  }

  function onChoice() {
    const choice = chosen();
    for (const row of $("list").children) {
      row.classList.toggle("chosen", row.firstChild.checked);
    }
    const other = choice !== null && !choice.network;
    show($("ssid-row"), other || networks.length === 0);
    const open = choice !== null && !other && !choice.network.secure;
    show($("password-row"), !open);
    show($("password-hint"), choice === null || other);
    if (choice?.network) field.ssid.value = choice.network.ssid;
    if (open) field.password.value = "";
    complain("ssid", "");
  }

  function drawNetworks(found) {
    const choice = chosen();
    const wanted = choice ? field.ssid.value : null;
    networks = found;
    $("list").replaceChildren(...found.map(networkRow), networkRow(null, -1));
    const again = found.findIndex((network) => network.ssid === wanted);
    const index = wanted !== null && again < 0 ? found.length : again;
    if (index >= 0) $("list").children[index].firstChild.checked = true;
    show($("networks"), true);
    onChoice();
  }

  async function scan(tries) {
    scanning = true;
    say($("scan"), "Looking for networks…");
    try {
      const answer = await ask("/scan");
      if (answer.ok) {
        const found = answer.body.networks;
        drawNetworks(found);
        const many = found.length === 1 ? "1 network found." : `${found.length} networks found.`;
        say($("scan"), found.length > 0 ? many : "No network found.");
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

  // ---- the form ----

  function complain(name, words) {
    field[name].setAttribute("aria-invalid", words ? "true" : "false");
    say($(`${name}-error`), words);
  }

  function bytes(text) {
    return new TextEncoder().encode(text).length;
  }

  function checkFields() {
    const words = WORDS.FIELD_WORDS;
    const ssid = bytes(field.ssid.value);
    const password = field.password.value;
    const size = bytes(password);
    const key = /^[0-9a-f]{64}$/i.test(password);
    const choice = chosen();
    const secret = choice?.network?.secure;
    field.token.value = field.token.value.trim();
    const token = field.token.value;
    const picked = networks.length === 0 || choice;
    const ssidWords = picked ? words.ssid : "Choose your WiFi in the list.";
    complain("ssid", ssid >= 1 && ssid <= 32 && picked ? "" : ssidWords);
    const fits = (size === 0 && !secret) || (size >= 8 && size <= 63) || key;
    const missing = size === 0 && secret ? "Enter the password of this WiFi." : words.password;
    complain("password", fits ? "" : missing);
    const spent = token === "" && device !== null && device.certificate;
    complain("token", /^[!-~]+$/.test(token) || spent ? "" : words.provisioning_token);
    const paired = !pairingRequired() || field.pairing.value !== "";
    complain("pairing", paired ? "" : words.pairing_secret);
    // An error of the name shows below a row that a choice in the list hides.
    if (field.ssid.getAttribute("aria-invalid") === "true") show($("ssid-row"), true);
    const wrong = form.querySelector('[aria-invalid="true"]');
    if (wrong) wrong.focus();
    return !wrong;
  }

  function pairingRequired() {
    return device?.pairing_required === true;
  }

  // crypto.randomUUID() is for https only.
  function attemptId() {
    const random = crypto.getRandomValues(new Uint8Array(12));
    return `page-${Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
  }

  function refused(body) {
    const name = { ssid: "ssid", password: "password", provisioning_token: "token" }[
      body.message.split(":")[0]
    ];
    if (body.code === "bad_field" && name) {
      complain(name, WORDS.FIELD_WORDS[field[name].name]);
      field[name].focus();
    } else if (body.code === "pairing_required") {
      complain("pairing", WORDS.REFUSAL_WORDS.pairing_required);
      field.pairing.focus();
    } else {
      problem(WORDS.REFUSAL_WORDS[body.code] || body.message);
    }
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
    if (sending || !checkFields()) return;
    setSending(true);
    problem("");
    const body = JSON.stringify({
      ssid: field.ssid.value,
      password: field.password.value,
      device_id: device ? device.device_id : "",
      provisioning_token: field.token.value,
      pairing_secret: field.pairing.value,
      attempt_id: attemptId(),
      time: Math.floor(Date.now() / 1000),
    });
    try {
      const answer = await ask("/provision", { method: "POST", body });
      if (answer.ok) {
        editing = false;
        following = true;
        lastState = "WIFI_CONNECTING";
        say($("state"), `Device: ${WORDS.STATE_WORDS[lastState]}`);
        drawOutcome({ state: lastState, error: null });
        $("headline").focus();
      } else {
        refused(answer.body);
      }
    } catch {
      problem(
        "The device did not answer. Check that your phone is on the device's WiFi, then try again.",
      );
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
    const words = status.error ? failureWords(status.error) : "";
    const done = status.state === "MQTT_CONNECTED";
    show(form, false);
    show($("outcome"), true);
    problem(done ? "" : words);
    say(
      $("headline"),
      done ? "Your device is online" : words ? "Not there yet" : "Connecting your device",
    );
    drawSteps(STEP_OF_STATE[status.state] || 0, words !== "");
    show($("again"), words !== "" && !done);
    const online =
      "You can close this page. The device's own WiFi closes now; your phone goes back to yours.";
    const working =
      "This takes up to a minute. If your phone leaves the device's WiFi meanwhile, join it again.";
    say($("advice"), done ? online : words ? "" : working);
  }

  function drawForm(status) {
    show($("outcome"), false);
    show(form, true);
    problem(status.error ? failureWords(status.error) : "");
    if (following && status.error) {
      following = false;
      const name = FIELD_OF_FAILURE[status.error.code];
      const input = field[name] && !field[name].closest("[hidden]") ? field[name] : $("connect");
      if (name === "password") input.select();
      input.focus();
    }
  }

  function failureWords(error) {
    return WORDS.FAILURE_WORDS[error.code] || error.message;
  }

  function draw(status) {
    const first = device === null;
    device = status;
    say($("device"), `${status.device_id} · firmware ${status.fw}`);
    say($("state"), `Device: ${WORDS.STATE_WORDS[status.state] || status.state}`);
    show($("pairing-row"), status.pairing_required);
    if (status.pairing_required) say($("pairing-hint"), "It belongs to this device.");
    if (first && status.certificate)
      say($("token-hint"), "Only needed if you were given a new one.");
    lastState = status.state;
    // Drawn again, an unchanged state would wipe what the person is being told or is typing.
    const view = [status.state, status.error ? status.error.code : "", status.attempt_id].join();
    if (view === lastView) return;
    lastView = view;
    if (status.state === "AP_MODE") {
      editing = false;
      drawForm(status);
    } else if (status.state in STEP_OF_STATE && (!editing || status.state === "MQTT_CONNECTED")) {
      drawOutcome(status);
    }
  }

  function lost() {
    misses++;
    if (misses < MISSES_TO_MENTION) return;
    const late = STEP_OF_STATE[lastState] >= 1;
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
      if (status.state === "MQTT_CONNECTED") return;
    } else {
      lost();
    }
    setTimeout(poll, POLL_MS);
  }

  form.noValidate = true;
  form.addEventListener("submit", submit);
  form.addEventListener("input", (event) => {
    if (event.target.id in field) complain(event.target.id, "");
  });
  $("list").addEventListener("change", () => {
    const choice = chosen();
    if (choice && !choice.network) field.ssid.value = "";
    onChoice();
  });
  $("rescan").addEventListener("click", () => {
    if (!scanning) scan(RESCAN_TRIES);
  });
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
  scan(RESCAN_TRIES);
  poll();
})();
