/** Which archived threads have had their time: by age, and by what they take on disk together; pure. */
import type { Settings } from '../protocol/settings.ts';
import type { ThreadSummary } from '../protocol/thread.ts';

export type Kept = Pick<ThreadSummary, 'threadId' | 'archived' | 'updatedAt'> & { bytes: number };

const dayMs = 24 * 60 * 60 * 1000;

/**
 * Of those that are archived, and of no other: the ones that are too old, then, the oldest first, as many as it takes. What
 * is of a time to come (a clock was set back) or of none is not old, and goes last.
 */
export function outlived(threads: readonly Kept[], retention: Settings['retention'], nowMs: number): string[] {
  const ageMs = ({ updatedAt }: Kept): number => {
    const age = nowMs - Date.parse(updatedAt);
    return Number.isFinite(age) ? Math.max(0, age) : 0;
  };
  const archived = threads.filter((thread) => thread.archived).toSorted((a, b) => ageMs(b) - ageMs(a));
  let bytes = archived.reduce((sum, one) => sum + one.bytes, 0);
  const gone: string[] = [];
  for (const thread of archived) {
    if (ageMs(thread) <= retention.archivedDays * dayMs && bytes <= retention.archivedMiB * 1024 ** 2) break;
    gone.push(thread.threadId);
    bytes -= thread.bytes;
  }
  return gone;
}
