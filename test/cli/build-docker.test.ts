import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { AP_PASSWORD, BUILDABLE, folderOf, type IdfStandIn, idfStandIn } from "../helpers/idf.js";
import { projectWith, temporaryDir } from "../helpers/project.js";
import { prov, REPOSITORY } from "../helpers/prov.js";

describe("--docker", () => {
  /** A docker that records its arguments and runs the command in them here. */
  function dockerStandIn(idf: IdfStandIn, script?: string): { bin: string; argv(): string[] } {
    const bin = temporaryDir();
    const log = join(bin, "argv");
    writeFileSync(
      join(bin, "docker"),
      script ??
        `#!/bin/sh\nprintf '%s\\n' "$@" > "${log}"\nwhile [ "$1" != idf.py ]; do shift; done\nshift\nexec "${idf.path}/tools/idf.py" "$@"\n`,
    );
    chmodSync(join(bin, "docker"), 0o755);
    return { bin, argv: () => readFileSync(log, "utf8").trimEnd().split("\n") };
  }

  test("runs idf.py in the image, as this user, with only the sources and the build folder", async () => {
    const cwd = projectWith(BUILDABLE);
    const idf = idfStandIn();
    const docker = dockerStandIn(idf);
    const { code, stdout, stderr } = await prov(["build", "--docker", "--json"], {
      cwd,
      env: { PATH: `${docker.bin}:${process.env.PATH}`, IDF_PATH: "", PROV_TOKEN: "secret-token" },
    });
    expect(stderr).toContain("application 1000000 of 2031616 bytes");
    expect(code).toBe(0);
    expect(JSON.parse(stdout).target).toBe("esp32c3");
    const argv = docker.argv();
    const [call] = idf.calls();
    const folder = folderOf(call);
    const firmware = join(REPOSITORY, "firmware");
    const image = argv.indexOf("espressif/idf:release-v5.5");
    expect(argv.slice(0, image)).toEqual([
      ...["run", "--rm", "--user", `${process.getuid?.()}:${process.getgid?.()}`],
      ...["-e", "HOME=/tmp", "--init"],
      ...["-v", `${firmware}:${firmware}`, "-v", `${folder}:${folder}`, "-w", firmware],
    ]);
    expect(argv.slice(image + 1)).toEqual(["idf.py", ...(call?.argv ?? [])]);
    const key = readFileSync(
      join(cwd, ".prov", "devices", "fern", "identity", "key.pem"),
      "utf8",
    ).split("\n");
    for (const secret of [AP_PASSWORD, "secret-token", ...key.slice(1, -2)])
      expect(JSON.stringify([argv, call?.env])).not.toContain(secret);
  });

  test("--idf-image chooses the image", async () => {
    const idf = idfStandIn();
    const docker = dockerStandIn(idf);
    const args = ["build", "--docker", "--idf-image", "espressif/idf:release-v6.0"];
    const { code } = await prov(args, {
      cwd: projectWith(BUILDABLE),
      env: { PATH: `${docker.bin}:${process.env.PATH}` },
    });
    expect(code).toBe(0);
    expect(docker.argv()).toContain("espressif/idf:release-v6.0");
  });

  test("a daemon that does not run: exit 10 with docker's word", async () => {
    const script = `#!/bin/sh
cat >&2 <<'END'
docker: Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?

Run 'docker run --help' for more information
END
exit 125
`;
    const docker = dockerStandIn(idfStandIn(), script);
    const { code, stdout } = await prov(["build", "--docker", "--json"], {
      cwd: projectWith(BUILDABLE),
      env: { PATH: `${docker.bin}:${process.env.PATH}` },
    });
    expect(code).toBe(10);
    const { error } = JSON.parse(stdout);
    expect(error.code).toBe("tool_missing");
    expect(error.message).toBe(
      "docker failed: Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
    );
    expect(error.hint).toContain("docker run hello-world");
  });

  test("no docker: exit 10", async () => {
    const { code, stdout } = await prov(["build", "--docker", "--json"], {
      cwd: projectWith(BUILDABLE),
      // bash is needed, docker is not there.
      env: { PATH: `${binWith("bash")}` },
    });
    expect(code).toBe(10);
    expect(JSON.parse(stdout).error.message).toBe("docker is not installed or not on the PATH");
  });
});

/** A folder for PATH that holds only these commands. */
function binWith(...commands: string[]): string {
  const bin = temporaryDir();
  for (const command of commands)
    writeFileSync(join(bin, command), `#!/bin/sh\nexec /bin/${command} "$@"\n`, { mode: 0o755 });
  return bin;
}
