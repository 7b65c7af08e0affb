/** The `@@` blocks of one file's diff: pending hunks with their context, in git's lines, against the user's text as it is. */
import type { FileState } from './file-state.ts';
import { type GitEdit, gitEdits, gitLines } from './git-lines.ts';
import { splitLines } from './lines.ts';
import { isWhole } from './metadata.ts';
import type { ReviewFile } from './review-types.ts';

/** `header`: `@@ -1,3 +1,4 @@`. `body`: with context; each line begins with ` `, `-`, `+` or `\`, and has no `\n`. */
export type DiffBlock = {
  hunks: readonly string[];
  header: string;
  oldStart: number;
  oldLines: number;
  newStart: number;
  newLines: number;
  body: readonly string[];
};

const contextLines = 3;

/** Empty where no pending hunk has lines, and between a link and a file. */
export function diffBlocks(file: ReviewFile): DiffBlock[] {
  const { user, agent } = file;
  const pending = file.hunks.filter(({ status }) => status === 'pending');
  if (user.kind === 'symlink' || agent.kind === 'symlink') {
    const [before, after] = [targetOf(user), targetOf(agent)];
    if (pending.length === 0 || before === undefined || after === undefined || before === after) return [];
    return wholeBlocks(
      pending.map(({ id }) => id),
      before,
      after,
    );
  }
  const edits = pending
    .filter((hunk) => !isWhole(hunk))
    .map(({ id, line, oldLines, newLines }) => ({
      ids: [id],
      edit: { line, deleteCount: oldLines.length, lines: newLines },
    }));
  if (edits.length === 0) return [];
  const lines = user.kind === 'text' ? splitLines(user.text) : [];
  return withContext(gitLines(lines.join('')), gitEdits(lines, edits));
}

/** One text in the place of another, as one block; none of the same. */
export function wholeBlocks(hunks: readonly string[], before: string, after: string): DiffBlock[] {
  if (before === after) return [];
  const oldLines = gitLines(before);
  return withContext(oldLines, [{ ids: hunks, line: 0, oldLines, newLines: gitLines(after) }]);
}

/** Nothing has an empty one; undefined of what is no link. */
const targetOf = (state: FileState): string | undefined =>
  state.kind === 'symlink' ? state.target : state.kind === 'absent' ? '' : undefined;

/** Neighbouring blocks share no context line; the earlier one keeps its own, for git takes none as "the end of the file". */
function withContext(lines: readonly string[], apart: readonly GitEdit[]): DiffBlock[] {
  const edits = aroundOneLine(lines, apart);
  let shift = 0;
  let taken = 0;
  return edits.map(({ ids, line, oldLines, newLines }, index) => {
    const start = Math.max(taken, line - contextLines);
    const end = line + oldLines.length;
    taken = Math.min(edits[index + 1]?.line ?? lines.length, end + contextLines);
    const body = [
      ...lines.slice(start, line).flatMap((text) => bodyLine(' ', text)),
      ...oldLines.flatMap((text) => bodyLine('-', text)),
      ...newLines.flatMap((text) => bodyLine('+', text)),
      ...lines.slice(end, taken).flatMap((text) => bodyLine(' ', text)),
    ];
    const context = line - start + (taken - end);
    const range = {
      oldStart: numbered(start, oldLines.length + context),
      oldLines: oldLines.length + context,
      newStart: numbered(start + shift, newLines.length + context),
      newLines: newLines.length + context,
    };
    shift += newLines.length - oldLines.length;
    return { hunks: ids, header: hunkHeader(range), ...range, body };
  });
}

/** Additions before and after a file's only line: git takes each of them only for the whole file, so they stand together. */
function aroundOneLine(lines: readonly string[], edits: readonly GitEdit[]): readonly GitEdit[] {
  const [before, after] = edits;
  if (lines.length !== 1 || !before || !after) return edits;
  const newLines = [...before.newLines, ...lines, ...after.newLines];
  return [{ ids: [...before.ids, ...after.ids], line: 0, oldLines: lines, newLines }];
}

/** 1-based; of no lines at all, the line before. */
export const numbered = (line: number, count: number): number => (count === 0 ? line : line + 1);

export const hunkHeader = (range: Pick<DiffBlock, 'oldStart' | 'oldLines' | 'newStart' | 'newLines'>): string =>
  `@@ -${range.oldStart},${range.oldLines} +${range.newStart},${range.newLines} @@`;

const bodyLine = (mark: string, text: string): string[] =>
  text.endsWith('\n') ? [mark + text.slice(0, -1)] : [mark + text, '\\ No newline at end of file'];
