import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** Each C file with those that it points at: the files that define the functions and variables it uses. */
export type CGraph = ReadonlyMap<string, readonly string[]>;

const COMMENT_OR_TEXT = /\/\*[\s\S]*?\*\/|\/\/.*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'/g;
const PARAMETERS = String.raw`\((?:[^();{}]|\([^()]*\))*\)`;
/** Column 0 is the file's level. */
const DEFINITION = new RegExp(
  String.raw`^(?!extern\b|typedef\b)(static )?[A-Za-z]\w*[\w *]*?[ *](\w+)(?:${PARAMETERS}\s*\{|(?:\[[^\]]*\])*(?: = [^;]|;))`,
  "gm",
);
const INLINE_FUNCTION = /^static inline [^;{]*?(\w+)\([^;{]*\{([\s\S]*?)^\}/gm;
const MACRO = /^[ \t]*#[ \t]*define (\w*[A-Z]\w*)((?:\\\n|.)*)/gm;
/** The first half of a name; the second one is written elsewhere. */
const PASTED = /(\w+)##\w/g;
/** Not a member of a structure. */
const NAME = /(?<!\.|->|\w)[A-Za-z_]\w*/g;

/**
 * Reads the C files and headers of folders, as clang-format leaves them. What a macro defines is not seen; what a
 * header's inline functions and its macros with a capital in their name use is used by whoever names them.
 * @param folders of one program, relative to the root, as the graph's paths are
 */
export function readCGraph(...folders: readonly string[]): CGraph {
  const files = folders.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => /\.[ch]$/.test(name))
      .map((name) => join(folder, name)),
  );
  return cGraph(new Map(files.map((file) => [file, readFileSync(join(ROOT, file), "utf8")])));
}

/** The graph of sources, given as text by name. */
export function cGraph(sources: ReadonlyMap<string, string>): CGraph {
  const homes = new Map<string, string>();
  const locals = new Set<string>();
  const bodies = new Map<string, string>();
  const texts = new Map<string, string>();
  for (const [file, source] of sources) {
    const text = source.replace(COMMENT_OR_TEXT, " ");
    if (file.endsWith(".h")) {
      for (const pattern of [INLINE_FUNCTION, MACRO])
        for (const [, name = "", body = ""] of text.matchAll(pattern)) bodies.set(name, body);
    } else {
      texts.set(file, text);
      for (const [, isLocal, name = ""] of text.matchAll(DEFINITION))
        if (isLocal === undefined) homes.set(name, file);
        else locals.add(`${file} ${name}`);
    }
  }
  const namesOf = (text: string) => [...text.matchAll(NAME)].map(([name]) => name);
  const graph = new Map<string, string[]>();
  for (const [file, text] of texts) {
    const used = reachable(namesOf(text), (name) => namesOf(bodies.get(name) ?? ""));
    for (const [, prefix = ""] of text.matchAll(PASTED))
      for (const name of homes.keys())
        if (name.startsWith(prefix) && used.has(name.slice(prefix.length))) used.add(name);
    const foreign = [...used].filter((name) => !locals.has(`${file} ${name}`));
    const targets = new Set(foreign.map((name) => homes.get(name) ?? file));
    targets.delete(file);
    graph.set(file, [...targets]);
  }
  return graph;
}

/** The edges of the graph as the linker sees them, by the symbols of the objects: what edgesOf() gives. */
export async function linkedEdges(objects: readonly string[], nm = "nm"): Promise<string[]> {
  const { stdout } = await run(nm, ["-A", ...objects], { maxBuffer: 1 << 24 });
  const symbols = [...stdout.matchAll(/^(?:.*\/)?(\w+)(?:\.c)?\.o:.* ([A-Z]) (.*)$/gm)];
  const homes = new Map(symbols.map(([, file, kind, name]) => [kind === "U" ? "" : name, file]));
  const edges = symbols.flatMap(([, file, kind, name]) => {
    const home = kind === "U" ? homes.get(name) : undefined;
    return home === undefined ? [] : [`${file}.c → ${home}.c`];
  });
  return [...new Set(edges)].sort();
}

/** `user → home`, without the folders. */
export function edgesOf(graph: CGraph): string[] {
  const edges = [...graph].flatMap(([user, homes]) =>
    homes.map((home) => `${basename(user)} → ${basename(home)}`),
  );
  return edges.sort();
}

/** The circles of a graph: groups of files each of which reaches all of them (strongly connected components). */
export function circlesOf(graph: CGraph): string[][] {
  const circles = new Set<string>();
  const reachedFrom = (file: string) =>
    reachable(graph.get(file) ?? [], (other) => graph.get(other) ?? []);
  for (const file of graph.keys()) {
    const circle = [...reachedFrom(file)].filter((other) => reachedFrom(other).has(file));
    if (circle.length > 0) circles.add(circle.sort().join(" "));
  }
  return [...circles].sort().map((circle) => circle.split(" "));
}

function reachable(starts: readonly string[], next: (node: string) => readonly string[]) {
  const reached = new Set<string>();
  const waiting = [...starts];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if (reached.has(node)) continue;
    reached.add(node);
    waiting.push(...next(node));
  }
  return reached;
}
