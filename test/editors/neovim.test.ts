/** The story of a task in a real Neovim, with the configuration of clients/neovim. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { gate, patch, say, script, shell, startModel } from '../support/model.ts';
import { openEditor, repository } from './editor.ts';

const greet = `// codex: greet in capitals
export const greet = (name) => 'hello ' + name;
export const part = (name) => 'bye ' + name;
`;
const greeted = `export const greet = (name) => 'HELLO ' + name;
export const part = (name) => 'bye ' + name;
`;

const attemptsMax = 200;

test('Neovim: a comment becomes a task, its diff is reviewed and accepted, the text arrives in the buffer', async () => {
  const reading = gate(
    patch(
      'greet.js',
      "-export const greet = (name) => 'hello ' + name;",
      "+export const greet = (name) => 'HELLO ' + name;",
    ),
  );
  await using model = await startModel(script(shell('cat greet.js'), reading, say('It greets in capitals.')));
  await using editor = await openEditor('nvim', {
    files: { 'greet.js': greet },
    args: ['-u', join(repository, 'clients/neovim/init.lua'), 'greet.js'],
    baseURL: model.baseURL,
  });

  await attached();
  await pickAction(/Codex: .*greet in capitals/);
  await reading.arrived;
  await editor.sees(/^Codex: \S/m);
  reading.open();
  await editor.sees(/1 file to review/);

  await pickAction(/Codex: open review/);
  await editor.sees(/^\+.*HELLO/m);
  await pickAction(/Codex: accept all changes(?! in)/);
  await editor.sees(/applied to greet\.js/);
  await editor.type(':buffer greet.js\r');
  await editor.sees(/^greet\.js \[\+\]/m);
  expect(await editor.screen()).toContain("'HELLO '");

  await editor.type(':wall\r');
  await editor.sees(/written/);
  expect(await editor.onDisk('greet.js')).toBe(greeted);

  async function attached(): Promise<void> {
    for (let attempt = 1; attempt <= attemptsMax; attempt += 1) {
      await editor.type(`:echo 'attempt ${attempt}:' luaeval('#vim.lsp.get_clients()')\r`);
      const [, clients] = await editor.sees(new RegExp(`^attempt ${attempt}: (\\d)`, 'm'));
      if (clients === '1') return;
    }
    throw new Error('The server did not attach.');
  }

  /** Takes the entry of the menu by its number. */
  async function pickAction(title: RegExp): Promise<void> {
    await editor.type('gra');
    await editor.sees(/Type number/);
    const [, number = ''] = await editor.sees(new RegExp(`(\\d+): ${title.source}`));
    await editor.type(`${number}\r`);
  }
});
