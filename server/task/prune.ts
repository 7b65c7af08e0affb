/** Removes archived threads that have outlived their retention, one at a time, with all that they have on disk. */
import type { Settings } from '../protocol/settings.ts';
import type { ThreadSummary } from '../protocol/thread.ts';
import { usedBy } from '../sandbox/upper-use.ts';
import type { ThreadRecord } from './record.ts';
import type { Registry } from './registry.ts';
import { outlived } from './retention.ts';

/** `remove`: of a thread that is held. Answers what it had removed; a thread that somebody is at is left for another time. */
export async function pruneArchived(
  registry: Registry,
  retention: Settings['retention'],
  remove: (record: ThreadRecord) => Promise<void>,
): Promise<ThreadRecord[]> {
  const archived = (await registry.list()).map(({ summary }) => summary).filter((summary) => summary.archived);
  const kept: (ThreadSummary & { bytes: number })[] = [];
  for (const summary of archived) {
    const { bytes } = await usedBy(registry.folderOf(summary.threadId), { bytesMax: Infinity });
    kept.push({ ...summary, bytes });
  }
  const removed: ThreadRecord[] = [];
  for (const threadId of outlived(kept, retention, Date.now())) {
    const seen = kept.find((one) => one.threadId === threadId);
    const record = await registry.find(threadId).catch(() => undefined);
    if (!record || record.isBusy) continue;
    const release = await record.hold('work', { waitMs: 0 }).catch(() => undefined);
    if (!release) continue;
    try {
      // Looked at again by whoever alone may change it.
      const { archived, updatedAt } = record.state;
      if (!archived || updatedAt !== seen?.updatedAt || record.isBusy) continue;
      await remove(record);
      removed.push(record);
    } finally {
      await release();
    }
  }
  return removed;
}
