/** Conflicts from the first key to the last: nothing typed is lost, and either side can be had. */
import { expect, test } from 'vitest';
import { messageTexts, patch, say, script, shell } from '../support/model.ts';
import { openWorld } from '../support/world.ts';

const FIVE_LINES = { 'a.txt': 'one\ntwo\nthree\nfour\nfive\n' };
const shout = [patch('a.txt', '-one', '+ONE', ' two', ' three', '-four', '+FOUR'), say('Done.')] as const;

test("the agent's lines go over the user's only where that is asked for, and undo brings them back exactly", async () => {
  await using world = await openWorld({ files: FIVE_LINES, model: script(...shout) });
  const { editor } = world;
  await editor.open('a.txt');
  const task = await editor.runTask('shout one and four');
  await task.reaches('inReview');
  await editor.waitFor('the hunks', () => editor.diagnostics('a.txt').length === 2);
  editor.type('a.txt', 'four', 'quatre');
  const typed = 'one\ntwo\nthree\nquatre\nfive\n';

  await editor.request('codex/accept', { threadId: task.threadId, files: ['a.txt'] });
  expect(await editor.text('a.txt')).toBe('ONE\ntwo\nthree\nquatre\nfive\n');
  expect(await editor.request('codex/undo', { threadId: task.threadId })).toMatchObject({ applied: ['a.txt'] });
  expect(await editor.text('a.txt')).toBe(typed);

  await editor.codeAction("Codex: put the agent's lines over mine", { at: 'a.txt:4' });
  await editor.waitFor('the edit', async () => (await editor.text('a.txt')).includes('FOUR'));
  expect(await editor.text('a.txt')).toBe('one\ntwo\nthree\nFOUR\nfive\n');
  await editor.waitFor('the decision', async () => (await task.review()).includes('a.txt:4 accepted'));
  expect(await task.review()).toEqual(['a.txt:1 pending', 'a.txt:4 accepted']);

  expect(await editor.request('codex/undo', { threadId: task.threadId })).toMatchObject({ applied: ['a.txt'] });
  expect(await editor.text('a.txt')).toBe(typed);
  expect(await task.review()).toEqual(['a.txt:1 pending', 'a.txt:4 conflicting']);
});

test("a hunk in conflict is redone on the user's text, and does not stay in review beside it", async () => {
  await using world = await openWorld({
    files: FIVE_LINES,
    model: script(...shout, shell('cat a.txt'), patch('a.txt', '-quatre', '+QUATRE'), say('Again.')),
  });
  const { editor, model } = world;
  await editor.open('a.txt');
  const task = await editor.runTask('shout one and four');
  await task.reaches('inReview');
  await editor.waitFor('the hunks', () => editor.diagnostics('a.txt').length === 2);
  editor.type('a.txt', 'four', 'quatre');
  await editor.waitFor('the conflict', async () => (await task.review()).includes('a.txt:4 conflicting'));

  await editor.codeAction('Codex: redo this hunk on my version', { at: 'a.txt:4' });
  await editor.message(/Again\./);
  const asked = messageTexts(model.requests[2]).join('\n');
  expect(asked).toContain('<mine>\nquatre\n</mine>\n<yours>\nFOUR\n</yours>');
  expect(asked).not.toContain('In conflict with');
  expect(JSON.stringify(model.requests[3]?.input.at(-1))).toContain('ONE\\ntwo\\nthree\\nquatre\\nfive');
  expect(await task.review()).toEqual(['a.txt:1 pending', 'a.txt:4 pending']);

  await editor.codeAction('Codex: accept all changes', { at: 'a.txt:1' });
  await editor.waitFor('the edit', async () => (await editor.text('a.txt')).includes('QUATRE'));
  expect(await editor.text('a.txt')).toBe('ONE\ntwo\nthree\nQUATRE\nfive\n');
});
