import { PROV_FOLDER } from "../files/private-dir.js";
import { runTool } from "../processes/tool.js";
import { visible } from "../terminal/foreign-text.js";
import { type Check, warning } from "./doctor-check.js";

/** Whether git has taken in what `.prov/.gitignore` keeps out now: an older prov wrote none. */
export async function checkTracked(root: string, signal: AbortSignal): Promise<Check[]> {
  const args = ["ls-files", "--", PROV_FOLDER];
  const { exitCode, lines } = await runTool({ command: "git", args, cwd: root, signal });
  const tracked = exitCode === 0 ? lines.filter((line) => !line.endsWith(".gitignore")) : [];
  const [first] = tracked;
  if (first === undefined) return [];
  return [
    warning(
      "private keys",
      `git tracks ${tracked.length} files in ${PROV_FOLDER}, such as ${visible(first)}`,
      `Run \`git rm -r --cached ${PROV_FOLDER}\`; where others can read the repository, make new keys with \`prov keys --force\`.`,
    ),
  ];
}
