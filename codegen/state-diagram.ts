import { fillBetween } from "./markdown.js";

/** The table in words, as `scripts/state-machine.mjs` prints it, relative to the project root. */
export const STATE_MACHINE_PATH = "test/golden/state-machine.txt";
/** Where the diagram stands. */
export const STATE_DIAGRAM_PATH = "docs/DESIGN.md";

const EVERYWHERE = "any state";
const SECTION = /^([A-Z_]+|any state)\n((?: {2}.*\n)+)/gm;
const MOVE = /^ {2}(\w+) → (\w+):/gm;

interface Move {
  readonly from: string;
  readonly event: string;
  readonly to: string;
}

/**
 * The text with the diagram of what changes the state, between its markers.
 * @param machine the table in words
 */
export function fillStateDiagram(text: string, machine: string): string {
  return fillBetween(text, "states", stateDiagram(machine));
}

function stateDiagram(machine: string): string {
  const moves = movesOf(machine);
  const arrows = new Map<string, string[]>();
  for (const { from, event, to } of moves.filter((move) => move.from !== EVERYWHERE)) {
    const arrow = `${from} --> ${to}`;
    arrows.set(arrow, [...(arrows.get(arrow) ?? []), event]);
  }
  const everywhere = moves.filter((move) => move.from === EVERYWHERE);
  return [
    "```mermaid",
    "stateDiagram-v2",
    "    [*] --> INIT",
    ...[...arrows].map(([arrow, events]) => `    ${arrow}: ${events.join(", ")}`),
    "```",
    "",
    `In any state: ${everywhere.map(({ event, to }) => `${event} → ${to}`).join(", ")}. What each of these events means, what`,
    `is done and in which order, and what leaves the state as it is: \`${STATE_MACHINE_PATH}\`.`,
  ].join("\n");
}

function movesOf(machine: string): Move[] {
  return [...machine.matchAll(SECTION)].flatMap(([, from = "", edges = ""]) =>
    [...edges.matchAll(MOVE)].map(([, event = "", to = ""]) => ({ from, event, to })),
  );
}
