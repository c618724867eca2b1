import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openAuthority } from "../../cli/lab/pki/authority.js";
import {
  BACKEND_PORT,
  BROKER_PORT,
  DEVICE_ID,
  FULL_BOARD_DIR,
  SERVICES_ADDRESS,
} from "./full-board.js";

/**
 * Run on the host before the VM boots (`prepare.js ROOT`): a CA, a project whose manifest names the
 * lab's servers, and the firmware built from it by the real `prov build`.
 */
const [root = ""] = process.argv.slice(2);
const dir = join(root, FULL_BOARD_DIR);
const cli = fileURLToPath(new URL("../../cli/main.js", import.meta.url));
mkdirSync(dir, { recursive: true, mode: 0o700 });
await openAuthority(join(dir, "ca"));
const device = {
  id: DEVICE_ID,
  target: "host",
  backend: { url: `https://${SERVICES_ADDRESS}:${BACKEND_PORT}`, ca: "ca/ca.pem" },
  mqtt: { uri: `mqtts://${SERVICES_ADDRESS}:${BROKER_PORT}`, statusIntervalSeconds: 5 },
};
const manifest = `import { defineDevice } from "prov";\n\nexport default defineDevice(${JSON.stringify(device, null, 2)});\n`;
writeFileSync(join(dir, "device.config.ts"), manifest);
if (!existsSync(join(dir, ".prov", "devices", DEVICE_ID, "identity", "key.pem"))) prov("keys");
prov("build", "--target", "host");

function prov(...args: string[]): void {
  const { status } = spawnSync(process.execPath, [cli, ...args, "--quiet"], {
    cwd: dir,
    stdio: ["ignore", "ignore", "inherit"],
  });
  if (status !== 0) process.exit(1);
}
