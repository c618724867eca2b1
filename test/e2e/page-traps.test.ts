import { describe, expect, it } from "vitest";
import { FAILURE_WORDS } from "../../codegen/page-words.js";
import { auditPage } from "../helpers/browser.js";
import { fail, network } from "../helpers/paper-device.js";
import {
  choose,
  chooseAt,
  connect,
  context,
  device,
  fillRest,
  joining,
  lookAgain,
  NETWORKS,
  nameRow,
  ODD_NAMES,
  open,
  openWithList,
  page,
  radio,
  send,
  type,
} from "../helpers/paper-page.js";

describe("the name that is sent", () => {
  it("is the one typed after Connect was pressed with nothing chosen", async () => {
    await openWithList();
    await fillRest();
    await connect();
    await page.getByText("Choose your WiFi in the list, or enter its name.").waitFor();
    expect(device.sent).toEqual([]);
    await type("Hidden");
    expect(await radio("Another network").isChecked()).toBe(true);
    expect(await send()).toMatchObject({ ssid: "Hidden" });
  });

  it("is the one chosen after Connect was pressed with nothing chosen", async () => {
    await openWithList();
    await fillRest();
    await connect();
    await choose("Home");
    expect(await nameRow().isVisible()).toBe(false);
    expect(await send()).toMatchObject({ ssid: "Home" });
  });

  it("is the last of those chosen and typed, in either order", async () => {
    await openWithList();
    await choose("Home");
    await choose("Another network");
    expect(await nameRow().inputValue()).toBe("");
    await type("Typed");
    await choose("Neighbour 7");
    await fillRest();
    expect(await send()).toMatchObject({ ssid: "Neighbour 7" });
  });

  it("is the one typed over a chosen one that could not be joined", async () => {
    await openWithList();
    await choose("Home");
    await fillRest();
    await send();
    fail(device, "wifi_ap_not_found");
    await page.getByText(FAILURE_WORDS.wifi_ap_not_found).waitFor();
    await type("Home-5G");
    await connect();
    await joining();
    expect(device.sent[1]).toMatchObject({ ssid: "Home-5G" });
  });

  it.each([
    ["Typed", "Another network"],
    ["Home", "Home"],
  ])("is %j, typed before there was a list, and then it is %j there", async (name, row) => {
    device.networks = "busy";
    await open();
    await type(name);
    await page.getByLabel("WiFi password").fill("password");
    device.networks = NETWORKS;
    await radio(row).waitFor();
    expect(await radio(row).isChecked()).toBe(true);
    await fillRest();
    expect(await send()).toMatchObject({ ssid: name });
  });

  it("can be finished when the list comes in the middle of it", async () => {
    device.networks = "busy";
    await open();
    await nameRow().pressSequentially("Home");
    device.networks = NETWORKS;
    await radio("Home").waitFor();
    await page.keyboard.type("-5G");
    await fillRest();
    expect(await send()).toMatchObject({ ssid: "Home-5G" });
  });

  it("stays when the list is drawn again, with the network and without it", async () => {
    await openWithList();
    await choose("Home");
    await fillRest();
    device.networks = [network("New"), ...NETWORKS];
    await lookAgain();
    await radio("New").waitFor();
    expect(await radio("Home").isChecked()).toBe(true);
    device.networks = [network("New")];
    await lookAgain();
    await page.getByText("1 network found.").waitFor();
    expect(await nameRow().inputValue()).toBe("Home");
    device.networks = [];
    await lookAgain();
    await page.getByText("No networks found.").waitFor();
    expect(await send()).toMatchObject({ ssid: "Home" });
  });

  it.each(
    ODD_NAMES.map((name) => [name, NETWORKS.findIndex(({ ssid }) => ssid === name)] as const),
  )("is %j to the byte", async (name, index) => {
    await openWithList();
    await chooseAt(index);
    await fillRest();
    expect(await send()).toMatchObject({ ssid: name });
    expect(await auditPage(page)).toEqual([]);
  });
});

describe("the rest of the form", () => {
  it("keeps a password for another choice, and sends none to an open network", async () => {
    await openWithList();
    await choose("Home");
    await fillRest();
    await choose("Cafe");
    expect(await page.getByLabel("WiFi password").isVisible()).toBe(false);
    await choose("Home");
    expect(await page.getByLabel("WiFi password").inputValue()).toBe("password");
    await choose("Cafe");
    expect(await send()).toMatchObject({ ssid: "Cafe", password: "" });
  });

  it("asks for the password of a network that is typed, when the list knows that it has one", async () => {
    await openWithList();
    await choose("Another network");
    await type("Home");
    await fillRest("");
    await connect();
    await page.getByText("Enter the password of this WiFi.").waitFor();
    await fillRest();
    expect(await send()).toMatchObject({ ssid: "Home", password: "password" });
  });

  it("sends a long token whole, without the breaks of the mail it came in", async () => {
    await openWithList();
    await choose("Home");
    await fillRest("password", ` ${"a".repeat(2000)}\n ${"b".repeat(2096)}\t`);
    expect(await send()).toMatchObject({
      provisioning_token: "a".repeat(2000) + "b".repeat(2096),
    });
  });

  it("is sent once, however often Connect is pressed", async () => {
    await openWithList();
    await choose("Home");
    await fillRest();
    await page.getByRole("button", { name: "Connect", exact: true }).dblclick();
    await joining();
    expect(device.sent).toHaveLength(1);
  });

  it.each(["1970-01-02", "2150-01-01"])("leaves out the time of a phone in %s", async (date) => {
    await context.clock.setFixedTime(new Date(date));
    await openWithList();
    await choose("Home");
    await fillRest();
    expect(await send()).not.toHaveProperty("time");
  });

  it("can be sent again after the device did not answer", async () => {
    await openWithList();
    await choose("Home");
    await fillRest();
    device.isGone = true;
    await connect();
    await page.getByRole("alert").getByText("The device did not answer.").waitFor();
    device.isGone = false;
    expect(await send()).toMatchObject({ ssid: "Home" });
  });

  it("works where the browser forbids storage", async () => {
    await context.addInitScript(
      'Object.defineProperty(window, "localStorage", { get() { throw new Error("forbidden"); } })',
    );
    await openWithList();
    await choose("Home");
    await fillRest();
    await send();
    fail(device, "wifi_wrong_password");
    await page.getByText(FAILURE_WORDS.wifi_wrong_password).waitFor();
  });
});
