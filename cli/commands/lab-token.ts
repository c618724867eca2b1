import { ProvError } from "../errors.js";
import type { Verb } from "../verb.js";
import { type LabOptions, openLab, whichLab } from "./options/lab.js";

/** `prov lab token DEVICE`: a single-use provisioning token; stdout holds nothing else. */
export const labToken: Verb<LabOptions> = {
  name: "token",
  summary: "issue a provisioning token for a device",
  options: (command) => command.argument("<device>", "device id").addOption(whichLab()),
  async action(options, context, device = "") {
    const { DEVICE_ID_PATTERN } = await import("../../codegen/device-keys.js");
    if (!DEVICE_ID_PATTERN.test(device))
      throw new ProvError("usage", "a device id is 1 to 64 of A-Z, a-z, 0-9, _ and -");
    const lab = await openLab(options, context);
    const token = await lab.issueToken(device);
    return { json: { device, token }, text: token };
  },
};
