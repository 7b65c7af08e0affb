/** Which files of a review other threads have changed too, whatever folders they work in; pure. Rebase settles it. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Review } from '../changeset/review-types.ts';
import { foldersOf, type Workspace } from '../protocol/folders.ts';
import { isInside } from '../protocol/path-inside.ts';
import type { Listed } from './summary-file.ts';

/** `path`: relative to the thread that it is told of. */
export type Overlap = { path: string; threadId: string; title: string };

/** What a thread has that is not decided: the absolute paths that would change, and the paths of the files that change them. */
export function undecidedIn(root: string, review: Review): Map<string, string> {
  const paths = new Map<string, string>();
  for (const { path, from, userPath, hunks } of review.files) {
    if (!hunks.some(({ status }) => status === 'pending' || status === 'conflicting')) continue;
    for (const touched of [path, from ?? path, userPath]) paths.set(join(root, touched), path);
  }
  return paths;
}

export const commonPaths = (mine: ReadonlyMap<string, string>, theirs: { has(path: string): boolean }): string[] => [
  ...new Set([...mine].flatMap(([path, file]) => (theirs.has(path) ? [file] : []))),
];

/**
 * The absolute paths that were to be reviewed when a thread last asked for it, a few of which may be decided by now;
 * undefined where it has not asked. Of a thread that has nothing to review, none.
 */
export function askedPaths({ summary, approvals }: Listed): ReadonlySet<string> | undefined {
  if (summary.status !== 'inReview' || summary.archived) return new Set();
  const asked = approvals.find(({ kind }) => kind === 'changes')?.paths;
  return asked && new Set(asked.map((path) => join(fileURLToPath(summary.root), path)));
}

/** Whether a file may lie in both. */
export const mayShareFiles = (one: Workspace, other: Workspace): boolean =>
  foldersOf(one).some((a) => foldersOf(other).some((b) => isInside(a, b) || isInside(b, a)));

const pathsMax = 5;

/** One sentence for each of the other threads. */
export const overlapWarnings = (overlaps: readonly Overlap[]): string[] =>
  [...Map.groupBy(overlaps, ({ threadId }) => threadId).values()].map((files) => {
    const shown = files.slice(0, pathsMax).map(({ path }) => path);
    const more = files.length > pathsMax ? ` and ${files.length - pathsMax} more files` : '';
    const verb = files.length === 1 ? 'is' : 'are';
    const [{ threadId, title } = { threadId: '', title: '' }] = files;
    return `${shown.join(', ')}${more} ${verb} also changed by thread ${threadId}: ${title}, pending.`;
  });
