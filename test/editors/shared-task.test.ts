/** Real editors on one task: two Neovims and a Helix, with standard LSP and their configurations of clients/. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { gate, patch, say, script, shell, startModel, toolOutputs } from '../support/model.ts';
import { openProject, type Project, repository } from './editor.ts';
import type { Terminal } from './terminal.ts';

const greet = `// codex: greet in capitals
export const greet = (name) => 'hello ' + name;
export const part = (name) => 'bye ' + name;
`;
const greeted = `export const greet = (name) => 'HELLO ' + name;
export const part = (name) => 'bye ' + name;
`;
const capitals = patch(
  'greet.js',
  "-export const greet = (name) => 'hello ' + name;",
  "+export const greet = (name) => 'HELLO ' + name;",
);
const attemptsMax = 200;
const direct = ['init.lua', 'direct.lua']
  .map((name) => `dofile('${join(repository, 'clients/neovim', name)}')`)
  .join('\n');

test('a task of one Neovim is seen live in another and in Helix; one answers its question, another accepts', async () => {
  const reading = gate(shell('curl -s example.org', { network: { hosts: ['example.org'], reason: 'to look' } }));
  const writing = gate(capitals);
  await using model = await startModel(script(shell('cat greet.js'), reading, writing, say('It greets in capitals.')));
  await using project = await openShared(model.baseURL);
  const [first, second] = [await openNeovim(project), await openNeovim(project)];

  await first.pick(/Codex: .*greet in capitals/);
  await reading.arrived;
  await first.sees(/^Codex: \S/m);
  await second.sees(/^Codex: \S/m);
  const helix = await openHelix(project);

  reading.open();
  for (const editor of [first, second]) await editor.sees(/Codex asks: .*example\.org/);
  await helix.sees(/asks: .*example\.org/);
  for (const editor of [first, second]) await editor.marks(/asks: .*example\.org/);
  await second.pick(/Codex: deny: .*example\.org/);
  expect(toolOutputs(await writing.arrived).join('\n')).toMatch(/declin|denied|did not allow|not allowed/i);
  await helix.gone(/asks: .*example\.org/);
  for (const editor of [first, second]) await editor.marks(/^$/);

  writing.open();
  for (const editor of [first, second, helix]) await editor.sees(/1 file to review/);
  for (const editor of [first, second]) await editor.marks(/^\+1 -2 .*HELLO/);
  await helix.type(':lsp-workspace-command codex.accept\r');
  for (const editor of [helix, first, second]) await editor.sees(/applied to greet\.js/);
  for (const editor of [first, second]) await editor.marks(/^$/);
  await helix.sees(/greet\.js \[\+\]/);
  expect(await helix.screen()).toContain("'HELLO '");
  await helix.type(':w\r');
  await helix.sees(/written/);
  expect(await project.onDisk('greet.js')).toBe(greeted);
  for (const editor of [first, second]) {
    await editor.type(':checktime\r');
    await editor.sees(/'HELLO '/);
  }
});

test('Neovim is killed in the middle of a command; the result is reviewed and accepted in Helix', async () => {
  const writing = gate(capitals);
  await using model = await startModel(
    script(shell('echo started; sleep 2; echo went on'), writing, say('It greets in capitals.')),
  );
  await using project = await openShared(model.baseURL);
  const neovim = await openNeovim(project);
  await neovim.pick(/Codex: .*greet in capitals/);
  await neovim.sees(/Codex: running echo started/);
  await neovim.kill();

  const helix = await openHelix(project);
  expect(toolOutputs(await writing.arrived).join('\n')).toContain('went on');
  writing.open();
  await helix.sees(/1 file to review/);
  await helix.type(':lsp-workspace-command codex.openReview\r');
  await helix.sees(/^ *\d+ +\+.*HELLO/m);
  await helix.type(':lsp-workspace-command codex.accept\r');
  await helix.sees(/applied to greet\.js/);
  await helix.type(':write-all\r');
  await expect.poll(() => project.onDisk('greet.js'), { timeout: 5_000 }).toBe(greeted);
});

test('a Neovim that connects to the host by itself is served as one with a relay, beside it', async () => {
  const reading = gate(say('It greets.'));
  await using model = await startModel(script(reading));
  await using project = await openShared(model.baseURL);
  const relayed = await openNeovim(project);
  const alone = await openNeovim(project, '../direct.lua');
  expect(await alone.evaluate('type(vim.lsp.get_clients({ bufnr = 0 })[1].config.cmd)')).toBe('function');
  await alone.pick(/Codex: .*greet in capitals/);
  await reading.arrived;
  await relayed.sees(/^Codex: \S/m);
  reading.open();
  for (const editor of [relayed, alone]) await editor.sees(/It greets/);
});

const openShared = (baseURL: string): Promise<Project> =>
  openProject({
    files: { 'greet.js': greet, '../direct.lua': direct },
    configuration: {
      'clients/helix/languages.toml': 'helix/languages.toml',
      'clients/helix/config.toml': 'helix/config.toml',
    },
    baseURL,
  });

type Neovim = Terminal & {
  /** Takes the entry of the menu by its number. */
  pick(title: RegExp): Promise<void>;
  evaluate(lua: string): Promise<string>;
  /** Waits until the diagnostics of the file say so, one after the other with `; ` between them. */
  marks(what: RegExp): Promise<void>;
};

/** With less room for messages it waits for a key after several of them, and shows nothing new until then. */
const wide = ['--cmd', 'set cmdheight=8'];

/** Served, when this answers. */
async function openNeovim(project: Project, init = join(repository, 'clients/neovim/init.lua')): Promise<Neovim> {
  const editor = await project.open('nvim', ['-u', init, ...wide, 'greet.js']);
  await editor.sees(/hello/);
  let asked = 0;
  const evaluate = async (lua: string): Promise<string> => {
    asked += 1;
    await editor.type(`:lua print('value ${asked}' .. ':', ${lua})\r`);
    const [, value = ''] = await editor.sees(new RegExp(`^value ${asked}:(.*)`, 'm'));
    return value.trim();
  };
  const until = async (lua: string, what: RegExp): Promise<void> => {
    let value = '';
    for (let attempt = 1; attempt <= attemptsMax; attempt += 1) {
      value = await evaluate(lua);
      if (what.test(value)) return;
    }
    throw new Error(`${lua} is not ${what} but '${value}'`);
  };
  await until('#vim.lsp.get_clients({ bufnr = 0 })', /^1$/);
  const messages = "vim.iter(vim.diagnostic.get(0)):map(function(one) return one.message:sub(1, 50) end):join('; ')";
  return {
    ...editor,
    evaluate,
    marks: (what) => until(messages, what),
    async pick(title) {
      await editor.type('gra');
      await editor.sees(/Type number/);
      const [, number = ''] = await editor.sees(new RegExp(`(\\d+): ${title.source}`));
      await editor.type(`${number}\r`);
    },
  };
}

/** It comes in the middle of a turn, and shows that by itself: the status line is for what was said last. */
async function openHelix(project: Project): Promise<Terminal> {
  const editor = await project.open('hx', ['greet.js']);
  await editor.sees(/codex: Codex: greet in capitals ⋅ \S/);
  return editor;
}
