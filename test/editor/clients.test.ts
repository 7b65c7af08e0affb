/** One task in every editor: what it changes arrives and goes back, and who typed in the same moment loses no character. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openTasks } from '../../server/task/open.ts';
import { type Client, clientOptions, clients } from '../support/clients.ts';
import { type Editor, type EditorOptions, type Hands, openEditor, type Task } from '../support/editor.ts';
import { patch, say, script, startModel, together } from '../support/model.ts';

const files = {
  'a.txt': 'one\ntwo\nthree\nfour\nfive\n',
  'crlf.txt': 'one\r\ntwo\r\nthree',
  'b.txt': 'b\n',
  'gone.txt': 'gone\n',
  'old.txt': '1\n2\n3\n4\n',
};
const unsaved = `zero\n${files['a.txt']}`;

/** A task that has changed, made, removed and renamed files, in an editor that shows two of them. */
async function inReview(
  client: Client,
  run: (editor: Editor, task: Task) => Promise<void>,
  options: Partial<EditorOptions> = {},
): Promise<void> {
  await using model = await startModel(
    script(
      together(
        patch('a.txt', '-two', '+TWO'),
        patch('crlf.txt', '-two', '+TWO'),
        patch('b.txt', '-b', '+B'),
        patch.add('new/c.txt', 'c\n'),
        patch.delete('gone.txt'),
        patch.move('old.txt', 'moved.txt'),
      ),
      say('Done.'),
    ),
  );
  const says = await clientOptions(client);
  await using editor = await openEditor({
    files,
    ...says,
    capabilities: { ...says.capabilities, experimental: { codex: { events: true } } },
    tasks: ({ stateFolder }) => openTasks({ stateDir: stateFolder }),
    environment: { OPENAI_API_KEY: 'sk-test', OPENAI_BASE_URL: model.baseURL },
    ...options,
  });
  await editor.open('a.txt', unsaved);
  await editor.open('crlf.txt');
  const task = await editor.runTask('shout');
  await task.reaches('inReview');
  await run(editor, task);
  editor.messages();
}

const able = Object.entries(clients).filter(([, { traits }]) => traits !== 'takesNone');
const unable = Object.entries(clients).filter(([, { traits }]) => traits === 'takesNone');
const paths = ['a.txt', 'b.txt', 'crlf.txt', 'gone.txt', 'moved.txt', 'new/c.txt'];

const absent = (path: string, editor: Editor): Promise<void> =>
  expect(editor.disk(path)).rejects.toMatchObject({ code: 'ENOENT' });

test.concurrent.each(able)('%s: buffers by the editor, all else by the server, and back', (_, client) =>
  inReview(client, async (editor) => {
    const shown = await editor.text('crlf.txt');
    await editor.open('old.txt');
    const result = await editor.request('codex/accept', {});
    expect(result).toMatchObject({ conflicts: [], failed: [] });
    expect(result.applied.toSorted()).toEqual(paths);
    expect(await editor.text('a.txt')).toBe(unsaved.replace('two', 'TWO'));
    expect(await editor.text('crlf.txt')).toBe(shown.replace('two', 'TWO'));
    expect(await editor.disk('a.txt')).toBe(files['a.txt']);
    expect(await editor.disk('b.txt')).toBe('B\n');
    expect(await editor.disk('new/c.txt')).toBe('c\n');
    expect(await editor.disk('moved.txt')).toBe(files['old.txt']);
    await absent('gone.txt', editor);
    await absent('old.txt', editor);
    expect((await editor.message('applied to')).text).toContain('old.txt no longer on disk: close it.');

    const undone = await editor.request('codex/undo', {});
    expect(undone).toMatchObject({ conflicts: [], failed: [] });
    expect(await editor.text('a.txt')).toBe(unsaved);
    expect(await editor.text('crlf.txt')).toBe(shown);
    for (const path of ['b.txt', 'gone.txt', 'old.txt'] as const) expect(await editor.disk(path)).toBe(files[path]);
    await absent('moved.txt', editor);
    await absent('new/c.txt', editor);
    expect(editor.log).toEqual([]);
  }),
);

test.concurrent.each(unable)(
  '%s takes no edit: nothing is written under unsaved text, and all of it once that is saved',
  (_, client) =>
    inReview(client, async (editor) => {
      const refused = await editor.request('codex/accept', {});
      expect(refused.applied).toEqual([]);
      expect(refused.failed.map(({ path }) => path).toSorted()).toEqual(paths);
      expect(refused.failed).toContainEqual({ path: 'a.txt', reason: expect.stringContaining('save or reload it') });
      expect(await editor.disk('b.txt')).toBe('b\n');

      await editor.save('a.txt');
      expect((await editor.request('codex/accept', {})).applied.toSorted()).toEqual(paths);
      expect(await editor.disk('a.txt')).toBe(unsaved.replace('two', 'TWO'));
      expect(await editor.disk('crlf.txt')).toBe(files['crlf.txt'].replace('two', 'TWO'));
      const told = await editor.message('changed on disk');
      expect(told.text).toContain(`a.txt, crlf.txt changed on disk: ${client.reload}`);

      // Without a reload between: the file is what counts.
      expect(await editor.request('codex/undo', {})).toMatchObject({ conflicts: [], failed: [] });
      expect(await editor.disk('a.txt')).toBe(unsaved);
      expect(await editor.disk('crlf.txt')).toBe(files['crlf.txt']);
      await absent('new/c.txt', editor);
      expect(editor.edits).toEqual([]);
    }),
);

test.concurrent.each(Object.entries(clients))('%s is told how it shows what the server wrote', (_, client) =>
  inReview(
    client,
    async (editor) => {
      await editor.save('a.txt');
      expect(await editor.request('codex/accept', { files: ['a.txt'] })).toMatchObject({
        applied: ['a.txt'],
        failed: [],
      });
      expect((await editor.message('changed on disk')).text).toBe(
        `Codex: applied to a.txt; a.txt changed on disk: ${client.reload}.`,
      );
      expect(editor.edits).toEqual([]);
    },
    { settings: [{ origin: 'config.json', value: { apply: 'disk' } }] },
  ),
);

test.concurrent.each(able)('%s: with the setting editor, a closed file too is an unsaved buffer', (_, client) =>
  inReview(
    client,
    async (editor) => {
      const chosen = { files: ['a.txt', 'b.txt'] };
      expect(await editor.request('codex/accept', chosen)).toMatchObject({ applied: chosen.files, failed: [] });
      expect(editor.isOpen('b.txt')).toBe(true);
      expect(await editor.text('b.txt')).toBe('B\n');
      const isSaved = client.traits !== 'takesNone' && client.traits.saves === true;
      expect(await editor.disk('b.txt')).toBe(isSaved ? 'B\n' : 'b\n');
      expect(await editor.request('codex/undo', {})).toMatchObject({ applied: chosen.files, failed: [] });
      expect(await editor.text('a.txt')).toBe(unsaved);
      expect(await editor.text('b.txt')).toBe('b\n');
    },
    { settings: [{ origin: 'config.json', value: { apply: 'editor' } }] },
  ),
);

/** The user's keys arrive after the server has sent its edit, and before the editor does it. */
const typesFirst =
  (hands: Hands, ...[path, from, to]: Parameters<Editor['type']>): Hands =>
  async (params, editor) => {
    if (editor.edits.length === 1) editor.type(path, from, to);
    return hands(params, editor);
  };

test.concurrent.each(
  able.flatMap(([name, client]) =>
    (
      [
        ['below', 'five', 'five!'],
        ['above', 'zero\n', 'zero\nhalf\n'],
        ['in the line itself', 'two', 'two!'],
      ] as const
    ).map(([where, from, to]) => ({ name, client, where, from, to })),
  ),
)('$name: typed $where while the editor does the edit', ({ client, from, to }) =>
  inReview(client, async (editor) => {
    const { applyEdit } = await clientOptions(client);
    if (typeof applyEdit !== 'function') throw new Error('no hands');
    editor.applyEdit = typesFirst(applyEdit, 'a.txt', from, to);
    const { applied, failed } = await editor.request('codex/accept', { files: ['a.txt'] });
    const typed = unsaved.replace(from, to);
    const isDone = applied.includes('a.txt');
    expect(await editor.text('a.txt')).toBe(isDone ? typed.replace('two', 'TWO') : typed);
    expect(failed).toEqual(isDone ? [] : [{ path: 'a.txt', reason: 'stale' }]);

    if (isDone) return;
    editor.applyEdit = applyEdit;
    const again = editor.request('codex/accept', { files: ['a.txt'] });
    if (to === 'two!') await expect(again).rejects.toThrow('your text stays');
    else expect(await again).toMatchObject({ applied: ['a.txt'], failed: [] });
    expect(await editor.text('a.txt')).toBe(to === 'two!' ? typed : typed.replace('two', 'TWO'));
  }),
);

test.concurrent.each([
  ['below', 'five', 'five!', true],
  ['above', 'zero\n', 'zero\nhalf\n', true],
  ['in the line itself', 'two', 'two!', false],
] as const)('Zed moves an edit of an older version to where it belongs: typed %s', (_, from, to, isDone) => {
  const zed = clients.Zed;
  if (!zed) throw new Error('no Zed');
  return inReview(
    zed,
    async (editor) => {
      const { applyEdit } = await clientOptions(zed);
      if (typeof applyEdit !== 'function') throw new Error('no hands');
      editor.applyEdit = typesFirst(applyEdit, 'a.txt', from, to);
      const { applied, failed } = await editor.request('codex/accept', { files: ['a.txt'] });
      expect(applied).toEqual(isDone ? ['a.txt'] : []);
      expect(failed).toEqual(isDone ? [] : [{ path: 'a.txt', reason: 'stale' }]);
      // What stands between the ends of the edit goes with it, and is given back.
      expect(editor.edits).toHaveLength(isDone ? 1 : 2);
      const typed = unsaved.replace(from, to);
      expect(await editor.text('a.txt')).toBe(isDone ? typed.replace('two', 'TWO') : typed);
    },
    { firstVersion: 1 },
  );
});

test('every recorded client is one of these', async () => {
  const recorded = await readdir(join(import.meta.dirname, '../fixtures/clients'));
  const replayed = Object.values(clients).flatMap(({ said }) => (typeof said === 'string' ? [`${said}.json`] : []));
  expect(replayed.toSorted()).toEqual(recorded.toSorted());
});
