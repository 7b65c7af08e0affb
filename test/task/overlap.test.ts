/** Threads that change the same file: told where both meet, and settled by rebase. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { mayShareFiles, overlapWarnings } from '../../server/task/overlap.ts';
import { noDocuments } from '../../server/task/ports.ts';
import { patch, say, script } from '../support/model.ts';
import { diskFace, openBench } from '../support/task.ts';

describe('workspaces that may share a file', () => {
  test.each([
    ['the same folder', { root: '/w' }, { root: '/w' }, true],
    ['a subfolder', { root: '/w' }, { root: '/w/sub' }, true],
    ['the folder around', { root: '/w/sub' }, { root: '/w' }, true],
    ['a neighbour', { root: '/w/a' }, { root: '/w/b' }, false],
    ['one that begins alike', { root: '/w/a' }, { root: '/w/ab' }, false],
    ['one of several', { root: '/w', folders: ['/w/a', '/w/b'] }, { root: '/w/b' }, true],
    ['none of several', { root: '/w', folders: ['/w/a', '/w/b'] }, { root: '/w/c' }, false],
  ])('%s', (_, one, other, expected) => {
    expect(mayShareFiles(one, other)).toBe(expected);
    expect(mayShareFiles(other, one)).toBe(expected);
  });
});

test('one sentence for each other thread, of bounded length', () => {
  const of = (threadId: string, count: number) =>
    Array.from({ length: count }, (_, index) => ({ path: `${index}.txt`, threadId, title: 'Tidy' }));
  expect(overlapWarnings([...of('t1', 1), ...of('t2', 7)])).toEqual([
    '0.txt is also changed by thread t1: Tidy, pending.',
    '0.txt, 1.txt, 2.txt, 3.txt, 4.txt and 2 more files are also changed by thread t2: Tidy, pending.',
  ]);
  expect(overlapWarnings([])).toEqual([]);
});

const lines = ['one', 'two', 'three', 'four', 'five', ''].join('\n');
const files = { 'sub/a.txt': lines, 'b.txt': lines };

test('a thread and one of a subfolder change the same file: both are told, and the second goes onto the first', async () => {
  await using bench = await openBench({
    files,
    script: script(patch('sub/a.txt', '-one', '+ONE'), say('First.'), patch('a.txt', '-five', '+FIVE'), say('Second.')),
  });
  const { tasks, workspace } = bench;
  const first = (await bench.run('shout one')).threadId;
  expect(warningsOf(bench.events)).toEqual([]);
  const second = (await bench.run('shout five', { root: join(workspace.root, 'sub') })).threadId;
  expect(warningsOf(bench.events)).toEqual([`a.txt is also changed by thread ${first}: shout one, pending.`]);

  expect(await alsoChanged(tasks, second)).toEqual({ 'a.txt': [{ threadId: first, title: 'shout one' }] });
  expect(await alsoChanged(tasks, first)).toEqual({ 'sub/a.txt': [{ threadId: second, title: 'shout five' }] });
  expect(await tasks.reviewDocument(first, noDocuments)).toMatch(
    new RegExp(`^# Also changed by other threads .*\n#   sub/a.txt: thread ${second}, shout five$`, 'm'),
  );

  const accepted = await (await tasks.accept(first, {}, diskFace)).result;
  expect(accepted).toMatchObject({ applied: ['sub/a.txt'], conflicts: [] });
  expect(await alsoChanged(tasks, second)).toEqual({});
  expect(await tasks.reviewDocument(second, noDocuments)).not.toContain('Also changed');
  expect(await bench.review(second)).toEqual(['a.txt:5 pending']);
  expect(await (await tasks.accept(second, {}, diskFace)).result).toMatchObject({ applied: ['a.txt'], conflicts: [] });
  expect(await workspace.read('sub/a.txt')).toBe(lines.replace('one', 'ONE').replace('five', 'FIVE'));
});

test('where two threads change the same lines, what is accepted second is in conflict with the first', async () => {
  await using bench = await openBench({
    files,
    script: script(
      patch('b.txt', '-two', '+TWO'),
      say('First.'),
      patch('b.txt', '-two', '+zwei', ' three', ' four', '-five', '+FIVE'),
      say('Second.'),
    ),
  });
  const { tasks, workspace } = bench;
  const first = (await bench.run('shout two')).threadId;
  const second = (await bench.run('translate two')).threadId;
  await (await tasks.accept(first, {}, diskFace)).result;
  expect(await bench.review(second)).toEqual(['b.txt:2 conflicting', 'b.txt:5 pending']);
  const result = await (await tasks.accept(second, {}, diskFace)).result;
  expect(result).toMatchObject({ applied: ['b.txt'], conflicts: [{ path: 'b.txt' }] });
  expect(await workspace.read('b.txt')).toBe(lines.replace('two', 'TWO').replace('five', 'FIVE'));
});

test('what is rejected there, or archived, is not told of', async () => {
  await using bench = await openBench({
    files,
    script: script(
      patch('b.txt', '-two', '+TWO'),
      patch('sub/a.txt', '-two', '+TWO'),
      say('First.'),
      patch('b.txt', '-four', '+FOUR'),
      say('Second.'),
      patch('sub/a.txt', '-four', '+FOUR'),
      say('Third.'),
    ),
  });
  const { tasks } = bench;
  const first = (await bench.run('shout two')).threadId;
  await tasks.reject(first, { files: ['b.txt'] }, noDocuments);
  const second = (await bench.run('shout four')).threadId;
  expect(warningsOf(bench.events)).toEqual([]);
  expect(await alsoChanged(tasks, second)).toEqual({});

  const third = (await bench.run('shout there')).threadId;
  expect(await alsoChanged(tasks, third)).toEqual({ 'sub/a.txt': [{ threadId: first, title: 'shout two' }] });
  await tasks.archive(first, true);
  expect(await alsoChanged(tasks, third)).toEqual({});
});

type Bench = Awaited<ReturnType<typeof openBench>>;

const warningsOf = (events: Bench['events']): string[] =>
  events.flatMap(({ event }) => (event.type === 'warning' ? [event.message] : []));

async function alsoChanged(tasks: Bench['tasks'], threadId: string): Promise<Record<string, unknown>> {
  const { files } = await tasks.changeset(threadId, noDocuments);
  return Object.fromEntries(files.flatMap(({ path, alsoChangedBy }) => (alsoChangedBy ? [[path, alsoChangedBy]] : [])));
}
