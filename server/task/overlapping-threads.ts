/** Looks for the threads that have changed the same files: by what each has asked to be reviewed, then by its review. */
import { fileURLToPath } from 'node:url';
import type { Review } from '../changeset/review-types.ts';
import type { Workspace } from '../protocol/folders.ts';
import { askedPaths, commonPaths, mayShareFiles, type Overlap, undecidedIn } from './overlap.ts';
import type { OpenDocuments } from './ports.ts';
import type { ThreadRecord } from './record.ts';
import type { Registry } from './registry.ts';
import { reviewThread } from './review.ts';
import type { Listed } from './summary-file.ts';

/** Of so many threads the reviews are read; more that change one file are not worth a longer look. */
const reviewsMax = 20;

export class OverlappingThreads {
  readonly #registry: Registry;

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  /** Never rejects: what can't be found out is left out, for no decision hangs on it. */
  async of(record: ThreadRecord, review: Review, documents: OpenDocuments): Promise<Overlap[]> {
    const mine = undecidedIn(record.root, review);
    if (mine.size === 0) return [];
    const listed = await this.#registry.list().catch((): Listed[] => []);
    const others = listed.filter(
      (one) => one.summary.threadId !== record.threadId && mayOverlap(record.workspace, mine, one),
    );
    const overlaps: Overlap[] = [];
    for (const { summary } of others.slice(0, reviewsMax)) {
      const theirs = await this.#undecided(summary.threadId, documents).catch(() => undefined);
      const { threadId, title } = summary;
      if (theirs) overlaps.push(...commonPaths(mine, theirs).map((path) => ({ path, threadId, title })));
    }
    return overlaps;
  }

  /** Of a thread that another process works on, nothing is known until that has ended. */
  async #undecided(threadId: string, documents: OpenDocuments): Promise<ReadonlyMap<string, string>> {
    const record = await this.#registry.find(threadId);
    const release = await record.hold('work', { waitMs: 0 });
    try {
      return undecidedIn(record.root, await reviewThread(record, documents));
    } finally {
      await release();
    }
  }
}

function mayOverlap(workspace: Workspace, mine: ReadonlyMap<string, string>, one: Listed): boolean {
  const { root, folders } = one.summary;
  const theirs = { root: fileURLToPath(root), folders: folders?.map((folder) => fileURLToPath(folder)) };
  if (!mayShareFiles(workspace, theirs)) return false;
  const asked = askedPaths(one);
  return asked === undefined || commonPaths(mine, asked).length > 0;
}
