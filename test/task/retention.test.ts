/** Archived threads go by age and by size, and nothing else ever does. */
import { existsSync, readdirSync } from 'node:fs';
import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { pruneBySettings } from '../../server/cli/prune.ts';
import { outlived } from '../../server/task/retention.ts';
import { patch, say, script } from '../support/model.ts';
import { openBench } from '../support/task.ts';

const dayMs = 86_400_000;
const now = Date.parse('2026-06-01T00:00:00Z');
const limits = { archivedDays: 10, archivedMiB: 100 };

/** `a-20 30`: archived, 20 days old, 30 MiB; `o`: open. */
const thread = (text: string) => {
  const [name = '', mebibytes] = text.split(' ');
  const days = Number(name.slice(1));
  const updatedAt = Number.isNaN(days) ? '' : new Date(now + days * dayMs).toISOString();
  return { threadId: name, archived: name.startsWith('a'), updatedAt, bytes: Number(mebibytes) * 1024 ** 2 };
};

test.each<[string, string[], string[]]>([
  ['nothing', [], []],
  ['one that is old enough', ['a-11 1', 'a-9 1'], ['a-11']],
  ['one to the day', ['a-10 1'], []],
  ['never one that is not archived', ['o-999 1000', 'a-1 1'], []],
  ['the oldest first, until the rest fits', ['a-1 60', 'a-3 50', 'a-2 40'], ['a-3']],
  ['the size of open ones does not count', ['o-1 5000', 'a-1 100'], []],
  ['both', ['a-20 90', 'a-2 60', 'a-1 60'], ['a-20', 'a-2']],
  ['one alone that is too large', ['a-1 101'], ['a-1']],
  ['of a time to come it is not old', ['a+400 1', 'a-1 1'], []],
  ['of a time to come it goes last', ['a+400 60', 'a-1 60'], ['a-1']],
  ['without a time it is not old', ['ax 1'], []],
])('%s', (_, threads, gone) => {
  expect(outlived(threads.map(thread), limits, now)).toEqual(gone);
});

afterEach(() => void vi.useRealTimers());

const three = async () => {
  const answers = [1, 2, 3].flatMap((count) => [patch.add(`f${count}.txt`, 'new\n'), say('Done.')]);
  const bench = await openBench({ files: { 'a.txt': 'one\n' }, script: script(...answers) });
  const ids: string[] = [];
  for (const prompt of ['one', 'two', 'three']) ids.push((await bench.run(prompt)).threadId);
  const [first = '', second = '', third = ''] = ids;
  const threads = join(bench.workspace.stateDir, 'threads');
  return { bench, first, second, third, threads, left: () => readdirSync(threads).sort() };
};

test('with their copies, by size; one with pending hunks only where it is archived', async () => {
  const { bench, first, second, third, threads, left } = await three();
  await using _ = bench;
  for (const threadId of [first, second]) await bench.tasks.archive(threadId, true);
  for (const threadId of [first, second, third]) {
    const large = join(threads, threadId, 'copy/up/large');
    await writeFile(large, Buffer.alloc(3 * 1024 ** 2, 1));
  }
  expect(await bench.tasks.prune({ archivedDays: 1, archivedMiB: 5 })).toEqual([
    { threadId: first, workspace: { root: bench.workspace.root } },
  ]);
  expect(left()).toEqual([second, third].sort());
  expect(existsSync(join(threads, second, 'copy/up/large'))).toBe(true);
  await truncate(join(threads, second, 'copy/up/large'), 0);
  expect(await bench.tasks.prune({ archivedDays: 1, archivedMiB: 5 })).toEqual([]);
  expect(await bench.tasks.prune({ archivedDays: 0.000_000_001, archivedMiB: 5 })).toHaveLength(1);
  expect(left()).toEqual([third]);
  expect(await bench.review(third)).toEqual(['f3.txt:1 pending']);
  expect((await bench.tasks.list({ archived: true })).threads).toEqual([]);
});

test('by age, and not by a clock that was set back', async () => {
  const { bench, first, second, left } = await three();
  await using _ = bench;
  await bench.tasks.archive(first, true);
  const setClock = (at: number) => vi.useFakeTimers({ toFake: ['Date'], now: at });
  const begun = Date.now();
  const prune = async () => (await bench.tasks.prune(limits)).map(({ threadId }) => threadId);
  setClock(begun - 400 * dayMs);
  expect(await prune()).toEqual([]);
  // Archived by the wrong clock: it is that old, and no older, when the clock is right again.
  setClock(begun - 5 * dayMs);
  await bench.tasks.archive(second, true);
  expect(await prune()).toEqual([]);
  setClock(begun + 6 * dayMs);
  expect(await prune()).toEqual([second]);
  setClock(begun + 11 * dayMs);
  expect(await prune()).toEqual([first]);
  expect(left()).toHaveLength(1);
});

test('one that somebody is at is left; so is one that was brought back', async () => {
  const { bench, first, second, third, left } = await three();
  await using _ = bench;
  for (const threadId of [first, second, third]) await bench.tasks.archive(threadId, true);
  const { takeLock } = await import('../../server/task/lock.ts');
  const lock = await takeLock(join(bench.tasks.folderOf(first), 'writer.lock'), 'turn');
  await bench.tasks.archive(second, false);
  const pruned = await bench.tasks.prune({ archivedDays: 0.000_000_001, archivedMiB: 5 });
  expect(pruned.map(({ threadId }) => threadId)).toEqual([third]);
  expect(left()).toEqual([first, second].sort());
  if ('release' in lock) lock.release();
});

test('by config.json and flags; where they have a mistake, nothing goes', async () => {
  const { bench, first, left } = await three();
  await using _ = bench;
  await bench.tasks.archive(first, true);
  const log: string[] = [];
  const environment = { XDG_CONFIG_HOME: bench.workspace.stateDir, HOME: bench.workspace.stateDir };
  const prune = (...flags: string[]) =>
    pruneBySettings(bench.tasks, { environment, flags }, (message) => log.push(message));
  await prune();
  await prune('retention.archivedDays=0.000000001', 'retention.archivedMiB=none');
  expect(left()).toHaveLength(3);
  expect(log).toEqual([expect.stringContaining('archived threads are kept, because of the settings: ')]);
  await prune('retention.archivedDays=0.000000001');
  expect(left()).toHaveLength(2);
  expect(log.at(-1)).toBe(`archived thread ${first} was removed: retention`);
});
