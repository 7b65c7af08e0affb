/** The pending hunks of a review as `git apply` takes them and as the protocol tells them. */
import type { Changeset, FileChange, Hunk } from '../protocol/changeset.ts';
import { type Contents, noContents } from './binary-patch.ts';
import { type DiffBlock, diffBlocks, hunkHeader, numbered } from './diff-blocks.ts';
import { diffFiles } from './diff-files.ts';
import { type FileState, gitMode } from './file-state.ts';
import { isWhole } from './metadata.ts';
import type { Review, ReviewFile, ReviewHunk } from './review-types.ts';

/** A git-style unified diff that applies to the files as the user has them now; `''` where nothing is pending. */
export function unifiedDiff(review: Review, contents: Contents = noContents): string {
  const lines = diffFiles(review, contents).flatMap(({ header, blocks, payload }) => [
    ...header,
    ...blocks.flatMap((block) => [block.header, ...block.body]),
    ...payload,
  ]);
  return lines.map((line) => `${line}\n`).join('');
}

type Overlap = { path: string; threadId: string; title: string };

export const toChangeset = (
  threadId: string,
  review: Review,
  contents: Contents = noContents,
  overlaps: readonly Overlap[] = [],
): Changeset => ({
  threadId,
  files: review.files.map((file) => {
    const others = overlaps.filter(({ path }) => path === file.path);
    const alsoChangedBy = others.map(({ threadId, title }) => ({ threadId, title }));
    return { ...fileChange(file), ...(others.length > 0 ? { alsoChangedBy } : {}) };
  }),
  diff: unifiedDiff(review, contents),
});

function fileChange(file: ReviewFile): FileChange {
  const { path, kind, from, base, agent, user, sensitive, tooLarge } = file;
  const isBinary = [base, agent, user].some((state) => state !== 'unknown' && state.kind === 'binary');
  const mode = modeChange(base === 'unknown' ? user : base, agent);
  const blocks = new Map(diffBlocks(file).flatMap((block) => block.hunks.map((id) => [id, block] as const)));
  return {
    path,
    kind,
    ...(from === undefined ? {} : { from }),
    // A client treats both alike: there are no lines to show.
    ...(isBinary || tooLarge ? { binary: true } : {}),
    ...(mode ? { mode } : {}),
    ...(sensitive === undefined ? {} : { sensitive }),
    hunks: file.hunks.map((hunk) => protocolHunk(hunk, blocks.get(hunk.id))),
  };
}

/** Said where it is news: not of a created file that is like any other. */
function modeChange(before: FileState, after: FileState): FileChange['mode'] {
  const from = modeOf(before);
  const to = modeOf(after);
  if (to === undefined || from === to) return undefined;
  if (from === undefined) return to === 0o755 ? { to } : undefined;
  return { from, to };
}

const modeOf = (state: FileState): number | undefined =>
  state.kind === 'text' || state.kind === 'binary' ? gitMode(state.mode) : undefined;

/** A pending hunk has the numbers of its `@@` line; the others stand without context where they are in the user's text. */
function protocolHunk(hunk: ReviewHunk, block: DiffBlock | undefined): Hunk {
  const { id, status, line } = hunk;
  if (block) {
    const { header, oldStart, oldLines, newStart, newLines } = block;
    return { id, header, status, oldStart, oldLines, newStart, newLines };
  }
  const oldLines = isWhole(hunk) ? 0 : (hunk.userLines ?? hunk.oldLines).length;
  const newLines = hunk.newLines.length;
  const range = { oldStart: numbered(line, oldLines), oldLines, newStart: numbered(line, newLines), newLines };
  return { id, header: hunkHeader(range), status, ...range };
}
