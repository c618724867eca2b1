/**
 * A C string literal for `text`, UTF-8 encoded, valid in any C11 translation unit.
 *
 * Everything outside printable ASCII becomes a three-digit octal escape: unlike `\x`, an octal escape
 * ends after three digits (C11 6.4.4.4), so a following digit is never swallowed. `?` is escaped
 * because of trigraphs (C11 5.2.1.1).
 */
export function cString(text: string): string {
  let literal = "";
  for (const byte of new TextEncoder().encode(text)) literal += cByte(byte);
  return `"${literal}"`;
}

/** One literal per line of `text`, joined by the compiler: keeps a PEM readable in the generated header. */
export function cStringLines(text: string, indent: string): string {
  const lines = text.match(/[^\n]*\n|[^\n]+$/g) ?? [""];
  return lines.map((line) => `${indent}${cString(line)}`).join(" \\\n");
}

function cByte(byte: number): string {
  if (byte === 0x0a) return "\\n";
  if (byte === 0x22) return '\\"';
  if (byte === 0x5c) return "\\\\";
  if (byte === 0x3f) return "\\?";
  if (byte >= 0x20 && byte < 0x7f) return String.fromCharCode(byte);
  return `\\${byte.toString(8).padStart(3, "0")}`;
}
