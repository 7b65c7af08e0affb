/** Text as lines that keep their ends. A line means what it means in LSP: `\n`, `\r\n` and `\r` each end one. */
import type { LineEdit } from './review-types.ts';

/** The lines of a text, each with its end; only the last may have none. `''` has no line. `join('')` gives the text back. */
export function splitLines(text: string): string[] {
  const lines: string[] = [];
  if (!text.includes('\r')) {
    let start = 0;
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', start)) {
      lines.push(text.slice(start, end + 1));
      start = end + 1;
    }
    if (start < text.length) lines.push(text.slice(start));
    return lines;
  }
  for (const [line] of text.matchAll(/[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+$/g)) lines.push(line);
  return lines;
}

/** `\n`, `\r\n`, `\r`, or `''` for a last line without one. */
export function lineEnd(line: string): string {
  if (line.endsWith('\r\n')) return '\r\n';
  const last = line.at(-1);
  return last === '\n' || last === '\r' ? last : '';
}

export const withoutEnd = (line: string): string => line.slice(0, line.length - lineEnd(line).length);

/** The text after edits that ascend and do not overlap. */
export function applyLineEdits(lines: readonly string[], edits: readonly LineEdit[]): string {
  const parts: string[] = [];
  let done = 0;
  for (const edit of edits) {
    if (edit.line < done || edit.line + edit.deleteCount > lines.length) {
      throw new RangeError(`line edit at ${edit.line} overlaps another or leaves the text`);
    }
    for (; done < edit.line; done++) parts.push(lines[done] ?? '');
    for (const line of edit.lines) parts.push(line);
    done += edit.deleteCount;
  }
  for (; done < lines.length; done++) parts.push(lines[done] ?? '');
  return parts.join('');
}

/** Equal but for line ends and for a newline at the end of the text, which editors see to by themselves. */
export const sameButEnds = (a: string, b: string): boolean => a === b || bare(a) === bare(b);
const bare = (text: string): string => withoutMark(text).replace(/\r\n?/g, '\n').replace(/\n$/, '');

/** Files may begin with it; editors take it for a sign of the encoding, and leave it out of the text. */
export const byteOrderMark = '\ufeff';
export const withoutMark = (text: string): string => (text.startsWith(byteOrderMark) ? text.slice(1) : text);
