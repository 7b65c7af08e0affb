/** Two editors on one folder: a turn reads what either has not saved, and nothing of either is written over. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Editor, openEditor } from '../support/editor.ts';
import { patch, say, script, shell } from '../support/model.ts';
import { openWorld, type World } from '../support/world.ts';

const files = { 'a.txt': 'one\ntwo\nthree\n', 'b.txt': 'one\ntwo\nthree\n' };
const open = 'open with unsaved text in another editor; save or close it there first';

const another = ({ editor, environment }: World): Promise<Editor> =>
  openEditor({ place: editor, tasks: editor.tasks, environment });
const warnings = ({ events }: Editor): string[] =>
  events.flatMap(({ event }) => (event.type === 'warning' ? [event.message] : []));

test('a turn reads the unsaved text that only another editor has, and that editor accepts onto it', async () => {
  await using world = await openWorld({
    files,
    model: script(shell('cat a.txt'), patch('a.txt', '-zwei', '+ZWEI'), say('Done.')),
  });
  const { editor, model } = world;
  await using other = await another(world);
  await other.open('a.txt', 'one\nzwei\nthree\n');
  const task = await editor.runTask('shout');
  await task.reaches('inReview');
  expect(JSON.stringify(model.requests[1]?.input.at(-1))).toContain('zwei');
  expect(warnings(editor)).toEqual([]);

  const { threadId } = task;
  const { applied } = await other.request('codex/accept', { threadId });
  expect(applied).toEqual(['a.txt']);
  expect(await other.text('a.txt')).toBe('one\nZWEI\nthree\n');
  expect(await other.disk('a.txt')).toBe(files['a.txt']);
});

test('where two editors have different unsaved texts, the one that asked is read, and that is told once', async () => {
  await using world = await openWorld({
    files,
    model: script(shell('cat a.txt'), shell('cat a.txt'), say('Read.')),
  });
  const { editor, model } = world;
  await editor.open('a.txt', 'mine\ntwo\nthree\n');
  await using other = await another(world);
  await other.open('a.txt', 'theirs\ntwo\nthree\n');
  const task = await editor.runTask('read');
  await task.happens('turnCompleted');
  expect(JSON.stringify(model.requests[1]?.input.at(-1))).toContain('mine');
  expect(warnings(editor)).toEqual([
    "a.txt: another editor has unsaved text of it that differs from what this one has open; the task works on this one's.",
  ]);
});

test('an accept never writes over what another editor has not saved; saved there, it goes on top of it', async () => {
  await using world = await openWorld({
    files: { ...files, 'a.txt': 'one\ntwo\nthree\nfour\nfive\n' },
    model: script(patch('a.txt', '-two', '+TWO'), patch('b.txt', '-two', '+TWO'), say('Done.')),
  });
  const { editor } = world;
  await using other = await another(world);
  const { threadId, reaches } = bound(await editor.runTask('shout'));
  await reaches('inReview');
  await other.open('a.txt');
  other.type('a.txt', 'five', 'fünf');
  await other.request('codex/status', {});

  const refused = await editor.request('codex/accept', { threadId, files: ['a.txt'] });
  expect(refused).toMatchObject({ applied: [], failed: [{ path: 'a.txt', reason: open }] });
  expect(await editor.disk('a.txt')).toBe('one\ntwo\nthree\nfour\nfive\n');
  expect(await editor.request('codex/accept', { threadId, files: ['b.txt'] })).toMatchObject({ applied: ['b.txt'] });

  await other.save('a.txt');
  await other.request('codex/status', {});
  expect(await editor.request('codex/accept', { threadId })).toMatchObject({ applied: ['a.txt'], failed: [] });
  expect(await editor.disk('a.txt')).toBe('one\nTWO\nthree\nfour\nfünf\n');

  // What it shows now is what was there before the accept; it is not the user's own.
  expect(await editor.request('codex/undo', { threadId })).toMatchObject({ applied: ['a.txt'], failed: [] });
  expect(await editor.disk('a.txt')).toBe('one\ntwo\nthree\nfour\nfünf\n');
  other.type('a.txt', 'one', 'eins');
  await other.request('codex/status', {});
  const redo = await editor.request('codex/undo', { threadId, redo: true });
  expect(redo).toMatchObject({ applied: [], failed: [{ path: 'a.txt', reason: open }] });
  expect(await editor.disk('a.txt')).toBe('one\ntwo\nthree\nfour\nfünf\n');
  other.close('a.txt');
  await other.request('codex/status', {});
  expect(await editor.request('codex/undo', { threadId, redo: true })).toMatchObject({ applied: ['a.txt'] });
  expect(await editor.disk('a.txt')).toBe('one\nTWO\nthree\nfour\nfünf\n');
});

test("a buffer that was saved and not loaded anew stands in nobody's way; an editor that is killed no more either", async () => {
  await using world = await openWorld({ files, model: script(patch('a.txt', '-two', '+TWO'), say('Done.')) });
  const { editor } = world;
  await using other = await another(world);
  await other.open('a.txt');
  await other.request('codex/status', {});
  await writeFile(join(editor.root, 'a.txt'), 'zero\none\ntwo\nthree\n');
  const { threadId, reaches } = bound(await editor.runTask('shout'));
  await reaches('inReview');
  expect(await editor.request('codex/accept', { threadId })).toMatchObject({ applied: ['a.txt'], failed: [] });
  expect(await editor.disk('a.txt')).toBe('zero\none\nTWO\nthree\n');

  other.type('a.txt', 'one', 'eins');
  await other.request('codex/status', {});
  expect(await editor.request('codex/undo', { threadId })).toMatchObject({ failed: [{ reason: open }] });
  other.kill();
  await editor.waitFor('the end of the other', () => other.exitCode !== undefined);
  expect(await editor.request('codex/undo', { threadId })).toMatchObject({ applied: ['a.txt'] });
  expect(await editor.disk('a.txt')).toBe('zero\none\ntwo\nthree\n');
});

test('where both have the file open, no edit is sent while the other has typed in it', async () => {
  await using world = await openWorld({ files, model: script(patch('a.txt', '-two', '+TWO'), say('Done.')) });
  const { editor } = world;
  await using other = await another(world);
  await editor.open('a.txt');
  await other.open('a.txt');
  const { threadId, reaches } = bound(await editor.runTask('shout'));
  await reaches('inReview');
  other.type('a.txt', 'one', 'eins');
  await other.request('codex/status', {});
  const refused = await editor.request('codex/accept', { threadId });
  expect(refused).toMatchObject({ applied: [], failed: [{ path: 'a.txt', reason: open }] });
  expect(editor.edits).toEqual([]);
  // Typed back to what is on disk, it needs no saving.
  other.type('a.txt', 'eins', 'one');
  await other.request('codex/status', {});
  expect(await editor.request('codex/accept', { threadId })).toMatchObject({ applied: ['a.txt'], failed: [] });
  expect(await editor.text('a.txt')).toBe('one\nTWO\nthree\n');
  expect(await other.text('a.txt')).toBe('one\ntwo\nthree\n');
});

test('each editor sees the review against its own text', async () => {
  await using world = await openWorld({ files, model: script(patch('a.txt', '-two', '+TWO'), say('Done.')) });
  const { editor } = world;
  await using other = await another(world);
  const task = await editor.runTask('shout');
  await task.reaches('inReview');
  await other.open('a.txt', 'zero\none\n2\nthree\n');
  const theirs = await other.request('codex/changeset', { threadId: task.threadId });
  expect(await task.review()).toEqual(['a.txt:1 pending']);
  expect(theirs.files[0]?.hunks).toMatchObject([{ status: 'conflicting' }]);
});

const bound = (task: Awaited<ReturnType<Editor['runTask']>>) => ({
  threadId: task.threadId,
  reaches: task.reaches.bind(task),
});
