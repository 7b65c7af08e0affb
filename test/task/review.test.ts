/** Reviews that are made again and again: quick where nothing changed, and never a stale text for a decision. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { noDocuments } from '../../server/task/ports.ts';
import { patch, say, script } from '../support/model.ts';
import { diskFace, openBench } from '../support/task.ts';

const files = { 'a.txt': 'one\ntwo\nthree\n', 'b.txt': 'one\ntwo\nthree\n' };

async function shouted() {
  const answers = script(patch('a.txt', '-two', '+TWO'), patch('b.txt', '-two', '+TWO'), say('Done.'));
  const bench = await openBench({ files, script: answers });
  const { threadId } = await bench.run('shout');
  return { bench, threadId };
}

test('a review of what did not change is the same values; of a file that did, another', async () => {
  const { bench, threadId } = await shouted();
  await using _ = bench;
  const first = await bench.tasks.review(threadId, noDocuments);
  const again = await bench.tasks.review(threadId, noDocuments);
  expect(again.files.map((file, index) => file === first.files[index])).toEqual([true, true]);
  writeFileSync(join(bench.workspace.root, 'a.txt'), 'zero\none\ntwo\nthree\n');
  const third = await bench.tasks.review(threadId, noDocuments);
  expect(third.files.map((file, index) => file === first.files[index])).toEqual([false, true]);
  expect(third.files[0]?.hunks).toMatchObject([{ line: 2, status: 'pending' }]);
});

test('of files that were not typed in, what was seen last is shown; a decision looks at all of them', async () => {
  const { bench, threadId } = await shouted();
  await using _ = bench;
  const { tasks, workspace } = bench;
  const before = await tasks.review(threadId, noDocuments);
  const id = before.files[1]?.hunks[0]?.id ?? '';
  await workspace.write('b.txt', 'one\n2\nthree\n');
  const shown = await tasks.review(threadId, noDocuments, new Set(['a.txt']));
  expect(shown.files[1]?.hunks).toMatchObject([{ id, status: 'pending' }]);
  await expect(tasks.accept(threadId, { hunks: [id] }, diskFace)).rejects.toMatchObject({ reason: 'stale' });
  expect(await workspace.read('b.txt')).toBe('one\n2\nthree\n');
});

test('the end of the server waits for a look that is still being taken', async () => {
  const { bench, threadId } = await shouted();
  await using _ = bench;
  const looks = Array.from({ length: 5 }, () => bench.tasks.review(threadId, noDocuments));
  let done = 0;
  for (const look of looks) void look.then(() => (done += 1));
  await bench.tasks.close();
  expect(done).toBe(5);
});
