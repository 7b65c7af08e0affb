/** `codex/threads`: filtered, newest first, in pages. */
import { pathToFileURL } from 'node:url';
import type { ThreadSummary } from '../protocol/thread.ts';
import { isFound } from '../thread/search.ts';
import { worksIn } from '../thread/state.ts';
import { InvalidParams } from './refusal.ts';

const pageSizeDefault = 100;

export function listThreads(
  threads: readonly { summary: ThreadSummary; words: string }[],
  query: { root?: string; archived?: boolean; query?: string; limit?: number; cursor?: string },
): { threads: ThreadSummary[]; nextCursor?: string } {
  const uri = query.root === undefined ? undefined : pathToFileURL(query.root).href;
  const matching = threads
    .filter(({ summary, words }) => isFound(query.query ?? '', { title: summary.title, words }))
    .map(({ summary }) => summary)
    .filter((thread) => uri === undefined || worksIn(thread, uri))
    .filter(({ archived }) => archived === (query.archived ?? false))
    .toSorted((a, b) => order(b) - order(a) || (keyOf(a) < keyOf(b) ? 1 : -1));
  const before = query.cursor === undefined ? -1 : matching.findIndex((thread) => keyOf(thread) === query.cursor);
  if (query.cursor !== undefined && before < 0) {
    throw new InvalidParams('cursor: no thread of this list has it any more; begin again without.');
  }
  const page = matching.slice(before + 1, before + 1 + (query.limit ?? pageSizeDefault));
  const last = page.at(-1);
  const more = before + 1 + page.length < matching.length;
  return { threads: page, ...(more && last ? { nextCursor: keyOf(last) } : {}) };
}

const order = ({ updatedAt }: ThreadSummary): number => Date.parse(updatedAt);
const keyOf = ({ threadId }: ThreadSummary): string => threadId;
