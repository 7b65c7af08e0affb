/** Where the strings of one line of code are, whatever the language: a guess that errs towards code. Pure. */

type Span = { start: number; end: number };

const isWord = (character: string | undefined): boolean => character !== undefined && /[\p{L}\p{N}_]/u.test(character);

/** What is quoted from and to in this line, quotes included. A quote that nothing closes quotes nothing. Linear. */
export function quotedIn(text: string): Span[] {
  const spans: Span[] = [];
  const unclosed = new Set<string>();
  for (let at = 0; at < text.length; at++) {
    const quote = text[at] ?? '';
    if (quote === '\\') at += 1;
    if (!/["'`]/.test(quote) || unclosed.has(quote)) continue;
    if (quote === "'" && (isLifetime(text, at) || (isWord(text[at - 1]) && !hasPrefix(text, at)))) continue;
    const end = closingQuote(text, at);
    if (end < 0) unclosed.add(quote);
    else {
      spans.push({ start: at, end });
      at = end;
    }
  }
  return spans;
}

/** Whether a place lies inside of one; its first quote does not. */
export const isQuoted = (spans: readonly Span[], at: number): boolean =>
  spans.some(({ start, end }) => start < at && at <= end);

/** The quote that ends what the one at `at` begins, or -1. An apostrophe within a word ends nothing. */
export function closingQuote(text: string, at: number): number {
  const quote = text[at];
  for (let end = at + 1; end < text.length; end++) {
    if (text[end] === '\\') end += 1;
    else if (text[end] === quote && !(quote === "'" && isWord(text[end - 1]) && isWord(text[end + 1]))) return end;
  }
  return -1;
}

/** Rust's `<'a>`, `&'a str`, `T: 'static`, `'outer: loop`: a word that no quote ends. */
function isLifetime(text: string, at: number): boolean {
  const word = /'([a-z_]\w{0,40})(?![\w'])/y;
  word.lastIndex = at;
  const [, name] = word.exec(text) ?? [];
  if (name === undefined) return false;
  const before = text.slice(Math.max(0, at - 20), at);
  const after = text[at + 1 + name.length];
  if (/[<&]$/.test(before) || /\b(?:break|continue)\s$/.test(before)) return true;
  if (text.slice(0, at).trim() === '') return after === ':';
  // Longer ones than is usual begin a string more often than not.
  return /[,+:]\s?$/.test(before) && (/^(?:.|static)$/.test(name) || after === '>');
}

/** Python's `b'…'`, SQL's `N'…'`. */
const hasPrefix = (text: string, at: number): boolean =>
  /(?:^|[^\p{L}\p{N}_])(?:[bfru]|br|rb|fr|rf|[nxl])$/iu.test(text.slice(Math.max(0, at - 3), at)) &&
  !/\s/.test(text[at + 1] ?? ' ');
