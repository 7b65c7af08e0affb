/** The files of a review that a git diff can express, each with its header lines and blocks. */

import { type DiffBlock, diffBlocks } from './diff-blocks.ts';
import { type FileState, gitMode } from './file-state.ts';
import { quotePath } from './git-path.ts';
import { splitLines } from './lines.ts';
import { modeAfter, movesStill } from './metadata.ts';
import type { Review, ReviewFile } from './review-types.ts';

export type DiffFile = { file: ReviewFile; header: readonly string[]; blocks: readonly DiffBlock[] };

/** Of files with pending hunks. What is not among them (binary or too large contents, a file that became a link) needs words. */
export const diffFiles = (review: Review): DiffFile[] => review.files.flatMap((file) => diffFile(file) ?? []);

export const hasPending = (file: ReviewFile): boolean => file.hunks.some(({ status }) => status === 'pending');

function diffFile(file: ReviewFile): DiffFile | undefined {
  const { user, agent } = file;
  if (file.tooLarge || !hasPending(file)) return undefined;
  const oldMode = modeOf(user);
  const newMode = agent.kind === 'text' && user.kind === 'text' ? octal(modeAfter(file) ?? user.mode) : modeOf(agent);
  const blocks = diffBlocks(file);
  const [from, to] = [file.userPath, file.path];
  const title = `diff --git ${quotePath(`a/${from}`)} ${quotePath(`b/${to}`)}`;
  const names = (oldName: string, newName: string): string[] =>
    blocks.length > 0 ? [`--- ${oldName}`, `+++ ${newName}`] : [];
  if (user.kind === 'absent') {
    if (!isWritten(agent)) return undefined;
    return { file, header: [title, `new file mode ${newMode}`, ...names('/dev/null', named('b', to))], blocks };
  }
  if (agent.kind === 'absent') {
    if (!isWritten(user)) return undefined;
    return { file, header: [title, `deleted file mode ${oldMode}`, ...names(named('a', from), '/dev/null')], blocks };
  }
  const sameBinary = user.kind === 'binary' && agent.kind === 'binary' && user.hash === agent.hash;
  if (!sameBinary && !(user.kind === agent.kind && isWritten(agent) && isWritten(user))) return undefined;
  const modes = oldMode === newMode ? [] : [`old mode ${oldMode}`, `new mode ${newMode}`];
  const moved = movesStill(file)
    ? [`similarity index ${similarity(file)}%`, `rename from ${quotePath(from)}`, `rename to ${quotePath(to)}`]
    : [];
  return { file, header: [title, ...modes, ...moved, ...names(named('a', from), named('b', to))], blocks };
}

const octal = (mode: number): string => (gitMode(mode) === 0o755 ? '100755' : '100644');

const modeOf = (state: FileState): string =>
  state.kind === 'symlink' ? '120000' : state.kind === 'text' || state.kind === 'binary' ? octal(state.mode) : '';

/** Whether its content can stand in a text diff. */
const isWritten = (state: FileState): boolean =>
  state.kind === 'text' || (state.kind === 'symlink' && !state.target.includes('\n'));

/** git ends a name with spaces by a tab, so that no reader takes its end for a date. */
const named = (side: 'a' | 'b', path: string): string =>
  quotePath(`${side}/${path}`) + (path.includes(' ') ? '\t' : '');

/** In percent; 100 only for no change at all. */
function similarity({ user, hunks }: ReviewFile): number {
  const pending = hunks.filter(({ status }) => status === 'pending');
  const changed = pending.reduce((sum, hunk) => sum + Math.max(hunk.oldLines.length, hunk.newLines.length), 0);
  if (changed === 0 || user.kind !== 'text') return 100;
  const lines = splitLines(user.text).length;
  return Math.floor((100 * Math.max(0, lines - changed)) / Math.max(1, lines));
}
