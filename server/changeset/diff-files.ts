/** The files of a review that a git diff can express, each with its header lines and what follows them. */
import { binaryPatch, type Contents, indexLine } from './binary-patch.ts';
import { type DiffBlock, diffBlocks, wholeBlocks } from './diff-blocks.ts';
import { absent, type FileState, gitMode } from './file-state.ts';
import { quotePath } from './git-path.ts';
import { splitLines } from './lines.ts';
import { metadataAfter } from './metadata.ts';
import type { Review, ReviewFile } from './review-types.ts';

/** `payload`: of a binary file, the bytes in git's form. */
export type DiffFile = {
  file: ReviewFile;
  header: readonly string[];
  blocks: readonly DiffBlock[];
  payload: readonly string[];
};

/**
 * Of files with pending hunks; a file that becomes a link, or a link that becomes a file, is two: a deletion and a
 * creation, as for git. What is not among them (too large, bytes that are not in `contents`, a device) needs words.
 */
export const diffFiles = (review: Review, contents: Contents): DiffFile[] =>
  review.files.flatMap((file) => diffOf(file, contents));

export const hasPending = (file: ReviewFile): boolean => file.hunks.some(({ status }) => status === 'pending');

function diffOf(file: ReviewFile, contents: Contents): DiffFile[] {
  const { user, agent, tooLarge } = file;
  if (tooLarge || !hasPending(file)) return [];
  if (!changesType(file)) return [diffFile(file, contents, () => diffBlocks(file)) ?? []].flat();
  const ids = file.hunks.filter(({ status }) => status === 'pending').map(({ id }) => id);
  const gone = diffFile({ ...file, agent: absent }, contents, () => wholeBlocks(ids, written(user), ''));
  const come = diffFile({ ...file, user: absent }, contents, () => wholeBlocks(ids, '', written(agent)));
  return gone && come
    ? [
        { ...gone, file },
        { ...come, file },
      ]
    : [];
}

/** Between a link and a file. */
const changesType = ({ user, agent }: ReviewFile): boolean =>
  user.kind !== 'absent' && agent.kind !== 'absent' && (user.kind === 'symlink') !== (agent.kind === 'symlink');

function diffFile(file: ReviewFile, contents: Contents, blocksOf: () => DiffBlock[]): DiffFile | undefined {
  const { user, agent } = file;
  if (user.kind === 'other' || agent.kind === 'other') return undefined;
  const [from, to] = [file.userPath, metadataAfter(file).path];
  const title = `diff --git ${quotePath(`a/${from}`)} ${quotePath(`b/${to}`)}`;
  const sameBinary = user.kind === 'binary' && agent.kind === 'binary' && user.hash === agent.hash;
  const isBinary = !sameBinary && (user.kind === 'binary' || agent.kind === 'binary');
  const bytes = { before: bytesOf(user, contents), after: bytesOf(agent, contents) };
  if (isBinary && (bytes.before === 'unknown' || bytes.after === 'unknown')) return undefined;
  const blocks = isBinary ? [] : blocksOf();
  const payload =
    isBinary && bytes.before !== 'unknown' && bytes.after !== 'unknown'
      ? [indexLine(bytes.before, bytes.after), ...binaryPatch(bytes.before ?? noBytes, bytes.after ?? noBytes)]
      : [];
  const names = (): string[] => {
    if (blocks.length === 0) return [];
    const oldName = user.kind === 'absent' ? '/dev/null' : named('a', from);
    return [`--- ${oldName}`, `+++ ${agent.kind === 'absent' ? '/dev/null' : named('b', to)}`];
  };
  return { file, header: [title, ...extended(file), ...names()], blocks, payload };
}

/** git's lines between the title and the names: of modes and of a move. */
function extended(file: ReviewFile): string[] {
  const { user, agent, userPath } = file;
  const { path, from, mode } = metadataAfter(file);
  const oldMode = modeOf(user);
  const newMode = agent.kind === 'text' && user.kind === 'text' ? octal(mode ?? user.mode) : modeOf(agent);
  if (user.kind === 'absent') return [`new file mode ${newMode}`];
  if (agent.kind === 'absent') return [`deleted file mode ${oldMode}`];
  const modes = oldMode === newMode ? [] : [`old mode ${oldMode}`, `new mode ${newMode}`];
  if (from === undefined) return modes;
  const names = [`rename from ${quotePath(userPath)}`, `rename to ${quotePath(path)}`];
  return [...modes, `similarity index ${similarity(file)}%`, ...names];
}

const noBytes = new Uint8Array();

function bytesOf(state: FileState, contents: Contents): Uint8Array | undefined | 'unknown' {
  if (state.kind === 'absent') return undefined;
  if (state.kind === 'text') return Buffer.from(state.text);
  return (state.kind === 'binary' ? contents.get(state.hash) : undefined) ?? 'unknown';
}

/** As lines of a diff show it. */
const written = (state: FileState): string =>
  state.kind === 'text' ? state.text : state.kind === 'symlink' ? state.target : '';

const octal = (mode: number): string => (gitMode(mode) === 0o755 ? '100755' : '100644');

const modeOf = (state: FileState): string =>
  state.kind === 'symlink' ? '120000' : state.kind === 'text' || state.kind === 'binary' ? octal(state.mode) : '';

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
