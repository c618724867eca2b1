// `npm start`: the whole chain, as `prov run` does it.
process.argv.splice(2, 0, "run");
await import("./cli/main.js");

export {};
