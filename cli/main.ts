#!/usr/bin/env node
import { EXIT, HOST_FAILURES } from "./errors.js";
import { isNodeSupported, NODE_AT_LEAST } from "./node-version.js";
import { readVersion } from "./paths.js";

// What is imported above, and what is called below, even an old Node has: it is there to tell of one.
if (isNodeSupported(process.versions.node)) {
  await import("./command-line.js");
} else {
  const code = "node_unsupported";
  const { stage, hint } = HOST_FAILURES[code];
  const message = `prov needs Node >= ${NODE_AT_LEAST.join(".")}, this is ${process.versions.node}`;
  if (process.argv.includes("--json")) {
    const document = { ok: false, version: readVersion(), error: { code, stage, message, hint } };
    process.stdout.write(`${JSON.stringify(document)}\n`);
  } else {
    process.stderr.write(`error ${code}: ${message}\nnext: ${hint}\n`);
  }
  process.exitCode = EXIT[stage];
}
