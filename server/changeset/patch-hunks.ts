/** The hunks of one update, applied to a text. Lines that stay keep every byte; new ones end as their neighbours do. */
import { byteOrderMark } from './lines.ts';
import { SearchedLines } from './patch-find.ts';
import type { PatchHunk } from './patch-parse.ts';

export type PatchedText = { ok: true; text: string } | { ok: false; error: string };

/** In a patch a line is what `\n` ends. `end`: `\n`, `\r\n`, or `''` after the last line. */
type Line = { text: string; end: string };

export function patchText(path: string, text: string, hunks: readonly PatchHunk[]): PatchedText {
  const mark = text.startsWith(byteOrderMark) ? byteOrderMark : '';
  const old = linesOf(text.slice(mark.length));
  const searched = new SearchedLines(old.map((line) => line.text));
  const usualEnd = usualEndOf(old);
  const made: Line[] = [];
  let done = 0;
  for (const [index, hunk] of hunks.entries()) {
    const at = placeOf(hunk, searched, done);
    if (typeof at !== 'number') {
      const which = hunks.length === 1 ? 'the hunk' : `hunk ${index + 1} of ${hunks.length}`;
      return {
        ok: false,
        error: `Cannot update ${path}: ${which} (line ${hunk.line} of the patch) does not fit: ${at.why}`,
      };
    }
    for (; done < at; done++) made.push(lineAt(old, done));
    done = replay(hunk, old, at, made, usualEnd);
  }
  for (; done < old.length; done++) made.push(lineAt(old, done));
  return { ok: true, text: mark + withLastEnd(made, old, usualEnd) };
}

function linesOf(text: string): Line[] {
  const lines: Line[] = [];
  for (let at = 0; at < text.length; ) {
    const next = text.indexOf('\n', at);
    if (next < 0) return [...lines, { text: text.slice(at), end: '' }];
    const isCrlf = next > at && text[next - 1] === '\r';
    lines.push({ text: text.slice(at, isCrlf ? next - 1 : next), end: isCrlf ? '\r\n' : '\n' });
    at = next + 1;
  }
  return lines;
}

const lineAt = (lines: readonly Line[], index: number): Line => lines[index] ?? { text: '', end: '' };

/** The line end that most lines have. */
function usualEndOf(lines: readonly Line[]): string {
  const crlf = lines.filter(({ end }) => end === '\r\n').length;
  return crlf > lines.length - crlf ? '\r\n' : '\n';
}

/** Where the hunk's old lines begin, or why that can't be said. */
function placeOf(hunk: PatchHunk, searched: SearchedLines, from: number): number | { why: string } {
  let start = from;
  for (const anchor of hunk.anchors) {
    const at = searched.find([anchor], start);
    if (at < 0) return { why: missing(searched, [anchor], from, `there is no line \`${bounded(anchor)}\``) };
    start = at + 1;
  }
  const expected = hunk.lines.filter(({ kind }) => kind !== '+').map((line) => line.text);
  if (expected.length === 0) return hunk.anchors.length > 0 && !hunk.atEnd ? start : searched.count;
  const at = hunk.atEnd ? searched.find(expected, start, true) : -1;
  const place = at >= 0 ? at : searched.find(expected, start);
  if (place >= 0) return place;
  // The line that an anchor names may be the first of the hunk's own lines as well.
  if (hunk.anchors.length > 0 && searched.find(expected, start - 1) === start - 1) return start - 1;
  const within = hunk.anchors.length > 0 ? ` after \`${bounded(hunk.anchors.at(-1) ?? '')}\`` : '';
  return { why: missing(searched, expected, from, `these lines are not in the file${within}`) };
}

/** The sentence, the lines looked for, and the place that comes closest. */
function missing(searched: SearchedLines, expected: readonly string[], from: number, what: string): string {
  const lines = expected.slice(0, shownLinesMax).map((line) => `  ${bounded(line)}`);
  if (expected.length > shownLinesMax) lines.push(`  … (${expected.length - shownLinesMax} more)`);
  return [`${what}:`, ...lines, hint(searched, expected, from)].join('\n');
}

const shownLinesMax = 20;
const bounded = (line: string): string => (line.length > 160 ? `${line.slice(0, 160)}…` : line);

function hint(searched: SearchedLines, expected: readonly string[], from: number): string {
  if (searched.exhausted)
    return 'They repeat too much to be searched for; add lines that tell the place, or send fewer hunks.';
  const earlier = searched.find(expected, 0);
  if (earlier >= 0 && from > 0) {
    return `They stand at line ${earlier + 1}, but earlier hunks reach to line ${from}; hunks must follow the order of the file.`;
  }
  if (earlier >= 0) return `They stand at line ${earlier + 1}, before the line that the hunk's @@ names.`;
  const closest = searched.closest(expected);
  if (!closest) return 'Nothing in the file comes close; read it again.';
  const differing = expected.findIndex(
    (line, index) => !SearchedLines.same(line, searched.text(closest.at + index) ?? '\n'),
  );
  const found = searched.text(closest.at + differing);
  const instead = found === undefined ? 'the file ends' : `the file has\n  ${bounded(found)}`;
  return `The closest place is line ${closest.at + 1}: ${closest.equal} of ${expected.length} lines fit, but at line ${closest.at + differing + 1} ${instead}`;
}

/** Adds the hunk's outcome to `made` and returns the first old line after it. */
function replay(hunk: PatchHunk, old: readonly Line[], at: number, made: Line[], usualEnd: string): number {
  let next = at;
  let removed: Line[] = [];
  for (const { kind, text } of hunk.lines) {
    if (kind === '+') {
      const replaced = removed.shift();
      const neighbour = [replaced, made.at(-1), lineAt(old, next)].find(
        (line) => line !== undefined && line.end !== '',
      );
      // A `\r` that the patch itself ends the line with is half of its end.
      made.push({ text, end: text.endsWith('\r') ? '\n' : (neighbour?.end ?? usualEnd) });
      continue;
    }
    const line = lineAt(old, next++);
    if (kind === '-') {
      removed.push(line);
    } else {
      made.push(line);
      removed = [];
    }
  }
  return next;
}

/** A file that had no newline at its end gets none from lines added there; every other line has one. */
function withLastEnd(made: readonly Line[], old: readonly Line[], usualEnd: string): string {
  const had = old.at(-1);
  const last = made.at(-1);
  const endless = had !== undefined && had.end === '' && last !== undefined && !old.includes(last);
  return made
    .map((line, index) => {
      if (index === made.length - 1) return endless ? line.text : line.text + line.end;
      return line.text + (line.end || made[index - 1]?.end || usualEnd);
    })
    .join('');
}
