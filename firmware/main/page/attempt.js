// The attempt that this phone sent and the name of its network, "id name": whoever comes later is not
// told how it went, and a phone that lost the device's WiFi meanwhile is.
export let mine = "";
try {
  mine = localStorage.attempt || "";
} catch {
  // Storage may be forbidden: then only this very page knows.
}

// Keeps it for when the page is opened again; "" keeps nothing.
export function store(attempt) {
  try {
    localStorage.attempt = attempt;
  } catch {
    // As above.
  }
}

export function setMyAttempt(attempt) {
  mine = attempt;
  store(attempt);
}

export function isMine(status) {
  return status.attempt_id && mine.startsWith(`${status.attempt_id} `);
}

export function myNetwork() {
  return mine.slice(mine.indexOf(" ") + 1);
}

// Characters that are not seen, or that turn round what follows; the one inside emoji stays.
export function visible(ssid) {
  return ssid.replace(/[^\P{C}\u200d]/gu, "\ufffd");
}

// Isolated: a name from right to left leaves the sentence around it as it is.
export function myQuotedNetwork() {
  return `“\u2068${visible(myNetwork())}\u2069”`;
}
