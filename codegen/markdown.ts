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
 * @throws Error when these are not there exactly once
 */
export function fillBetween(document: string, name: string, content: string): string {
  const parts = document.split(
    new RegExp(`(?<=<!-- ${name} -->\n)[\\s\\S]*?(?=<!-- /${name} -->)`),
  );
  const [before, after, ...more] = parts;
  if (before === undefined || after === undefined || more.length > 0)
    throw new Error(`<!-- ${name} --> … <!-- /${name} --> must be there once`);
  return `${before}${content}\n${after}`;
}
