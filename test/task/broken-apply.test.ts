/** An accept that breaks off after it was begun, in a process that lives on: what is written is told, and nothing is begun over it. */
import { writeFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isUnfinished } from '../../server/task/apply-journal.ts';
import { Approvals } from '../../server/task/approvals.ts';
import { Decisions } from '../../server/task/decide.ts';
import type { Face, OpenDocuments } from '../../server/task/ports.ts';
import { ThreadRecord } from '../../server/task/record.ts';
import { Superseded } from '../../server/task/superseded.ts';
import { say, script, shell } from '../support/model.ts';
import { type Bench, diskFace, openBench } from '../support/task.ts';

const files = { 'a.txt': 'a\n', 'b.txt': 'b\n' };
const shout = () => script(shell("printf 'A\\n' > a.txt; printf 'B\\n' > b.txt"), say('Done.'));

const accept = async (bench: Bench, threadId: string, face: Face) =>
  (await bench.tasks.accept(threadId, {}, face)).result;

/** A folder where the log of this accept is to be written. */
async function obstacleOf(bench: Bench, threadId: string): Promise<string> {
  const path = join(bench.tasks.folderOf(threadId), 'applies', 'a000000001.json.new');
  await mkdir(path, { recursive: true });
  return path;
}

test('what was written is decided at once, with the reason for the rest, and can be undone', async () => {
  let shown = 'a\n';
  const documents: OpenDocuments = { under: () => new Map([['a.txt', { text: shown, version: 1 }]]) };
  await using bench = await openBench({ files, script: shout(), documents });
  const { threadId } = await bench.run('shout');
  const face: Face = {
    documents,
    profile: { mode: 'mixed' },
    applyEdits: async (_root, edits) => {
      for (const { after } of edits) if (after.kind === 'text') shown = after.text;
      return new Map();
    },
  };
  const breaking: Face = {
    ...face,
    wrote: () => {
      throw new Error('the editor went away');
    },
  };
  expect(await accept(bench, threadId, breaking)).toMatchObject({
    applied: ['b.txt'],
    failed: [{ path: 'a.txt', reason: 'the editor went away' }],
  });
  expect(await isUnfinished(bench.tasks.folderOf(threadId))).toBe(false);
  expect(await bench.review(threadId)).toEqual(['a.txt:1 pending', 'b.txt:1 accepted']);
  expect(await (await bench.tasks.undo(threadId, face)).result).toMatchObject({ failed: [] });
  expect([shown, await bench.workspace.read('b.txt')]).toEqual(['a\n', 'b\n']);
});

test('what can not be mended yet is told as failed, and ended before anything else is begun', async () => {
  await using bench = await openBench({ files, script: shout() });
  const { threadId } = await bench.run('shout');
  const obstacle = await obstacleOf(bench, threadId);
  expect(await accept(bench, threadId, diskFace)).toMatchObject({
    applied: [],
    failed: [{ path: 'a.txt', reason: expect.stringContaining('EISDIR') }, { path: 'b.txt' }],
  });
  await expect(bench.tasks.undo(threadId, diskFace)).rejects.toThrow('EISDIR');
  await rm(obstacle, { recursive: true });
  expect(await (await bench.tasks.undo(threadId, diskFace)).result).toMatchObject({ applied: ['a.txt', 'b.txt'] });
  for (const [path, text] of Object.entries(files)) expect(await bench.workspace.read(path)).toBe(text);
  const told = bench.events.flatMap(({ event }) => (event.type === 'applied' ? [event.result.applied] : []));
  expect(told).toEqual([[], ['a.txt', 'b.txt']]);
});

test('also where the thread was held all the while, so that nobody takes it anew', async () => {
  await using bench = await openBench({ files, script: shout() });
  const { threadId } = await bench.run('shout');
  const folder = bench.tasks.folderOf(threadId);
  const decisions = new Decisions(new Approvals(), new Superseded());
  const record = await ThreadRecord.load(folder, threadId, {
    publish: () => {},
    recoverApply: () => Promise.reject(new Error('it was taken anew')),
    recover: () => Promise.reject(new Error('no turn runs')),
  });
  if (!record) throw new Error('no thread');
  const obstacle = await obstacleOf(bench, threadId);
  const release = await record.hold('work');
  try {
    await (await decisions.accept(record, {}, diskFace)).result;
    expect(await isUnfinished(folder)).toBe(true);
    await rm(obstacle, { recursive: true });
    const undone = await (await decisions.undo(record, diskFace, 'undo')).result;
    expect(undone).toMatchObject({ applied: ['a.txt', 'b.txt'], failed: [] });
  } finally {
    await release();
  }
  for (const [path, text] of Object.entries(files)) expect(await bench.workspace.read(path)).toBe(text);
});

test('a file that is changed meanwhile stays, and is named with the reason; the others are taken back', async () => {
  await using bench = await openBench({ files, script: shout() });
  const { threadId } = await bench.run('shout');
  const face: Face = {
    ...diskFace,
    wrote: () => {
      writeFileSync(join(bench.workspace.root, 'a.txt'), 'typed\n');
      throw new Error('the editor went away');
    },
  };
  expect(await accept(bench, threadId, face)).toMatchObject({
    applied: [],
    failed: [
      { path: 'a.txt', reason: 'the editor went away; it was changed since, so look at it' },
      { path: 'b.txt', reason: 'the editor went away' },
    ],
  });
  expect(await bench.workspace.read('a.txt')).toBe('typed\n');
  expect(await bench.workspace.read('b.txt')).toBe('b\n');
  expect(await isUnfinished(bench.tasks.folderOf(threadId))).toBe(false);
});

test('what is done is told as done, even where what is left can not be said', async () => {
  await using bench = await openBench({ files, script: shout() });
  const { threadId } = await bench.run('shout');
  let isGone = false;
  const face: Face = {
    ...diskFace,
    documents: {
      under: () => {
        if (isGone) throw new Error('the editor went away');
        return new Map();
      },
    },
    wrote: () => {
      isGone = true;
    },
  };
  expect(await accept(bench, threadId, face)).toMatchObject({ applied: ['a.txt', 'b.txt'], failed: [] });
  expect(await isUnfinished(bench.tasks.folderOf(threadId))).toBe(false);
  await bench.restart();
  expect(await bench.review(threadId)).toEqual(['a.txt:1 accepted', 'b.txt:1 accepted']);
});
