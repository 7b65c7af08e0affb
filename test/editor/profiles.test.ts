import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { applyModeOf, profileOf } from '../../server/editor/profiles.ts';
import { openEditor } from '../support/editor.ts';
import { FakeTasks } from '../support/fake-tasks.ts';

const folder = join(import.meta.dirname, '../fixtures/clients');
const fixtures = new Map(
  await Promise.all(
    (await readdir(folder)).map(
      async (name) => [name, JSON.parse(await readFile(join(folder, name), 'utf8'))] as const,
    ),
  ),
);

const full = {
  documentChanges: true,
  applyMode: 'mixed',
  dialog: false,
  showDocument: true,
  documentsInWorkspace: true,
};

test.each<[fixture: string, expected: object]>([
  ['emacs-eglot-30.1.json', { ...full, name: 'Eglot' }],
  ['emacs-eglot-30.2.json', { ...full, name: 'Eglot' }],
  ['emacs-lsp-mode-10.0.0.json', { ...full, name: 'emacs' }],
  ['hx-25.01.1.json', { ...full, name: 'helix' }],
  ['hx-25.07.1+20260723.json', { ...full, name: 'helix' }],
  ['nvim-0.10.4.json', { ...full, name: 'Neovim' }],
  ['nvim-0.12.4.json', { ...full, name: 'Neovim' }],
  ['vim-ale-4.0.0.json', { ...full, name: '', documentChanges: false, applyMode: 'disk', showDocument: false }],
  ['vim-lsp-git-on-vim-9.2.json', { ...full, name: 'vim-lsp', documentChanges: false, showDocument: false }],
])('what %s can be trusted with', async (fixture, expected) => {
  const { clientInfo, capabilities, initializationOptions } = fixtures.get(fixture);
  expect(profileOf(clientInfo?.name, capabilities)).toMatchObject(expected);
  await using editor = await openEditor({
    tasks: new FakeTasks(),
    files: { 'a.txt': 'a\n' },
    clientInfo,
    capabilities,
    initializationOptions,
  });
  await editor.open('a.txt');
  expect((await editor.codeActions('a.txt')).length).toBeGreaterThanOrEqual(2);
  expect(editor.events).toEqual([]);
});

test('every fixture is replayed', () => {
  expect(fixtures.size).toBe(9);
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
