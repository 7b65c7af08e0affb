/** A change that is in conflict with the user's text, asked for again: on that text, with both sides before the model. */
import type { FileState } from './file-state.ts';
import { splitLines } from './lines.ts';
import { isWhole } from './metadata.ts';
import type { Review, ReviewFile, ReviewHunk } from './review-types.ts';

const hunksMax = 20;
const linesMax = 200;
const charactersMax = 20_000;

/**
 * The file of a conflicting hunk and all of its conflicting hunks: they are made anew together, for the agent starts from
 * the user's text of that file, and one that stays would need the old. Undefined where the hunk is in no conflict.
 */
export function redoOf(review: Review, id: string): { file: ReviewFile; hunks: readonly ReviewHunk[] } | undefined {
  const file = review.files.find(({ hunks }) => hunks.some((hunk) => hunk.id === id && isConflicting(hunk)));
  return file && { file, hunks: file.hunks.filter(isConflicting) };
}

/** The review as the next turn finds it: what it makes anew has left the copy, as if it were rejected. */
export function withoutRedone(review: Review, id: string | undefined): Review {
  const redo = id === undefined ? undefined : redoOf(review, id);
  if (!redo) return review;
  const hunks = redo.file.hunks.map((hunk) => (isConflicting(hunk) ? { ...hunk, status: 'rejected' as const } : hunk));
  return { files: review.files.map((file) => (file === redo.file ? { ...file, hunks } : file)) };
}

export function redoPrompt({ file, hunks }: { file: ReviewFile; hunks: readonly ReviewHunk[] }): string {
  const several = hunks.length > 1;
  return [
    `Make ${several ? 'these changes' : 'this change'} of yours again, on my version of ${file.userPath}. While you worked I changed the same place, and my text stays. Your file is as I have it now: read it first, keep what I changed there, and bring in what your change was for. Change nothing else.`,
    ...hunks.slice(0, hunksMax).map((hunk, index) => conflictText(file, hunk, several ? `${index + 1}. ` : '')),
    ...(hunks.length > hunksMax ? [`${hunks.length - hunksMax} more of this file are left out here.`] : []),
    'If my version already does what your change was for, or the two cannot go together, change nothing and say so.',
  ].join('\n\n');
}

function conflictText(file: ReviewFile, hunk: ReviewHunk, number: string): string {
  const { base, user, agent, tooLarge } = file;
  const isText = [base === 'unknown' ? user : base, user, agent].every(({ kind }) => kind === 'text');
  const isLines = isText && !tooLarge && !isWhole(hunk);
  if (!isLines) {
    const before = base === 'unknown' ? [] : [side('before', words(base), linesOf(base))];
    return [
      `${number}The whole of ${file.path}:`,
      ...before,
      side('mine', words(user), linesOf(user)),
      side('yours', words(agent), linesOf(agent)),
    ].join('\n');
  }
  return [
    `${number}At line ${hunk.line + 1}:`,
    ...(base === 'unknown' ? [] : [side('before', 'no lines', hunk.oldLines)]),
    side('mine', 'no lines', hunk.userLines ?? []),
    side('yours', 'no lines', hunk.newLines),
  ].join('\n');
}

function side(name: string, otherwise: string, lines: readonly string[]): string {
  if (lines.length === 0) return `<${name}>${otherwise}</${name}>`;
  const text = lines.slice(0, linesMax).join('').slice(0, charactersMax);
  const isCut = text.length < lines.join('').length;
  return `<${name}>\n${text.replace(/[\r\n]*$/, '\n')}${isCut ? '… cut here; read the file for the rest\n' : ''}</${name}>`;
}

const linesOf = (state: FileState): readonly string[] => (state.kind === 'text' ? splitLines(state.text) : []);

function words(state: FileState): string {
  switch (state.kind) {
    case 'absent':
      return 'no file';
    case 'text':
      return 'an empty file';
    case 'binary':
      return `a binary file of ${state.size} bytes`;
    case 'symlink':
      return `a symbolic link to ${state.target}`;
    case 'other':
      return state.what;
  }
}

const isConflicting = ({ status }: ReviewHunk): boolean => status === 'conflicting';
