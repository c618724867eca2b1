#!/usr/bin/env node
// Builds and boots the WiFi lab's VM and runs one of test/wifi-lab/*.ts in it:
//   node scripts/wifi-lab/run.mjs [JOB] [ONLY]
// JOB is `main` (the scenarios, the default) or `record`; ONLY is a part of the names of scenarios.
// Exit status: that of the job. Where the lab cannot run it prints why and exits 0, so that a pipeline
// without its packages goes on; with PROV_WIFI_LAB=required it exits 77 instead.
import { spawn, spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const CACHE = join(ROOT, ".cache", "wifi-lab");
const JOB_DIR = join(CACHE, "job");
const UNAVAILABLE = process.env.PROV_WIFI_LAB === "required" ? 77 : 0;

const TOOLS = {
  "qemu-system-x86_64": "qemu-system-x86",
  mmdebstrap: "mmdebstrap",
  mksquashfs: "squashfs-tools",
  cpio: "cpio",
  busybox: "busybox-static",
  depmod: "kmod",
  python3: "python3",
  "apt-get": "apt",
};

function say(line) {
  process.stderr.write(`wifi-lab: ${line}\n`);
}

function unavailable(why) {
  say(`skipped, it cannot run here: ${why}`);
  process.exit(UNAVAILABLE);
}

function onPath(command) {
  return [...(process.env.PATH ?? "").split(":"), "/usr/sbin", "/sbin"].some((dir) => {
    try {
      accessSync(join(dir, command), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function installTools() {
  const missing = Object.keys(TOOLS).filter((tool) => !onPath(tool));
  if (missing.length === 0) return;
  if (!onPath("apt-get"))
    unavailable(`it is built from Debian packages, and there is no apt-get (missing: ${missing})`);
  const packages = missing.map((tool) => TOOLS[tool]);
  if (process.getuid?.() !== 0)
    unavailable(`install first: sudo apt-get install ${packages.join(" ")}`);
  say(`installing ${packages.join(" ")}`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const args = ["install", "-y", "-qq", "--no-install-recommends", ...packages];
  const install = () =>
    spawnSync("apt-get", args, { env, stdio: ["ignore", "ignore", "inherit"] }).status === 0;
  if (install()) return;
  spawnSync("apt-get", ["update", "-qq"], { env, stdio: "ignore" });
  if (!install()) unavailable(`these packages could not be installed: ${packages.join(" ")}`);
}

function buildImage() {
  if (process.getuid?.() !== 0)
    unavailable("building the VM's root file system needs root (use sudo)");
  const build = spawnSync("sh", [join(ROOT, "scripts/wifi-lab/build.sh"), CACHE], {
    stdio: ["ignore", 2, 2],
  });
  if (build.status !== 0) unavailable("its kernel and packages could not be fetched (see above)");
}

function compile() {
  const out = join(CACHE, "js");
  const compiler = join(ROOT, "node_modules/typescript/bin/tsc");
  const args = [compiler, "-p", join(ROOT, "tsconfig.json"), "--noEmit", "false", "--outDir", out];
  const tsc = spawnSync(process.execPath, args, { cwd: ROOT, encoding: "utf8" });
  if (!existsSync(join(out, "test/wifi-lab"))) {
    say(`the TypeScript does not compile:\n${tsc.stdout}`);
    process.exit(1);
  }
}

/** Builds the firmware that the board in the VM runs. */
function prepareBoard() {
  const script = join(CACHE, "js", "test", "wifi-lab", "prepare.js");
  const { status } = spawnSync(process.execPath, [script, ROOT], { stdio: ["ignore", 2, 2] });
  if (status !== 0) {
    say("the firmware for the lab's board could not be built (see above)");
    process.exit(1);
  }
}

function boot(job, only) {
  rmSync(JOB_DIR, { recursive: true, force: true });
  mkdirSync(JOB_DIR, { recursive: true });
  writeFileSync(join(JOB_DIR, "only"), only);
  const shares = {
    repo: `local,id=repo,path=${ROOT},security_model=none,readonly=on`,
    job: `local,id=job,path=${JOB_DIR},security_model=none`,
  };
  const args = [
    ...["-machine", "q35", "-accel", "tcg,thread=multi,tb-size=256", "-cpu", "max", "-smp", "2"],
    ...["-m", "1024", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"],
    ...["-serial", "stdio", "-monitor", "none", "-kernel", join(CACHE, "vmlinux")],
    ...["-initrd", join(CACHE, "initrd.cpio"), "-drive"],
    `if=none,id=root,file=${join(CACHE, "root.sqfs")},format=raw,readonly=on`,
    ...["-device", "virtio-blk-pci,drive=root"],
    ...Object.entries(shares).flatMap(([tag, share]) => [
      ...["-fsdev", share, "-device"],
      `virtio-9p-pci,fsdev=${tag},mount_tag=${tag}`,
    ]),
    "-append",
    `console=ttyS0 quiet loglevel=3 mitigations=off nokaslr audit=0 random.trust_cpu=on panic=-1 rcupdate.rcu_expedited=1 lab.job=${job}`,
  ];
  const vm = spawn("qemu-system-x86_64", args, { stdio: ["ignore", "pipe", "inherit"] });
  const stop = () => vm.kill("SIGKILL");
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  let status = 1;
  createInterface({ input: vm.stdout }).on("line", (line) => {
    const exit = /^LAB-EXIT (\d+)/.exec(line);
    if (exit) status = Number(exit[1]);
    else process.stdout.write(`${line}\n`);
  });
  vm.once("close", () => process.exit(status));
}

installTools();
buildImage();
compile();
prepareBoard();
boot(process.argv[2] ?? "main", process.argv[3] ?? "");
