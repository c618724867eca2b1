import { flashDevice } from "../../cli/serial/flasher.js";
import { readFlasherArgs } from "../../cli/serial/flasher-args.js";
import { DEFAULT_FLASH_BAUD } from "../../cli/serial/link.js";

/* One flash in a process of its own, as esptool's is: PORT FLASHER_ARGS [BAUD]; prints the report. */
const [port = "", flasherArgs = "", baud] = process.argv.slice(2);
const report = await flashDevice({
  port,
  flasherArgs: readFlasherArgs(flasherArgs),
  baud: baud === undefined ? DEFAULT_FLASH_BAUD : Number(baud),
});
process.stdout.write(JSON.stringify(report));
