/** Threads are named by what was asked, and found by it, whether this process has seen them or reads them from the disk. */
import { expect, test } from 'vitest';
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
