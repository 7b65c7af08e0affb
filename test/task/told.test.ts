/** What somebody was told of a turn is in the file by then: no kill takes it back. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Telling } from '../../server/task/telling.ts';
import { gate, say, script } from '../support/model.ts';
import { openBench } from '../support/task.ts';

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

test('the end of a turn is in the journal when it is heard', async () => {
  await using bench = await openBench({ files: {}, script: script(say('Done.')) });
  const atEnd: string[] = [];
  bench.tasks.subscribe(({ threadId, event }) => {
    if (event.type === 'turnCompleted') atEnd.push(...linesOf(bench.tasks.folderOf(threadId)));
  });
  await bench.run('something');
  expect(atEnd.at(-1)).toContain('"type":"turnCompleted"');
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
