/** In real editors: a change accepted into a buffer with unsaved text, and taken back; the words for a reload, followed. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { patch, say, script, startModel } from '../support/model.ts';
import { type Editor, openEditor, repository } from './editor.ts';

const saved = 'const one = 1;\nconst two = 2;\n';
const mine = '// mine';

type Driver = {
  program: 'nvim' | 'hx' | 'emacs';
  args: readonly string[];
  configuration?: Readonly<Record<string, string>>;
  /** Until the server serves the buffer. */
  attach(editor: Editor): Promise<void>;
  /** `mine`, as a line of its own at the end. */
  typeMine(editor: Editor): Promise<void>;
  run(editor: Editor, command: string, argument?: string): Promise<void>;
  save(editor: Editor): Promise<void>;
  /** As the message after an apply says, word by word. */
  reload: RegExp;
  doReload(editor: Editor): Promise<void>;
};

const lua = (command: string, argument: string): string =>
  `:lua vim.lsp.get_clients({ name = 'codex' })[1]:exec_cmd({ title = 'Codex', command = '${command}', arguments = { ${argument} } })\r`;

const drivers: Readonly<Record<string, Driver>> = {
  Neovim: {
    program: 'nvim',
    args: ['-u', join(repository, 'clients/neovim/init.lua'), 'steps.js'],
    async attach(editor) {
      await editor.sees(/const two/);
      await editor.type(
        ":lua vim.wait(10000, function() return #vim.lsp.get_clients({ bufnr = 0 }) > 0 end); print('at' .. 'tached')\r",
      );
      await editor.sees(/attached/);
    },
    async typeMine(editor) {
      await editor.type(`Go${mine}`);
      await editor.press('Escape');
    },
    run: (editor, command, argument) => editor.type(lua(command, argument === undefined ? '' : `'${argument}'`)),
    save: (editor) => editor.type(':w\r'),
    reload: /run :checktime/,
    doReload: (editor) => editor.type(':checktime\r'),
  },
  Helix: {
    program: 'hx',
    args: ['steps.js'],
    configuration: { 'clients/helix/languages.toml': 'helix/languages.toml' },
    async attach(editor) {
      await editor.sees(/const two/);
      await untilServed(editor, () => editor.type(':lsp-workspace-command codex.status\r'), /Codex: 0 running/);
    },
    async typeMine(editor) {
      await editor.type(`geo${mine}`);
      await editor.press('Escape');
    },
    run: (editor, command, argument) =>
      editor.type(`:lsp-workspace-command ${command}${argument === undefined ? '' : ` "${argument}"`}\r`),
    save: (editor) => editor.type(':w\r'),
    reload: /run :reload/,
    doReload: (editor) => editor.type(':reload\r'),
  },
  'Emacs with eglot': {
    program: 'emacs',
    args: ['-nw', '-Q', '-l', join(repository, 'clients/emacs/codex.el'), 'steps.js'],
    async attach(editor) {
      await editor.sees(/const two/);
      await evaluate(editor, '(call-interactively (quote eglot))');
      await editor.sees(/\[eglot:project/);
    },
    async typeMine(editor) {
      await editor.press('M->');
      await editor.type(`${mine}\r`);
    },
    run: (editor, command, argument) =>
      evaluate(
        editor,
        argument === undefined
          ? `(codex-command "${command.replace('codex.', '')}")`
          : `(codex-run-task "${argument}")`,
      ),
    save: (editor) => editor.press('C-x', 'C-s'),
    reload: /run M-x revert-buffer/,
    async doReload(editor) {
      await editor.press('M-x');
      await editor.type('revert-buffer\r');
      await editor.sees(/Revert buffer from file/);
      await editor.type('yes\r');
    },
  },
};

async function evaluate(editor: Editor, lisp: string): Promise<void> {
  await editor.press('M-:');
  await editor.sees(/Eval:/);
  await editor.type(`${lisp}\r`);
}

async function untilServed(editor: Editor, ask: () => Promise<void>, served: RegExp): Promise<void> {
  const notYet = /No configured language server|not supported|is not/;
  for (let attempts = 0; attempts < 100; attempts += 1) {
    await ask();
    const [shown] = await editor.sees(new RegExp(`${served.source}|${notYet.source}`));
    if (served.test(shown)) return;
  }
  throw new Error('The server did not attach.');
}

test.each(Object.entries(drivers))('%s: unsaved text stays through an accept and its undo', async (_, driver) => {
  await using model = await startModel(script(patch('steps.js', '-const two = 2;', '+const TWO = 22;'), say('Done.')));
  await using editor = await openEditor(driver.program, {
    files: { 'steps.js': saved },
    args: driver.args,
    configuration: driver.configuration,
    baseURL: model.baseURL,
  });
  await driver.attach(editor);
  await driver.typeMine(editor);
  await editor.sees(/const two = 2;\s+(\d+\s+)?\/\/ mine/);

  await driver.run(editor, 'codex.runTask', 'shout two');
  await editor.sees(/1 file to review/);
  await driver.run(editor, 'codex.accept');
  await editor.sees(/applied to steps\.js/);
  await editor.sees(/const TWO = 22;\s+(\d+\s+)?\/\/ mine/);
  expect(await editor.onDisk('steps.js')).toBe(saved);

  await driver.run(editor, 'codex.undo');
  await editor.sees(/undone in steps\.js/);
  // The hunk is pending again, and may be shown at the end of its line.
  await editor.sees(/const two = 2;[^\n]*\s+(\d+\s+)?\/\/ mine/);
  expect(await editor.onDisk('steps.js')).toBe(saved);
  await driver.save(editor);
  await editor.sees(/[Ww]r(itten|ote)/);
  expect(await editor.onDisk('steps.js')).toBe(`${saved}${mine}\n`);
});

test.each(Object.entries(drivers))('%s: shows what the server wrote when the user does as told', async (_, driver) => {
  await using model = await startModel(script(patch('steps.js', '-const two = 2;', '+const TWO = 22;'), say('Done.')));
  await using editor = await openEditor(driver.program, {
    files: { 'steps.js': saved, '../.config/codex-lsp/config.json': '{ "apply": "disk" }' },
    args: driver.args,
    configuration: driver.configuration,
    baseURL: model.baseURL,
  });
  await driver.attach(editor);
  await driver.run(editor, 'codex.runTask', 'shout two');
  await editor.sees(/1 file to review/);
  await driver.run(editor, 'codex.accept');
  await editor.sees(driver.reload);
  expect(await editor.onDisk('steps.js')).toContain('TWO');
  await driver.doReload(editor);
  await editor.sees(/const TWO = 22;/);
});
