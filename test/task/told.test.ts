/** What somebody was told is in the file by then: no kill takes it back. */
import { readFileSync } from 'node:fs';
import { mkdir, rename, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as tick } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { noDocuments } from '../../server/task/ports.ts';
import { Telling } from '../../server/task/telling.ts';
import { gate, say, script, shell, toolOutputs } from '../support/model.ts';
import { diskFace, openBench } from '../support/task.ts';

const linesOf = (folder: string): string[] => readFileSync(join(folder, 'journal.jsonl'), 'utf8').trimEnd().split('\n');

test('a turn whose start was answered is in the journal, and nobody has heard of it yet', async () => {
  const thinking = gate(say('Done.'));
  await using bench = await openBench({ files: {}, script: script(thinking, say('Again.')) });
  for (const prompt of ['what was asked', 'and asked again']) {
    const threadId = bench.events.at(-1)?.threadId;
    const heard = bench.events.length;
    const started = await bench.start(prompt, threadId === undefined ? {} : { threadId });
    expect(linesOf(bench.tasks.folderOf(started.threadId)).at(-1)).toContain(`"prompt":"${prompt}"`);
    expect(bench.events).toHaveLength(heard);
    thinking.open();
    await bench.event('turnCompleted', () => bench.events.at(-1)?.turnId === started.turnId);
  }
});

test('whatever is heard of a thread is in its journal by then, decisions too', async () => {
  await using bench = await openBench({
    files: { 'a.txt': 'one\n', 'b.txt': 'two\n' },
    script: script(shell('echo ONE > a.txt; echo TWO > b.txt'), say('Done.')),
  });
  const missing: string[] = [];
  bench.tasks.subscribe(({ threadId, seq, event }) => {
    if (seq !== undefined && !linesOf(bench.tasks.folderOf(threadId)).some((line) => line.includes(`"seq":${seq},`)))
      missing.push(event.type);
  });
  const { threadId } = await bench.run('something');
  await (await bench.tasks.accept(threadId, { files: ['a.txt'] }, diskFace)).result;
  await bench.tasks.reject(threadId, {}, noDocuments);
  await (await bench.tasks.undo(threadId, diskFace)).result;
  await bench.tasks.rename(threadId, 'called otherwise');
  await bench.tasks.archive(threadId, true);
  await bench.event('archived');
  expect(missing).toEqual([]);
});

test('an answer that cannot be written is said so, counts as a no, and grants nothing', async () => {
  await using bench = await openBench({
    files: {},
    script: script(shell('true', { network: { hosts: ['example.org'], reason: 'to look' } }), say('Without it.')),
  });
  const { threadId } = await bench.start('look');
  const { approval } = await bench.event('approvalRequested');
  const journal = join(bench.tasks.folderOf(threadId), 'journal.jsonl');
  await rename(journal, `${journal}.aside`);
  await mkdir(journal);
  const answer = { approvalId: approval.approvalId, decision: 'acceptForThread' } as const;
  await expect(bench.tasks.approve(answer, diskFace)).rejects.toThrow(/journal.jsonl cannot be written/);
  await rmdir(journal);
  await rename(`${journal}.aside`, journal);
  await bench.event('turnCompleted');
  expect(toolOutputs(bench.model.requests.at(-1)).at(-1)).toContain('The user declined this');
  expect(await bench.tasks.grants({ threadId })).toEqual([]);
});

test('an answer that is being written is not withdrawn by the end of its turn', async () => {
  await using bench = await openBench({
    files: {},
    script: script(shell('true', { network: { hosts: ['example.org'], reason: 'to look' } })),
  });
  const { threadId } = await bench.start('look');
  const { approval } = await bench.event('approvalRequested');
  const answered = bench.tasks.approve({ approvalId: approval.approvalId, decision: 'accept' }, diskFace);
  await bench.tasks.cancel(threadId);
  const ends = await Promise.allSettled([answered]);
  const resolved = await bench.event('approvalResolved');
  expect(resolved.decision).toBe(ends[0]?.status === 'fulfilled' ? 'accept' : 'withdrawn');
  expect(await bench.event('turnCompleted')).toMatchObject({ status: 'interrupted' });
});

test('what is held back comes in its order, after the last of those who hold it', () => {
  const told: number[] = [];
  const telling = new Telling<number>((event) => {
    told.push(event);
    if (event === 2) telling.tell(5);
  });
  telling.tell(1);
  const [first, second] = [telling.holdBack(), telling.holdBack()];
  telling.tell(2);
  telling.tell(3);
  first();
  first();
  telling.tell(4);
  expect(told).toEqual([1]);
  second();
  expect(told).toEqual([1, 2, 3, 4, 5]);
});

test('what is not written yet waits, and all that comes after it', async () => {
  const told: number[] = [];
  const telling = new Telling<number>((event) => told.push(event));
  const [one, two] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  telling.tell(1, one.promise);
  telling.tell(2, two.promise);
  telling.tell(3);
  two.reject(new Error('no room'));
  await tick();
  expect(told).toEqual([]);
  one.resolve();
  await tick();
  expect(told).toEqual([1, 2, 3]);
});
