/** A word of a POSIX shell's command line, in quotes only where it needs them. */
export function shellQuote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

/** Text for between the double quotes of a POSIX shell, where these four are special. */
export function insideDoubleQuotes(text: string): string {
  return text.replace(/[\\"$`]/g, "\\$&");
}
