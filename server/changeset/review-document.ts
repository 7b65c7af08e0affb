/**
 * The review as one plain text: what was done, then the diff, each hunk with its id. `git apply` takes it as it is: all
 * that is not diff stands in lines that begin with `#`.
 */
import type { PlanStep } from '../protocol/thread.ts';
import { type Contents, noContents } from './binary-patch.ts';
import { type DiffFile, diffFiles, hasPending } from './diff-files.ts';
import type { FileState } from './file-state.ts';
import { quotePath } from './git-path.ts';
import { withoutEnd } from './lines.ts';
import { withMark } from './review-mark.ts';
import type { Review, ReviewFile, ReviewHunk } from './review-types.ts';

export type ReviewHeading = {
  title: string;
  threadId: string;
  /** Commands of the thread ran without a sandbox. */
  unsandboxed?: boolean;
  summary?: string;
  plan?: readonly PlanStep[];
  commands?: readonly { command: string; outcome: string }[];
  /** Files that another thread has changed too. */
  overlaps?: readonly { path: string; threadId: string; title: string }[];
};

const whatToDo = [
  'On a hunk, a code action accepts or rejects it, its file, or everything.',
  'Nothing is applied before. Or edit lines that begin with + or a blank, take',
  'hunks or files out, and use the action "apply as edited": what is left is',
  'applied as it then stands here; what was taken out stays in review. Lines that',
  'begin with > are comments on the hunk above them, and up here on everything:',
  'the action "send comments" starts the next turn with them.',
];
const noSandbox =
  'Commands of this thread ran WITHOUT A SANDBOX (sandbox.dangerouslyUnsandboxed): what they did elsewhere is not in this diff.';
const summaryLinesMax = 200;
const commandsMax = 50;
const overlapsMax = 50;
const conflictLinesMax = 40;
const lineLengthMax = 300;

/** Hunks are known by `@@ -1,3 +1,4 @@ h…`, or by a line `# * [h…] path` where there is no `@@`. See `locateInReview`. */
export function reviewDocument(review: Review, heading: ReviewHeading, contents: Contents = noContents): string {
  const files = diffFiles(review, contents);
  const inDiff = new Set(files.map(({ file }) => file));
  const inWords = review.files.filter((file) => hasPending(file) && !inDiff.has(file));
  const lines = [
    comment(`Codex: ${oneLine(heading.title)}`),
    comment(`Thread ${heading.threadId}`),
    ...(heading.unsandboxed ? [comment(noSandbox)] : []),
    ...(review.files.some(hasPending) ? whatToDo : ['Nothing is left to decide.']).map(comment),
    ...section('Summary', textLines(heading.summary ?? '', summaryLinesMax)),
    ...section(
      'Plan',
      (heading.plan ?? []).map(({ step, status }) => `${planMarks[status]} ${oneLine(step)}`),
    ),
    ...section('Commands', (heading.commands ?? []).slice(-commandsMax).map(commandLine)),
    ...section(
      'Also changed by other threads that wait for review; what is accepted second goes onto what is accepted first',
      (heading.overlaps ?? []).slice(0, overlapsMax).map(overlapLine),
    ),
    ...section('Conflicts: you changed these lines too, and yours stay', review.files.flatMap(conflictLines)),
    ...section(
      'Sensitive: left out when everything is accepted; accept the file or the hunk by itself',
      sensitive(review),
    ),
    ...section('Not text, or too large to show, so not in the diff below', inWords.flatMap(wholeLines)),
    '#',
    ...files.flatMap(diffLines),
  ];
  return withMark(lines.map((line) => `${line}\n`).join(''));
}

/** The part of the document that is diff, with the ids of the hunks. */
export const reviewDiff = (review: Review, contents: Contents): string =>
  diffFiles(review, contents)
    .flatMap(diffLines)
    .map((line) => `${line}\n`)
    .join('');

function diffLines({ file, header, blocks, payload }: DiffFile): string[] {
  if (blocks.length === 0) return [...header, ...payload, ...wholeLines(file).map(comment)];
  return [...header, ...blocks.flatMap((block) => [`${block.header} ${block.hunks.join(' ')}`, ...block.body])];
}

const planMarks: Readonly<Record<PlanStep['status'], string>> = { pending: '[ ]', inProgress: '[>]', completed: '[x]' };

const comment = (text: string): string => (text === '' ? '#' : `# ${text}`);

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['#', comment(title), ...lines.map((line) => comment(line))];
}

const commandLine = ({ command, outcome }: { command: string; outcome: string }): string =>
  `  ${oneLine(command)}  (${oneLine(outcome)})`;

const overlapLine = ({ path, threadId, title }: { path: string; threadId: string; title: string }): string =>
  `  ${quotePath(path)}: thread ${threadId}, ${oneLine(title)}`;

const bounded = (text: string): string => (text.length > lineLengthMax ? `${text.slice(0, lineLengthMax)}…` : text);

const oneLine = (text: string): string => bounded(text.trim().replace(/\s+/g, ' '));

function textLines(text: string, linesMax: number): string[] {
  const lines = text.trim().split(/\r\n|[\n\r\u2028\u2029]/);
  const shown = text.trim() === '' ? [] : lines.slice(0, linesMax).map((line) => `  ${bounded(line)}`.trimEnd());
  return lines.length > linesMax ? [...shown, `  … ${lines.length - linesMax} more lines`] : shown;
}

const entry = (path: string, id: string): string => `* [${id}] ${quotePath(path)}`;

function conflictLines(file: ReviewFile): string[] {
  return file.hunks
    .filter(({ status }) => status === 'conflicting')
    .flatMap((hunk) => [
      entry(file.path, hunk.id),
      `    ${where(file, hunk)}`,
      ...side('yours', hunk.userLines ?? [], stateWords(file.user, file)),
      ...side("the agent's", hunk.newLines, stateWords(file.agent, file)),
    ]);
}

function where({ base, user, path, userPath, from, tooLarge }: ReviewFile, { line }: ReviewHunk): string {
  const moved = from === undefined ? '' : `${quotePath(from)} → ${quotePath(path)}, `;
  const unknown = base === 'unknown' ? ', which changed while nobody looked' : '';
  return `${moved}${user.kind === 'text' && !tooLarge ? `line ${line + 1} of ` : ''}${quotePath(userPath)}${unknown}`;
}

function side(whose: string, lines: readonly string[], words: string): string[] {
  if (lines.length === 0) return [`    ${whose}: ${words === 'text' ? 'no lines' : words}`];
  const shown = lines.slice(0, conflictLinesMax).map((line) => `    | ${bounded(withoutEnd(line))}`);
  const more = lines.length > conflictLinesMax ? [`    … ${lines.length - conflictLinesMax} more lines`] : [];
  return [`    ${whose}:`, ...shown, ...more];
}

function sensitive(review: Review): string[] {
  return review.files
    .filter((file) => file.sensitive !== undefined && hasPending(file))
    .flatMap((file) => [`* ${quotePath(file.path)}`, `    ${file.sensitive}`]);
}

/** A change that is not made of lines. */
function wholeLines(file: ReviewFile): string[] {
  const moved = file.userPath === file.path ? '' : `moved from ${quotePath(file.userPath)}; `;
  return file.hunks
    .filter(({ status }) => status === 'pending')
    .flatMap(({ id }) => [
      entry(file.path, id),
      `    ${moved}${stateWords(file.user, file)} → ${stateWords(file.agent, file)}`,
    ]);
}

function stateWords(state: FileState, { tooLarge }: Pick<ReviewFile, 'tooLarge'>): string {
  switch (state.kind) {
    case 'absent':
      return 'nothing';
    case 'text':
      return (
        (tooLarge ? `text, ${Buffer.byteLength(state.text)} bytes, too large to show` : 'text') +
        (state.mode & 0o111 ? ', executable' : '')
      );
    case 'binary':
      return `binary, ${state.size} bytes${state.mode & 0o111 ? ', executable' : ''}`;
    case 'symlink':
      return `link to ${quotePath(state.target)}`;
    case 'other':
      return state.what;
  }
}

export { locateInReview } from './review-place.ts';
