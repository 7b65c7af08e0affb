/** Threads are named by what was asked, and found by it, whether this process has seen them or reads them from the disk. */
import { describe, expect, test } from 'vitest';
import type { ThreadSummary } from '../../server/protocol/thread.ts';
import { listThreads } from '../../server/task/thread-list.ts';
import { say, script } from '../support/model.ts';
import { openBench } from '../support/task.ts';

test('a thread is titled by its first sentence and found by any words of its prompts', async () => {
  await using bench = await openBench({ files: { 'a.txt': 'one\n' }, script: script(say('1'), say('2'), say('3')) });
  const { threadId } = await bench.run('codex: Mend the **parser**. It fails on commas.');
  await bench.run('and the Lexer', { threadId });
  const other = await bench.run('Tell me of commas');
  const found = async (query: string) => (await bench.tasks.list({ query })).threads.map((thread) => thread.threadId);
  for (const _ of ['as it is known', 'as the disk has it']) {
    expect((await bench.tasks.thread(threadId)).thread.title).toBe('Mend the parser');
    expect(await found('lexer')).toEqual([threadId]);
    expect(await found('commas')).toEqual([other.threadId, threadId]);
    expect(await found('commas LEXER')).toEqual([threadId]);
    expect(await found('nowhere')).toEqual([]);
    await bench.restart();
  }
  await bench.tasks.rename(threadId, 'Another name');
  expect(await found('another lexer')).toEqual([threadId]);
});

describe('a list in pages, of which a thread changes meanwhile', () => {
  const usage = { inputTokens: 0, cachedInputTokens: 0, outputTokens: 0, reasoningTokens: 0, requests: 0 };
  const threadOf = (
    number: number,
    changed: Partial<ThreadSummary> = {},
  ): { summary: ThreadSummary; words: string } => {
    const time = new Date(number * 1000).toISOString();
    const about = { title: `task ${number}`, root: 'file:///w', status: 'idle' as const, archived: false, usage };
    return { summary: { threadId: `t${number}`, ...about, createdAt: time, updatedAt: time, ...changed }, words: '' };
  };
  const numbers = [1, 2, 3, 4, 5, 6];
  const all = numbers.map((number) => threadOf(number));
  const idsOf = ({ threads }: { threads: ThreadSummary[] }) => threads.map(({ threadId }) => threadId);

  test.each([
    ['none does', all],
    [
      'a turn ran in the last one of the page',
      numbers.map((n) => (n === 5 ? threadOf(n, { updatedAt: new Date(99_000).toISOString() }) : threadOf(n))),
    ],
    ['the last one of the page was archived', numbers.map((n) => threadOf(n, { archived: n === 5 }))],
    ['the last one of the page was deleted', all.toSpliced(4, 1)],
  ])('%s: the next page has what comes after, each thread once', (_, then) => {
    const first = listThreads(all, { limit: 2 });
    expect(idsOf(first)).toEqual(['t6', 't5']);
    const second = listThreads(then, { limit: 2, cursor: first.nextCursor });
    expect(idsOf(second)).toEqual(['t4', 't3']);
    const third = listThreads(then, { limit: 2, cursor: second.nextCursor });
    expect(third.nextCursor).toBeUndefined();
    expect(idsOf(third)).toEqual(['t2', 't1']);
  });

  test('threads of one moment are told apart', () => {
    const updatedAt = new Date(5000).toISOString();
    const same = numbers.map((number) => threadOf(number, { updatedAt }));
    const first = listThreads(same, { limit: 4 });
    expect(idsOf(first)).toEqual(['t6', 't5', 't4', 't3']);
    expect(idsOf(listThreads(same, { limit: 4, cursor: first.nextCursor }))).toEqual(['t2', 't1']);
  });

  test.each(['', 't5', 'x-t5', '5000-', '5000-../t5', '5e3-t5'])('%j is no cursor', (cursor) => {
    expect(() => listThreads(all, { cursor })).toThrow('cursor: no list has ended with this one; begin again without.');
  });
});
