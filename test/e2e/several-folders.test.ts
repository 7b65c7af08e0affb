/** The main job in an editor with two workspace folders: what is typed in both, one review, one accept, one undo. */
import { expect, test } from 'vitest';
import { patch, say, script, shell, together, toolOutputs } from '../support/model.ts';
import { openWorld } from '../support/world.ts';

const files = {
  'api/a.ts': 'export const one = 1;\n',
  'api/old.ts': '1\n2\n3\n4\n5\n6\n',
  'web/w.ts': 'import { one } from "../api/a";\n\nshow(one);\n',
  'web/gone.ts': 'gone\n',
  'other/o.ts': 'o\n',
};

test('delegated from one of two folders: commands see the unsaved text of both, and both are changed and go back', async () => {
  await using world = await openWorld({
    files,
    git: false,
    folders: [],
    model: script(
      shell('cat w.ts ../api/a.ts; ls ..'),
      together(
        patch('api/a.ts', '-export const two = 2;', '+export const three = 3;'),
        patch('web/w.ts', '-show(two);', '+show(three);'),
        patch.delete('web/gone.ts'),
        patch.move('api/old.ts', 'web/moved.ts'),
        patch.add('web/new/n.ts', 'n\n'),
      ),
      say('It is three now.'),
    ),
  });
  const { editor, model, workspace } = world;
  const added = ['api', 'web'].map((name) => ({ name, uri: editor.uri(name) }));
  editor.notify('workspace/didChangeWorkspaceFolders', { event: { added, removed: [] } });
  await editor.open('api/a.ts', 'export const two = 2;\n');
  await editor.open('web/w.ts', 'import { two } from "../api/a";\n\nshow(two);\n');
  const task = await editor.runTask('make it three', { textDocument: { uri: editor.uri('web/w.ts') } });
  await task.reaches('inReview');
  expect(toolOutputs(model.requests[1])[0]).toContain(
    'import { two } from "../api/a";\n\nshow(two);\nexport const two = 2;\napi\nweb\n',
  );
  const paths = ['api/a.ts', 'web/gone.ts', 'web/moved.ts', 'web/new/n.ts', 'web/w.ts'];
  expect((await task.review()).map((line) => line.split(':')[0])).toEqual(paths);
  await editor.waitFor('the hunk in api', () => editor.diagnostics('api/a.ts').length === 1);

  editor.type('web/w.ts', 'import { two }', 'import { three }');
  await editor.codeAction('Codex: accept all changes', { at: 'api/a.ts:1' });
  const { result } = await task.happens('applied');
  expect(result).toMatchObject({ conflicts: [], failed: [] });
  expect(result.applied.toSorted()).toEqual(paths);
  expect(await editor.text('api/a.ts')).toBe('export const three = 3;\n');
  expect(await editor.text('web/w.ts')).toBe('import { three } from "../api/a";\n\nshow(three);\n');
  expect(await workspace.read('api/old.ts')).toBeUndefined();
  expect(await workspace.read('web/moved.ts')).toBe(files['api/old.ts']);
  expect(await workspace.read('web/new/n.ts')).toBe('n\n');
  // What is open and unsaved stays so.
  expect(await workspace.read('api/a.ts')).toBe(files['api/a.ts']);

  expect(await editor.request('codex/undo', { threadId: task.threadId })).toMatchObject({ failed: [], conflicts: [] });
  expect(await editor.text('api/a.ts')).toBe('export const two = 2;\n');
  expect(await editor.text('web/w.ts')).toBe('import { three } from "../api/a";\n\nshow(two);\n');
  for (const path of ['api/old.ts', 'web/gone.ts', 'other/o.ts'] as const)
    expect(await workspace.read(path)).toBe(files[path]);
  for (const path of ['web/moved.ts', 'web/new/n.ts']) expect(await workspace.read(path)).toBeUndefined();
});

test('with only one of its folders open, the thread is listed, reviewed and accepted as before', async () => {
  await using world = await openWorld({
    files,
    git: false,
    folders: [],
    model: script(
      together(patch('api/a.ts', '-export const one = 1;', '+x'), patch('web/w.ts', '-show(one);', '+y')),
      say('Done.'),
    ),
  });
  const { editor, workspace } = world;
  const folders = ['api', 'web'].map((name) => ({ name, uri: editor.uri(name) }));
  const open = (added: typeof folders, removed: typeof folders) =>
    editor.notify('workspace/didChangeWorkspaceFolders', { event: { added, removed } });
  open(folders, []);
  const task = await editor.runTask('x');
  await task.reaches('inReview');
  open([], folders.slice(0, 1));
  // With one of its folders it is still the only one with something pending.
  const { threads } = await editor.request('codex/status', {});
  expect(threads).toMatchObject([{ threadId: task.threadId, folders: folders.map(({ uri }) => uri) }]);
  const { files: changed } = await editor.request('codex/changeset', {});
  expect(changed.map(({ path }) => path)).toEqual(['api/a.ts', 'web/w.ts']);
  expect(await editor.request('codex/accept', { files: ['api/a.ts'] })).toMatchObject({ applied: ['api/a.ts'] });
  expect(await editor.text('api/a.ts')).toBe('x\n');
  expect(await workspace.read('web/w.ts')).toBe(files['web/w.ts']);
});
