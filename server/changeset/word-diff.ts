/** Which words of a hunk changed, for a person to read. */
import { diffWordsWithSpace } from 'diff';

export type WordPart = { kind: 'same' | 'old' | 'new'; text: string };

/** Of both sides together; beyond it, lines say as much. */
const charsMax = 4_000;
/** Myers' algorithm takes about edits² steps. */
const editsMax = 300;
/** The share of its longer side that has to be the same: of texts that have little in common, words are no help. */
const sameMin = 0.3;

/** The lines in which words changed, in parts; none where that would not be easier to read than the lines themselves. */
export function wordDiff(oldLines: readonly string[], newLines: readonly string[]): WordPart[][] {
  if (oldLines.length === 0 || newLines.length === 0) return [];
  const [before, after] = [joined(oldLines), joined(newLines)];
  if (before.length + after.length > charsMax) return [];
  const changes = diffWordsWithSpace(before, after, { maxEditLength: editsMax });
  if (!changes) return [];
  const parts = changes.map(({ added, removed, value }): WordPart => {
    return { kind: added ? 'new' : removed ? 'old' : 'same', text: value };
  });
  const same = parts.filter(({ kind }) => kind === 'same').reduce((sum, { text }) => sum + wordChars(text), 0);
  if (same < sameMin * Math.max(wordChars(before), wordChars(after))) return [];
  return linesOf(parts).filter((line) => line.some(({ kind, text }) => kind !== 'same' && text.trim() !== ''));
}

const joined = (lines: readonly string[]): string => lines.join('').replace(/\r\n?/g, '\n').replace(/\n$/, '');

const wordChars = (text: string): number => text.replace(/\s+/g, '').length;

/** A part never goes over the end of a line. */
function linesOf(parts: readonly WordPart[]): WordPart[][] {
  const lines: WordPart[][] = [[]];
  for (const { kind, text } of parts) {
    for (const [index, piece] of text.split('\n').entries()) {
      if (index > 0) lines.push([]);
      if (piece !== '') lines.at(-1)?.push({ kind, text: piece });
    }
  }
  return lines;
}
