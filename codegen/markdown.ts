export function markdownTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(" | ")} |`;
  return [line(head), `|${"---|".repeat(head.length)}`, ...rows.map(line)].join("\n");
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}

/**
 * The document with `content` between the lines `<!-- name -->` and `<!-- /name -->`.
 * @param comment what begins and ends a comment there
 * @throws Error when these are not there exactly once
 */
export function fillBetween(
  document: string,
  name: string,
  content: string,
  [open, close]: readonly [string, string] = ["<!--", "-->"],
): string {
  const lines = document.split("\n");
  const [start, end] = [name, `/${name}`].map((mark) => {
    const marker = `${open} ${mark} ${close}`.trim();
    const first = lines.findIndex((line) => line.trim() === marker);
    if (first < 0 || lines.findLastIndex((line) => line.trim() === marker) !== first)
      throw new Error(`${marker} must be there once`);
    return first;
  });
  return [...lines.slice(0, (start ?? 0) + 1), content, ...lines.slice(end)].join("\n");
}

/** `the CA to pin` as a sentence; what begins with no word (a URL, code) keeps its first letter. */
export function sentence(text: string): string {
  return `${text.replace(/^[a-z]+(?=[ ,';]|$)/, (word) => word.charAt(0).toUpperCase() + word.slice(1))}.`;
}
