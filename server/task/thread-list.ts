/** `codex/threads`: filtered, newest first, in pages. */
import type { ThreadSummary } from '../protocol/thread.ts';
import { summaryOf } from '../thread/state.ts';
import type { ThreadRecord } from './record.ts';

const pageSizeDefault = 100;

export function listThreads(
  records: readonly ThreadRecord[],
  query: { root?: string; archived?: boolean; query?: string; limit?: number; cursor?: string },
): { threads: ThreadSummary[]; nextCursor?: string } {
  const words = query.query?.toLowerCase();
  const matching = records
    .filter((record) => query.root === undefined || record.root === query.root)
    .map(({ state }) => summaryOf(state))
    .filter(({ archived }) => archived === (query.archived ?? false))
    .filter(({ title }) => words === undefined || title.toLowerCase().includes(words))
    .sort((a, b) => order(b) - order(a) || (keyOf(a) < keyOf(b) ? 1 : -1));
  const from = query.cursor === undefined ? 0 : matching.findIndex((thread) => keyOf(thread) === query.cursor) + 1;
  const threads = matching.slice(from, from + (query.limit ?? pageSizeDefault));
  const last = threads.at(-1);
  const more = from + threads.length < matching.length;
  return { threads, ...(more && last ? { nextCursor: keyOf(last) } : {}) };
}

const order = ({ updatedAt }: ThreadSummary): number => Date.parse(updatedAt);
const keyOf = ({ threadId }: ThreadSummary): string => threadId;
