/** What is offered on a hunk in conflict, and what the editor's requests for it do. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { openEditor } from '../support/editor.ts';
import { FakeTasks, fileInReview } from '../support/fake-tasks.ts';

const text = 'one\ntwo\nthree\nfour\nfive\n';
const conflicting = { newLines: ['X\n'], status: 'conflicting' } as const;

async function inConflict() {
  const tasks = new FakeTasks();
  const editor = await openEditor({ tasks, files: { 'a.txt': text, 'b.txt': text } });
  const files = [
    fileInReview('a.txt', text, [
      { id: 'ha1', line: 0, oldLines: ['one\n'], newLines: ['ONE\n'] },
      { ...conflicting, id: 'ha2', line: 2, oldLines: ['three\n'] },
    ]),
    fileInReview('b.txt', text, [
      { ...conflicting, id: 'hb1', line: 0, oldLines: ['one\n'] },
      { ...conflicting, id: 'hb2', line: 3, oldLines: ['four\n'] },
    ]),
  ];
  tasks.add('one', editor.root, 'inReview', 'shout');
  tasks.setReview('one', { files });
  tasks.emit('one', { type: 'changesetUpdated', files: 2, additions: 4, deletions: 4 });
  for (const path of ['a.txt', 'b.txt']) await editor.open(path);
  await editor.waitFor('the review', () => editor.diagnostics('a.txt').length > 0);
  const ids = files.flatMap(({ hunks }) => hunks.map(({ id }) => id));
  return { editor, tasks, ids };
}

const settling = (titles: readonly string[]): string[] => titles.filter((title) => /mine|my version/.test(title));

test('on a conflicting hunk, and on no other, it can be redone or put over the own lines', async () => {
  const { editor } = await inConflict();
  await using _ = editor;
  expect(settling(await editor.titles('a.txt:1'))).toEqual([]);
  expect(settling(await editor.titles('a.txt:3'))).toEqual([
    'Codex: redo this hunk on my version',
    "Codex: put the agent's lines over mine",
  ]);
  expect(settling(await editor.titles('b.txt:4'))[0]).toBe(
    'Codex: redo this hunk and 1 more in conflict on my version',
  );
  for (const title of settling(await editor.titles('a.txt:3'))) expect(title).not.toMatch(/\b(?:all|file|task)\b/);
});

test('in review.diff as well', async () => {
  const { editor } = await inConflict();
  await using _ = editor;
  const { uri } = await editor.request('codex/openReview', { threadId: 'one' });
  const document = await readFile(fileURLToPath(uri), 'utf8');
  await editor.open(uri, document);
  const line = document.split('\n').findIndex((line) => line.endsWith('] a.txt'));
  expect(settling(await editor.titles({ path: uri, range: rangeOf(line) }))).toEqual([
    'Codex: redo this hunk on my version',
    "Codex: put the agent's lines over mine",
  ]);
});

test('putting over names the hunk; over everything, or over a file, it cannot be asked for', async () => {
  const { editor, tasks, ids } = await inConflict();
  await using _ = editor;
  await editor.codeAction("Codex: put the agent's lines over mine", { at: 'a.txt:3' });
  expect(tasks.accepted).toMatchObject([{ threadId: 'one', selection: { hunks: [ids[1]], overMine: true } }]);
  for (const which of [{}, { files: ['a.txt'] }, { files: ['a.txt'], hunks: ids }]) {
    await expect(editor.request('codex/accept', { threadId: 'one', overMine: true, ...which })).rejects.toMatchObject({
      code: -32602,
      message: expect.stringContaining('overMine'),
    });
  }
});

test('redoing starts a turn of the thread with both sides; a hunk in no conflict is refused by name', async () => {
  const { editor, tasks, ids } = await inConflict();
  await using _ = editor;
  await editor.codeAction('Codex: redo this hunk on my version', { at: 'a.txt:3' });
  expect(tasks.started).toMatchObject([{ threadId: 'one', redo: ids[1], mode: 'task', root: editor.root }]);
  expect(tasks.started[0]?.prompt).toContain('a.txt');
  expect(tasks.started[0]?.prompt).toContain('<yours>\nX\n</yours>');
  const refused = (hunk: string) => editor.request('codex/redoHunk', { threadId: 'one', hunk });
  await expect(refused(ids[0] ?? '')).rejects.toMatchObject({ data: { reason: 'stale', hunk: ids[0] } });
  await expect(refused('h0000000000')).rejects.toMatchObject({ data: { reason: 'unknownHunk' } });
  expect(tasks.started).toHaveLength(1);
});

const rangeOf = (line: number) => ({ start: { line, character: 0 }, end: { line, character: 0 } });
