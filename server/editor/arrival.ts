/** What a text that the editor shows says of an edit that was sent to it: the reply proves nothing, the text does. Pure. */
import type { TextEdit } from 'vscode-languageserver';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { type Block, changedBlocks } from '../changeset/hunks.ts';
import { sameButEnds, splitLines, withoutEnd } from '../changeset/lines.ts';
import { rebase } from '../changeset/rebase.ts';
import type { LineEdit } from '../changeset/review-types.ts';
import { areComparable } from '../changeset/too-large.ts';

/** `before`: the text the edit was made for; `after`: that with the edit. `lines` and `edits` are the same edit. */
export type MadeEdit = { before: string; after: string; lines: readonly LineEdit[]; edits: readonly TextEdit[] };

/**
 * `arrived`: the whole edit is in the text, whatever the user has typed beside it. `misplaced`: the editor has put it into
 * another text than it was made for, so that it stands over, or apart from, what the user typed meanwhile.
 */
export type Sight = 'arrived' | 'misplaced' | 'nothing';

/** `previous`: the text the editor showed before `now`. */
export function sight(made: MadeEdit, previous: string, now: string): Sight {
  const { before, after } = made;
  if (now === previous || !mayHoldIt(made, now)) return 'nothing';
  const areLines = areComparable(before, after, previous, now);
  if (areLines && sameButEnds(now, verbatim(made, previous))) {
    const placement = placementIn(made, previous);
    if (placement !== 'asMade') return placement;
  }
  if (now === before) return 'nothing';
  // Editors put their own line ends, and their own idea of a final newline, into the text they show.
  if (now === after || (!sameButEnds(before, after) && sameButEnds(now, after))) return 'arrived';
  return areLines && isThere(made, now) ? 'arrived' : 'nothing';
}

/** The user types on while the edit is awaited, and that costs no comparison of whole texts: its longest line is looked for first. */
function mayHoldIt({ lines }: MadeEdit, now: string): boolean {
  const added = lines.flatMap((edit) => edit.lines.map(withoutEnd));
  return now.includes(added.reduce((longest, line) => (line.length > longest.length ? line : longest), ''));
}

/** What an editor makes of it that looks at no version. */
const verbatim = ({ edits }: MadeEdit, text: string): string =>
  TextDocument.applyEdits(TextDocument.create('', '', 0, text), [...edits]);

/** As the review will see it: each changed block of the edit stands in the text. */
function isThere({ before, after }: MadeEdit, now: string): boolean {
  const from = splitLines(before);
  const to = splitLines(after);
  return rebase(from, to, splitLines(now), changedBlocks(from, to)).every(({ kind }) => kind === 'there');
}

/**
 * Of the edit, done to `typed` as it stands: `asMade` where the user has typed nothing, `arrived` where it takes away just the
 * lines it was made to take away, in their place.
 */
function placementIn({ before, lines }: MadeEdit, typed: string): 'asMade' | 'arrived' | 'misplaced' {
  const typedLines = splitLines(typed);
  const changed = changedBlocks(splitLines(before), typedLines);
  // Some do one edit in several steps, and tell of each.
  const isStep = ({ oldLine, oldCount, newLine, newCount }: Block): boolean => {
    const edit = lines.find(({ line, deleteCount }) => line <= oldLine && oldLine + oldCount <= line + deleteCount);
    return edit !== undefined && typedLines.slice(newLine, newLine + newCount).every((one) => edit.lines.includes(one));
  };
  const users = changed.filter((block) => !isStep(block));
  if (users.length === 0) return 'asMade';
  const isInPlace = ({ line, deleteCount }: LineEdit): boolean => {
    const end = line + deleteCount;
    if (users.some(({ oldLine, oldCount }) => oldLine < end && oldLine + oldCount > line)) return false;
    const above = changed.filter(({ oldLine, oldCount }) => oldLine + oldCount <= line);
    return above.every(({ oldCount, newCount }) => oldCount === newCount);
  };
  return lines.every(isInPlace) ? 'arrived' : 'misplaced';
}
