/** `codex/threads`: filtered, newest first, in pages. */
import { pathToFileURL } from 'node:url';
import type { ThreadSummary } from '../protocol/thread.ts';
import { isFound } from '../thread/search.ts';
import { worksIn } from '../thread/state.ts';
import { InvalidParams } from './refusal.ts';

const pageSizeDefault = 100;

/** Where a thread stands in a list. */
type Place = { changedAtMs: number; threadId: string };

export function listThreads(
  threads: readonly { summary: ThreadSummary; words: string }[],
  query: { root?: string; archived?: boolean; query?: string; limit?: number; cursor?: string },
): { threads: ThreadSummary[]; nextCursor?: string } {
  const uri = query.root === undefined ? undefined : pathToFileURL(query.root).href;
  const after = query.cursor === undefined ? undefined : placeIn(query.cursor);
  const following = threads
    .filter(({ summary, words }) => isFound(query.query ?? '', { title: summary.title, words }))
    .map(({ summary }) => summary)
    .filter((thread) => uri === undefined || worksIn(thread, uri))
    .filter(({ archived }) => archived === (query.archived ?? false))
    .filter((thread) => after === undefined || inOrder(after, placeOf(thread)) < 0)
    .toSorted((a, b) => inOrder(placeOf(a), placeOf(b)));
  const page = following.slice(0, query.limit ?? pageSizeDefault);
  const last = page.at(-1);
  return { threads: page, ...(following.length > page.length && last ? { nextCursor: cursorOf(last) } : {}) };
}

/** Of a time that nobody can read, the oldest. */
const placeOf = ({ updatedAt, threadId }: ThreadSummary): Place => ({
  changedAtMs: Date.parse(updatedAt) || 0,
  threadId,
});

function inOrder(a: Place, b: Place): number {
  if (a.changedAtMs !== b.changedAtMs) return b.changedAtMs - a.changedAtMs;
  if (a.threadId === b.threadId) return 0;
  return a.threadId < b.threadId ? 1 : -1;
}

/** A place, and not only a thread: that one may be gone, or stand elsewhere, when the next page is asked for. */
function cursorOf(thread: ThreadSummary): string {
  const { changedAtMs, threadId } = placeOf(thread);
  return `${changedAtMs}-${threadId}`;
}

function placeIn(cursor: string): Place {
  const [, changedAtMs, threadId] = /^(\d{1,16})-([a-z0-9]+)$/.exec(cursor) ?? [];
  if (changedAtMs === undefined || threadId === undefined) {
    throw new InvalidParams('cursor: no list has ended with this one; begin again without.');
  }
  return { changedAtMs: Number(changedAtMs), threadId };
}
