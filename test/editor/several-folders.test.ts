/** An editor with several workspace folders: a task delegated from one of them has them all, and shows in each. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Approval } from '../../server/protocol/thread.ts';
import { type Editor, openEditor } from '../support/editor.ts';
import { FakeTasks, fileInReview } from '../support/fake-tasks.ts';

const files = {
  'api/a.txt': 'one\ntwo\n',
  'api/in/b.txt': 'b\n',
  'web/w.txt': 'x\n// codex: shout\ny\n',
  'other/.git/HEAD': 'x',
  'other/o.txt': 'o\n',
};

async function openWith(tasks: FakeTasks, names: readonly string[]): Promise<Editor> {
  const editor = await openEditor({ tasks, files, folders: [] });
  change(editor, names);
  return editor;
}

const change = (editor: Editor, added: readonly string[], removed: readonly string[] = []): void => {
  const named = (names: readonly string[]) => names.map((name) => ({ name, uri: editor.uri(name) }));
  const event = { added: named(added), removed: named(removed) };
  editor.notify('workspace/didChangeWorkspaceFolders', { event });
};

const about = (editor: Editor, path: string) => ({ textDocument: { uri: editor.uri(path) } });

test('the folder it is delegated from comes first, the others with it; one that is named is alone', async () => {
  const tasks = new FakeTasks();
  await using editor = await openWith(tasks, ['api', 'web']);
  const [api, web, other] = ['api', 'web', 'other'].map((name) => join(editor.root, name));
  const workspace = async (params: object) => {
    await editor.runTask('x', params);
    const { root, folders } = tasks.started.at(-1) ?? {};
    return { root, folders };
  };
  expect(await workspace({})).toEqual({ root: editor.root, folders: [api, web] });
  expect(await workspace(about(editor, 'web/w.txt'))).toEqual({ root: editor.root, folders: [web, api] });
  expect(await workspace({ root: editor.uri('web') })).toEqual({ root: web, folders: undefined });
  // Outside of the editor's folders: the repository around it, and nothing else.
  expect(await workspace(about(editor, 'other/o.txt'))).toEqual({ root: other, folders: undefined });
  change(editor, ['api/in']);
  expect(await workspace(about(editor, 'api/in/b.txt'))).toEqual({ root: editor.root, folders: [api, web] });
  change(editor, [], ['web']);
  expect(await workspace(about(editor, 'api/in/b.txt'))).toEqual({ root: api, folders: undefined });
});

test('paths begin with their folder; a file may be named from the folder the task comes from', async () => {
  const tasks = new FakeTasks();
  await using editor = await openWith(tasks, ['api', 'web']);
  await editor.open('web/w.txt', 'x\n// codex: shout\ntyped\n');
  await editor.runTask('x', {
    ...about(editor, 'web/w.txt'),
    files: ['w.txt', 'api/a.txt', join(editor.root, 'api/in/b.txt')],
  });
  expect(tasks.started[0]).toMatchObject({
    attachments: [{ path: 'web/w.txt', unsaved: true }, { path: 'api/a.txt' }, { path: 'api/in/b.txt' }],
    origin: { path: 'web/w.txt', line: 0 },
  });
  await editor.codeAction('Codex: shout', { at: 'web/w.txt:2' });
  expect(tasks.started[1]?.seeds).toEqual([
    { path: 'web/w.txt', base: 'x\n// codex: shout\ntyped\n', text: 'x\ntyped\n' },
  ]);
  for (const file of ['other/o.txt', '../x', join(editor.root, 'other/o.txt')])
    await expect(editor.runTask('x', { files: [file] })).rejects.toMatchObject({
      code: -32602,
      message: expect.stringContaining('files[0]'),
    });
});

test('a folder that no task may have is left out, and the task says so', async () => {
  const tasks = new FakeTasks();
  await using editor = await openWith(tasks, ['api', 'none']);
  change(editor, ['/']);
  await editor.runTask('x');
  expect(tasks.started[0]).toMatchObject({ root: join(editor.root, 'api') });
  expect(tasks.started[0]?.leftOut).toEqual([
    expect.stringContaining('none is left out of this task. There is no such folder.'),
    expect.stringContaining('/ is left out of this task. No task may work in /'),
  ]);
});

test('a thread of two folders is listed, asked and reviewed once, in the files of both', async () => {
  const tasks = new FakeTasks();
  await using editor = await openWith(tasks, ['api', 'web']);
  const task = await editor.runTask('x', about(editor, 'web/w.txt'));
  const { threadId } = task;
  await task.happens('turnStarted');
  const asked: Approval = {
    approvalId: 'p1',
    threadId,
    turnId: 'u1',
    kind: 'command',
    title: 'Run: x',
    requestedAt: '2026-01-02T03:04:05.000Z',
  };
  tasks.pending = ['api', 'web'].map((name) => ({ ...asked, root: join(editor.root, name) }));
  tasks.emit(threadId, { type: 'approvalRequested', approval: asked });
  const status = await editor.request('codex/status', {});
  expect(status.threads.map((thread) => thread.threadId)).toEqual([threadId]);
  expect(status.approvals).toHaveLength(1);
  await editor.waitFor('the question', () => editor.diagnostics('web/w.txt').length === 1);
  expect((await editor.titles('web/w.txt')).filter((title) => title.includes('allow once'))).toHaveLength(1);
  tasks.pending = [];

  const change = [{ line: 0, oldLines: ['one\n'], newLines: ['ONE\n'] }];
  const hunks = [{ line: 0, oldLines: ['x\n'], newLines: ['X\n'] }];
  tasks.setReview(threadId, {
    files: [
      fileInReview('api/a.txt', 'one\ntwo\n', change),
      fileInReview('web/w.txt', 'x\n// codex: shout\ny\n', hunks),
    ],
  });
  tasks.emit(threadId, { type: 'approvalResolved', approvalId: 'p1', decision: 'accept' });
  tasks.emit(threadId, { type: 'turnCompleted', status: 'completed', summary: 'Done.' });
  for (const path of ['api/a.txt', 'web/w.txt'])
    await editor.waitFor(`the hunk of ${path}`, () => editor.diagnostics(path).length === 1);
  const { uri } = await editor.request('codex/openReview', { threadId });
  expect(decodeURIComponent(uri)).toContain('/web/.codex/local/');
});

test('an editor with only one of its folders is told of it too', async () => {
  const tasks = new FakeTasks();
  await using editor = await openWith(tasks, ['api', 'web']);
  await using second = await openEditor({
    tasks,
    place: { root: editor.root, stateFolder: editor.stateFolder },
    folders: [join(editor.root, 'api')],
  });
  await using third = await openEditor({
    tasks,
    place: { root: editor.root, stateFolder: editor.stateFolder },
    folders: [join(editor.root, 'other')],
  });
  const { threadId } = await editor.runTask('x', about(editor, 'web/w.txt'));
  await second.waitFor('the event', () => second.events.some((event) => event.threadId === threadId));
  await third.request('codex/status', {});
  expect(third.events).toEqual([]);
});

test.each([
  ['with the others', {}, ['web', 'api']],
  ['alone, where it was named', { root: 'web' }, undefined],
])('a task document runs in the folder it was opened for, %s', async (_, named, expected) => {
  const tasks = new FakeTasks();
  await using editor = await openWith(tasks, ['api', 'web']);
  const params = { ...about(editor, 'web/w.txt'), ...('root' in named ? { root: editor.uri(named.root) } : {}) };
  const { uri } = Object(await editor.executeCommand('codex.runTask', [params]));
  const path = decodeURIComponent(new URL(uri).pathname).slice(editor.root.length + 1);
  expect(path).toMatch(/^web\/\.codex\/local\//);
  await editor.open(path);
  editor.type(path, '-->\n', '-->\nShout.\n');
  await editor.save(path);
  await editor.waitFor('the task', () => tasks.started.length === 1);
  expect(tasks.started[0]).toMatchObject({ prompt: 'Shout.' });
  expect(tasks.started[0]?.folders).toEqual(expected?.map((name) => join(editor.root, name)));
  expect(tasks.started[0]?.attachments).toMatchObject([{ path: expected ? 'web/w.txt' : 'w.txt' }]);
});
