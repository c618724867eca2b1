import { afterAll, beforeAll, expect, it } from "vitest";
import { nextLine } from "../attack/board-log.js";
import { openRig, type Rig } from "../attack/rig.js";
import { longer } from "../helpers/longer.js";

const TROUBLE = "country ZZ -> 01, channel 13 -> 1 in country ZZ, clients 15 -> 4";

let rig: Rig;

beforeAll(async () => {
  rig = await openRig("radio", {
    forced: {
      CONFIG_PROV_WIFI_COUNTRY: '"ZZ"',
      CONFIG_PROV_SOFTAP_CHANNEL: "13",
      CONFIG_PROV_SOFTAP_MAX_CLIENTS: "15", // of the ten that an ESP32-C3 takes
    },
  });
});

afterAll(() => rig.stop());

it(
  "settings that the driver refuses: the AP is up on channel 1, says why, and provisions",
  async () => {
    rig.eraseNvs();
    const refusal = nextLine(rig.board, /Channel number 13 is out of range from 1 to 11/);
    await rig.powerOn();
    await refusal;
    const complaint = new RegExp(`the radio does not take the AP's settings: ${TROUBLE}$`);
    await nextLine(rig.board, complaint);
    await rig.apUp();
    expect(rig.board.announcedAp()).toMatchObject({ channel: 1, auth: "wpa2" });
    expect(rig.board.log.recent(100).join("\n")).toMatch(/AP_MODE ssid=\S+ channel=1$/m);
    await expect
      .poll(async () => (await rig.get("/status"))?.body, { timeout: longer(30_000), interval: 10 })
      .toMatchObject({
        state: "AP_MODE",
        error: {
          code: "radio_misconfigured",
          message: `the radio does not take the AP's settings and uses others (${TROUBLE})`,
        },
      });
    await nextLine(rig.board, complaint); // again, for whoever looks only now
    const online = rig.outcome();
    await rig.provision(rig.credentials(0));
    expect(await online).toBe("online");
    expect((await rig.get("/status"))?.body).toMatchObject({ error: null });
    expect(rig.board.log.recent(1000).filter((line) => line.startsWith("rst:"))).toHaveLength(1);
  },
  longer(120_000),
);
