/** The story of a task in a real Helix, with the configuration of clients/helix. */
import { expect, test } from 'vitest';
import { gate, patch, say, script, shell, startModel } from '../support/model.ts';
import { type Editor, openEditor } from './editor.ts';

const greet = `// codex: greet in capitals
export const greet = (name) => 'hello ' + name;
export const part = (name) => 'bye ' + name;
`;
const greeted = `export const greet = (name) => 'HELLO ' + name;
export const part = (name) => 'bye ' + name;
`;

const configuration = {
  'clients/helix/languages.toml': 'helix/languages.toml',
  'clients/helix/config.toml': 'helix/config.toml',
};
const attemptsMax = 100;

test('Helix: a comment becomes a task, its diff is reviewed and accepted, the text arrives in the buffer', async () => {
  const change = patch(
    'greet.js',
    "-export const greet = (name) => 'hello ' + name;",
    "+export const greet = (name) => 'HELLO ' + name;",
  );
  const reading = gate(change);
  await using model = await startModel(script(shell('cat greet.js'), reading, say('It greets in capitals.')));
  await using editor = await openEditor('hx', {
    files: { 'greet.js': greet },
    args: ['greet.js'],
    configuration,
    baseURL: model.baseURL,
  });

  await editor.sees(/hello/);
  await pickAction(editor, /Codex: .*greet in capitals/);
  await reading.arrived;
  await editor.sees(/codex: Codex: greet in capitals ⋅ \S/);
  reading.open();
  await editor.sees(/1 file to review/);

  await editor.type(' cr');
  await editor.sees(/^ *\d+ +\+.*HELLO/m);
  await pickAction(editor, /Codex: accept all changes(?! in)/);
  await editor.sees(/applied to greet\.js/);
  await editor.type('ga');
  await editor.sees(/NOR +greet\.js \[\+\]/);
  expect(await editor.screen()).toContain("'HELLO '");

  await editor.type(':w\r');
  await editor.sees(/written/);
  expect(await editor.onDisk('greet.js')).toBe(greeted);
});

test('Helix: one hunk accepted as edited, the rest after a reload; what is typed in by hand and undone is offered again', async () => {
  const change = patch(
    'greet.js',
    ...["-export const greet = (name) => 'hello ' + name;", "+export const greet = (name) => 'HELLO ' + name;", ' '],
    ...["-export const part = (name) => 'bye ' + name;", "+export const part = (name) => 'BYE ' + name;"],
  );
  await using model = await startModel(script(change, say('Both shout.')));
  const text = greet.replace('\nexport const part', '\n\nexport const part');
  await using editor = await openEditor('hx', {
    files: { 'greet.js': text },
    args: ['greet.js'],
    configuration,
    baseURL: model.baseURL,
  });
  await editor.sees(/hello/);
  await pickAction(editor, /Codex: .*greet in capitals/);
  await editor.sees(/1 file to review/);

  await editor.type(' cr');
  await editor.sees(/^ *\d+ +\+.*HELLO/m);
  await editor.type('/HELLO\rcHI');
  await editor.press('Escape');
  await editor.type(' a');
  await editor.sees(/Codex: accept this hunk as edited/);
  await editor.press('Enter');
  await editor.sees(/applied to greet\.js\. In review\.diff: run :reload/);
  await editor.type(':reload\r');
  await editor.gone(/^ *\d+ +\+.*'HI /m);
  await editor.sees(/^ *\d+ +\+.*BYE/m);

  await editor.type('ga');
  await editor.sees(/'bye .*\+1 -1/);
  await editor.type('/bye\rcBYE');
  await editor.press('Escape');
  await editor.gone(/\+1 -1/);
  await editor.type('u');
  await editor.sees(/'bye .*\+1 -1/);
});

/** Opens the menu, again until the entry is there, and walks down to it. The server starts while the file is shown already. */
async function pickAction(editor: Editor, title: RegExp): Promise<void> {
  const notYet = /No configured language server supports code actions/;
  for (let attempts = 0; attempts < attemptsMax; attempts += 1) {
    await editor.type(' a');
    const [shown] = await editor.sees(new RegExp(`Codex: .*status|${notYet.source}`, 's'));
    if (title.test(shown)) break;
    await editor.press('Escape');
    await editor.gone(new RegExp(`Codex: status|${notYet.source}`));
  }
  // The heading of review.diff is no entry.
  const entries = (await editor.screen()).match(/(?<!# )Codex: .*/g) ?? [];
  const steps = entries.findIndex((entry) => title.test(entry));
  expect(steps).toBeGreaterThanOrEqual(0);
  for (let step = 0; step < steps; step += 1) await editor.press('Down');
  await editor.press('Enter');
}
