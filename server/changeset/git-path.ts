/** Paths as git writes them in a diff: in C quotes where a character would otherwise break the line. */

const escapes: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\x07': '\\a',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\v': '\\v',
  '\f': '\\f',
  '\r': '\\r',
};
const unescapes: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  t: '\t',
  n: '\n',
  v: '\v',
  f: '\f',
  r: '\r',
};

/** As git does with `core.quotePath=false`: letters of any language stay as they are. */
export function quotePath(path: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what has to be quoted
  const quoted = path.replace(/["\\\x00-\x1f\x7f]/g, (char) => escapes[char] ?? `\\${octal(char)}`);
  return quoted === path ? path : `"${quoted}"`;
}

const octal = (char: string): string => char.charCodeAt(0).toString(8).padStart(3, '0');

/** The path that `text` stands for: quoted or not. Octal escapes are bytes of UTF-8. */
export function unquotePath(text: string): string {
  if (!/^".*"$/s.test(text)) return text;
  // In one pass: a backslash that is escaped itself begins no other escape.
  return text.slice(1, -1).replace(/((?:\\[0-7]{3})+)|\\(.)/gs, (_, octal: string | undefined, char: string) => {
    if (octal === undefined) return unescapes[char] ?? char;
    const bytes = octal.split('\\').slice(1);
    return Buffer.from(bytes.map((byte) => Number.parseInt(byte, 8))).toString();
  });
}
