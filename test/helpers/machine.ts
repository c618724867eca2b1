import { spawnSync } from "node:child_process";
import {
  accessSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { temporaryDir } from "./project.js";
import { REPOSITORY } from "./prov.js";

export const COMMANDS =
  "cc cmake ninja pkg-config socat openssl curl mosquitto mosquitto_sub python3 chromium".split(
    " ",
  );
/** The suite can do without them, so that their absence fails nothing. */
export const OPTIONAL_COMMANDS = ["ccache", "riscv64-unknown-elf-gcc", "certtool", "certutil"];
export const ROOT_USER = "data:text/javascript,process.getuid=()=>0";
export const PLAIN_USER = "data:text/javascript,process.getuid=()=>1000";
export const UPDATE = "apt-get update -q";
export const INSTALL = "apt-get install -q -y --no-install-recommends";

export interface Machine {
  /** The repository's copy that is set up. */
  root: string;
  /** Everything on the PATH. */
  bin: string;
  /** Puts a command on the PATH that records its call, then runs `script`. */
  add(command: string, script?: string): void;
  remove(...commands: string[]): void;
  setup(...args: string[]): { code: number | null; stdout: string; stderr: string };
  /** The calls since the last question. */
  calls(): string[];
}

/** A machine that has everything but npm packages; its PATH holds stand-ins alone. */
export function machine(user = ROOT_USER): Machine {
  const root = temporaryDir();
  const bin = join(root, "bin");
  const log = join(root, "calls");
  for (const dir of ["bin", "scripts", "codegen", "cli/flow"])
    mkdirSync(join(root, dir), { recursive: true });
  for (const name of ["run.ts", "tsconfig.json", "tsconfig.build.json", "package.json"])
    copyFileSync(join(REPOSITORY, name), join(root, name));
  copyFileSync(join(REPOSITORY, "scripts", "setup.mjs"), join(root, "scripts", "setup.mjs"));
  writeFileSync(join(root, "package-lock.json"), "{}");
  writeFileSync(join(root, "cli", "main.ts"), "");
  writeFileSync(join(root, "cli", "flow", "build.ts"), "");
  const self: Machine = {
    root,
    bin,
    add: (command, script = "") =>
      writeFileSync(
        join(bin, command),
        `#!/bin/sh\necho "${command} $*" >> "${log}"\n${script}\n`,
        { mode: 0o755 },
      ),
    remove: (...commands) => {
      for (const command of commands) rmSync(join(bin, command));
    },
    setup: (...args) => {
      const { status, stdout, stderr } = spawnSync(
        process.execPath,
        ["--import", user, join(root, "scripts", "setup.mjs"), ...args],
        { encoding: "utf8", env: { PATH: bin } },
      );
      return { code: status, stdout, stderr };
    },
    calls: () => {
      if (!existsSync(log)) return [];
      const lines = readFileSync(log, "utf8").trim().split("\n");
      rmSync(log);
      return lines;
    },
  };
  for (const command of [...COMMANDS, ...OPTIONAL_COMMANDS]) self.add(command);
  // The compiler comes with the npm packages.
  const tsc = `require("fs").appendFileSync("${log}", "tsc " + process.argv.slice(2).join(" ") + "\\n"); require("fs").mkdirSync("dist/cli", { recursive: true }); require("fs").writeFileSync("dist/cli/main.js", "");`;
  self.add(
    "npm",
    `/bin/mkdir -p node_modules/typescript/bin\ncat_tsc() { /bin/cat > node_modules/typescript/bin/tsc; }\ncat_tsc <<'END'\n${tsc}\nEND`,
  );
  return self;
}

/** Gives the machine apt: installing brings the commands that are named. */
export function addApt(self: Machine, brings: readonly string[]): void {
  symlinkSync("/usr/bin/env", join(self.bin, "env"));
  const make = brings.map(
    (command) =>
      `printf '#!/bin/sh\\n' > "${join(self.bin, command)}"; /bin/chmod 755 "${join(self.bin, command)}"`,
  );
  self.add("apt-get", `[ "$1" = install ] || exit 0\n${make.join("\n")}`);
}

/** Puts loud stand-ins where the second run must not go. */
export function forbid(self: Machine, ...commands: string[]): void {
  for (const command of commands) self.add(command, "exit 99");
}

/** Set-up also looks into the sbin folders, which a user's PATH often lacks. */
export function inSbin(command: string): boolean {
  return ["/usr/sbin", "/sbin", "/usr/local/sbin"].some((dir) => {
    try {
      accessSync(join(dir, command));
      return true;
    } catch {
      return false;
    }
  });
}
