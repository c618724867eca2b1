import { describe, expect, test } from "vitest";
import { parseLink, parseScan, parseSupplicantLine } from "../wifi-lab/radio-parse.js";

const SCAN = `BSS 02:00:00:00:02:00(on wlan3) -- associated
\tlast seen: 12.345s [boottime]
\tTSF: 1 usec (0d, 00:00:00)
\tfreq: 2437
\tbeacon interval: 100 TUs
\tcapability: ESS Privacy ShortSlotTime (0x0411)
\tsignal: -30.00 dBm
\tlast seen: 8 ms ago
\tSSID: Caf\\xc3\\xa9 : \\x5c net
\tRSN:\t * Version: 1
\t\t * Group cipher: CCMP
\t\t * Pairwise ciphers: CCMP
\t\t * Authentication suites: PSK
\t\t * Capabilities: 1-PTKSA-RC 1-GTKSA-RC (0x0000)
BSS 02:00:00:00:04:00(on wlan3)
\tfreq: 2462
\tsignal: -71.00 dBm
\tlast seen: 9000 ms ago
\tSSID: Gone
BSS 02:00:00:00:05:00(on wlan3)
\tfreq: 2462
\tcapability: ESS ShortSlotTime (0x0401)
\tsignal: -71.00 dBm
\tSSID: Guest
BSS 02:00:00:00:06:00(on wlan3)
\tfreq: 2412
\tcapability: ESS Privacy (0x0011)
\tsignal: -50.00 dBm
\tSSID: 
BSS 02:00:00:00:07:00(on wlan3)
\tfreq: 2412
\tcapability: ESS Privacy (0x0011)
\tsignal: -55.00 dBm
\tSSID: Both
\tRSN:\t * Version: 1
\t\t * Authentication suites: PSK SAE
`;

describe("the lab's radio", () => {
  test("a scan: names, channels, security; hidden and old ones left out", () => {
    expect(parseScan(SCAN, 5000)).toEqual([
      { ssid: "Café : \\ net", bssid: "02:00:00:00:02:00", rssi: -30, channel: 6, auth: "wpa2" },
      { ssid: "Guest", bssid: "02:00:00:00:05:00", rssi: -71, channel: 11, auth: "open" },
      { ssid: "Both", bssid: "02:00:00:00:07:00", rssi: -55, channel: 1, auth: "wpa2wpa3" },
    ]);
  });

  test("the link", () => {
    const text =
      "Connected to 02:00:00:00:02:00 (on wlan3)\n\tSSID: x\n\tfreq: 2437\n\tsignal: -30 dBm\n";
    expect(parseLink(text)).toEqual({ rssi: -30, channel: 6 });
  });

  test.each([
    [
      "wlan3: CTRL-EVENT-CONNECTED - Connection to 02:00:00:00:02:00 completed [id=0 id_str=]",
      { kind: "connected", bssid: "02:00:00:00:02:00" },
    ],
    [
      "wlan3: CTRL-EVENT-DISCONNECTED bssid=02:00:00:00:02:00 reason=15",
      { kind: "ended", reason: 15 },
    ],
    [
      "wlan3: CTRL-EVENT-AUTH-REJECT 02:00:00:00:02:00 auth_type=0 auth_transaction=2 status_code=1",
      { kind: "ended", reason: 202 },
    ],
    [
      "wlan3: CTRL-EVENT-ASSOC-REJECT bssid=02:00:00:00:02:00 status_code=17",
      { kind: "ended", reason: 203 },
    ],
    ["wlan3: Trying to associate with 02:00:00:00:02:00 (SSID='x' freq=2437 MHz)", null],
  ])("%s", (line, event) => {
    expect(parseSupplicantLine(line)).toEqual(event);
  });
});
