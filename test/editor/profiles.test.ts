import { expect, test } from 'vitest';
import { applyModeOf, applyModeProblem, type Profile, profileOf } from '../../server/editor/profiles.ts';
import type { Approval } from '../../server/protocol/thread.ts';
import { clientOptions, clients } from '../support/clients.ts';
import { openEditor } from '../support/editor.ts';
import { FakeTasks, fileInReview } from '../support/fake-tasks.ts';

const helix: Partial<Profile> = { name: 'helix', reload: 'run :reload (or :reload-all)' };
const neovim: Partial<Profile> = { name: 'Neovim', versionCheck: 'firstOnly', reload: 'run :checktime' };
const eglot: Partial<Profile> = {
  name: 'Eglot',
  leavesToUser: 'decision to apply manually',
  reload: 'run M-x revert-buffer',
};
const itself = 'it reloads by itself unless it has unsaved changes';

/** Where the row of a client differs from that of one that does all it says, and may not be asked by a dialog. */
const rows: Readonly<Record<string, Partial<Profile>>> = {
  'Helix 25.01': helix,
  'Helix 25.07': helix,
  'Neovim 0.10': neovim,
  'Neovim 0.12': neovim,
  'Eglot of Emacs 30.1': eglot,
  'Eglot of Emacs 30.2': eglot,
  'lsp-mode': { name: 'emacs', reload: 'run M-x revert-buffer' },
  'vim-lsp': { name: 'vim-lsp', documentChanges: false, showDocument: false, reload: 'run :checktime' },
  ALE: { documentChanges: false, applyMode: 'disk', showDocument: false },
  Kate: { documentChanges: false, applyMode: 'disk', showDocument: false },
  'yegappan/lsp': { name: 'Vim', showDocument: false, reload: 'run :checktime' },
  Zed: { name: 'Zed', dialog: true, showDocument: false, reload: itself },
  'coc.nvim': { name: 'coc.nvim', showDocument: false, reload: 'run :checktime' },
  Sublime: { name: 'Sublime Text LSP', dialog: true, showDocument: false, reload: itself },
  'VS Code': {
    name: 'Visual Studio Code',
    dialog: true,
    showDocument: false,
    documentsInWorkspace: false,
    reload: itself,
  },
  'kakoune-lsp': { name: 'kakoune-lsp', dialog: true, savesEdits: true, showDocument: false, reload: 'run :edit!' },
};
const plain: Profile = {
  name: '',
  documentChanges: true,
  versionCheck: 'each',
  savesEdits: false,
  applyMode: 'mixed',
  dialog: false,
  showDocument: true,
  documentsInWorkspace: true,
  reload: 'reload it there',
};

test('every client has its row', () => {
  expect(Object.keys(rows).toSorted()).toEqual(Object.keys(clients).toSorted());
});

test.each(Object.entries(clients))('what %s can be trusted with', async (name, client) => {
  const expected = { ...plain, ...rows[name] };
  const { clientInfo, capabilities, initializationOptions } = await clientOptions(client);
  expect(profileOf(clientInfo?.name, capabilities ?? {})).toEqual(expected);

  const tasks = new FakeTasks();
  await using editor = await openEditor({
    tasks,
    files: { 'a.txt': 'a\n', 'b.txt': 'b\n' },
    clientInfo,
    capabilities,
    initializationOptions,
  });
  await editor.open('a.txt');
  await editor.open('b.txt');
  // lsp-mode runs a single action without asking.
  expect((await editor.codeActions('a.txt')).length).toBeGreaterThanOrEqual(2);
  expect(editor.events).toEqual([]);

  tasks.add('one', editor.root, 'inReview');
  tasks.setReview('one', { files: [fileInReview('a.txt', 'a\n', [{ line: 0, newLines: ['A\n'] }])] });
  const edit = { line: 0, deleteCount: 1 };
  tasks.apply = async (_, face) => {
    expect(face.profile.mode).toBe(expected.applyMode);
    const plan = ['a', 'b'].map((letter) => ({
      path: `${letter}.txt`,
      version: 1,
      edits: [{ ...edit, lines: [`${letter}${letter}\n`] }],
      after: { kind: 'text' as const, text: `${letter}${letter}\n`, mode: 0o644 },
    }));
    if (face.profile.mode !== 'disk') await face.applyEdits(editor.root, plan);
    face.wrote?.(editor.root, [{ path: 'a.txt', isGone: false }]);
    return { applyId: 'a1', applied: ['a.txt'], conflicts: [], failed: [] };
  };
  await editor.request('codex/accept', { threadId: 'one' });
  expect((await editor.message('changed on disk')).text).toContain(`: ${expected.reload}.`);
  const oneEach = expected.versionCheck === 'firstOnly';
  expect(editor.edits).toHaveLength(expected.applyMode === 'disk' ? 0 : oneEach ? 2 : 1);
  for (const { edit } of editor.edits) {
    expect(Object.keys(edit)).toEqual([expected.documentChanges ? 'documentChanges' : 'changes']);
  }

  const { uri } = await editor.request('codex/openReview', { threadId: 'one' });
  expect(uri.startsWith(editor.uri('.codex/local'))).toBe(expected.documentsInWorkspace);
  expect(editor.shown).toHaveLength(expected.showDocument ? 1 : 0);

  const approval: Approval = {
    approvalId: 'p1',
    threadId: 'one',
    turnId: 'u1',
    kind: 'command',
    title: 'npm i',
    requestedAt: '',
  };
  tasks.pending = [{ ...approval, root: editor.root }];
  tasks.emit('one', { type: 'approvalRequested', approval });
  await editor.message('npm i');
  if (expected.dialog) await editor.waitFor('the dialog', () => editor.dialogs.length > 0);
  else expect(editor.dialogs).toEqual([]);
});

test.each<[name: string | undefined, expected: object]>([
  ['Zed', { dialog: true, showDocument: false }],
  ['Zed Preview', { dialog: true }],
  ['Visual Studio Code', { dialog: true, documentsInWorkspace: false }],
  ['Visual Studio Code - Insiders', { dialog: true }],
  ['kakoune-lsp', { dialog: true, showDocument: false }],
  ['Sublime Text LSP', { dialog: true }],
  ['coc.nvim', { dialog: false }],
  ['nobody', { dialog: false, documentsInWorkspace: true }],
  [undefined, { name: '', dialog: false }],
  ['constructor', { name: 'constructor', dialog: false, reload: 'reload it there' }],
])('an editor named %s', (name, expected) => {
  expect(profileOf(name, { workspace: { applyEdit: true } })).toMatchObject({ applyMode: 'mixed', ...expected });
  expect(profileOf(name, {})).toMatchObject({ applyMode: 'disk' });
});

test('the setting decides who writes, but nobody sends an edit where the editor takes none', () => {
  const able = profileOf('Neovim', { workspace: { applyEdit: true } });
  expect((['auto', 'editor', 'disk', 'mixed'] as const).map((setting) => applyModeOf(setting, able))).toEqual([
    'mixed',
    'editor',
    'disk',
    'mixed',
  ]);
  expect(applyModeOf('editor', profileOf(undefined, {}))).toBe('disk');
});

test('a setting that the editor can not follow is said, once', async () => {
  await using editor = await openEditor({
    tasks: new FakeTasks(),
    capabilities: {},
    settings: [{ origin: 'config.json', value: { apply: 'mixed' } }],
  });
  const said = await editor.message('apply: "mixed" needs an editor that takes edits');
  expect(said.text).toContain('writes all to disk');
  editor.notify('workspace/didChangeConfiguration', { settings: null });
  await editor.request('codex/status', {});
  expect(editor.messages().filter(({ text }) => text.includes('apply:'))).toHaveLength(1);
  const able = profileOf('Neovim', { workspace: { applyEdit: true } });
  for (const setting of ['auto', 'editor', 'disk', 'mixed'] as const) {
    expect(applyModeProblem(setting, able)).toBeUndefined();
  }
  expect(applyModeProblem('disk', profileOf(undefined, {}))).toBeUndefined();
});
