/**
 * The mark in the heading of a review document: made of its text, so that whoever has the document can tell whether the
 * user has written into it, and which of the texts that were written once it was made from.
 */
import { createHash } from 'node:crypto';

const hexDigits = 12;
const markPattern = /^# Thread \S+, text ([0-9a-f]+)\s*$/m;

/** `text` has a line `# Thread t1`; it gets the mark. */
export const withMark = (text: string): string =>
  text.replace(/^# Thread \S+$/m, (line) => `${line}, text ${digestOf(text)}`);

export const markOf = (text: string): string | undefined => markPattern.exec(text)?.[1];

/** Nothing was written into it. What editors do to a text by themselves does not count. */
export function isAsWritten(text: string): boolean {
  const mark = markOf(text);
  return mark !== undefined && digestOf(text.replace(/^(# Thread \S+), text [0-9a-f]+/m, '$1')) === mark;
}

/** The same whether or not lines end in CRLF, empty lines of context have kept their blank, and the last line ends. */
function digestOf(text: string): string {
  let plain = text.replace(/\r+$/gm, '').replace(/^ $/gm, '');
  let end = plain.length;
  while (plain[end - 1] === '\n') end--;
  plain = plain.slice(0, end);
  return createHash('sha256').update(plain).digest('hex').slice(0, hexDigits);
}
