/** A byte order mark, which editors leave out of the text they show, is nobody's change. */
import { expect, test } from 'vitest';
import { patch, say, script } from '../support/model.ts';
import { openWorld } from '../support/world.ts';

const mark = '\ufeff';
const shown = 'one\ntwo\nthree\n';

test('of a file that is open: its first line is no conflict, and the mark is neither lost nor doubled', async () => {
  await using world = await openWorld({
    files: { 'a.txt': mark + shown },
    model: script(patch('a.txt', '-one', '+ONE', ' two'), say('Done.')),
  });
  const { editor } = world;
  await editor.open('a.txt', shown);
  const task = await editor.runTask('shout');
  await task.reaches('inReview');
  expect(await task.review()).toEqual(['a.txt:1 pending']);
  const { threadId } = task;
  const { diff } = await editor.request('codex/changeset', { threadId });
  expect(diff).toContain(`-${mark}one\n+${mark}ONE\n`);
  editor.type('a.txt', 'three', 'trois');

  expect(await editor.request('codex/accept', { threadId })).toMatchObject({ applied: ['a.txt'], failed: [] });
  expect(await editor.text('a.txt')).toBe('ONE\ntwo\ntrois\n');
  expect(await editor.request('codex/undo', { threadId })).toMatchObject({ applied: ['a.txt'], failed: [] });
  expect(await editor.text('a.txt')).toBe('one\ntwo\ntrois\n');
  expect(await task.review()).toEqual(['a.txt:1 pending']);
});

test('one that the agent adds arrives in the open file', async () => {
  await using world = await openWorld({
    files: { 'a.txt': shown },
    model: script(patch('a.txt', '-one', `+${mark}one`, ' two'), say('Done.')),
  });
  const { editor } = world;
  await editor.open('a.txt');
  const task = await editor.runTask('mark it');
  await task.reaches('inReview');
  expect(await editor.request('codex/accept', { threadId: task.threadId })).toMatchObject({ applied: ['a.txt'] });
  expect(await editor.text('a.txt')).toBe(mark + shown);
});

test('of one that is not open', async () => {
  await using world = await openWorld({
    files: { 'a.txt': mark + shown },
    model: script(patch('a.txt', '-one', '+ONE', ' two'), say('Done.')),
  });
  const { editor } = world;
  const task = await editor.runTask('shout');
  await task.reaches('inReview');
  expect(await editor.request('codex/accept', { threadId: task.threadId })).toMatchObject({ applied: ['a.txt'] });
  expect(await editor.disk('a.txt')).toBe(`${mark}ONE\ntwo\nthree\n`);
});
