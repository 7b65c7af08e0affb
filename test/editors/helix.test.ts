/** The story of a task in a real Helix, with the configuration of clients/helix. */
import { expect, test } from 'vitest';
import { gate, patch, say, script, shell, startModel } from '../support/model.ts';
import { openEditor } from './editor.ts';

const greet = `// codex: greet in capitals
export const greet = (name) => 'hello ' + name;
export const part = (name) => 'bye ' + name;
`;
const greeted = `export const greet = (name) => 'HELLO ' + name;
export const part = (name) => 'bye ' + name;
`;

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
    configuration: {
      'clients/helix/languages.toml': 'helix/languages.toml',
      'clients/helix/config.toml': 'helix/config.toml',
    },
    baseURL: model.baseURL,
  });

  await editor.sees(/hello/);
  await pickAction(/Codex: .*greet in capitals/);
  await reading.arrived;
  await editor.sees(/codex: Codex: greet in capitals ⋅ \S/);
  reading.open();
  await editor.sees(/1 file to review/);

  await editor.type(' cr');
  await editor.sees(/^ *\d+ +\+.*HELLO/m);
  await pickAction(/Codex: accept all changes(?! in)/);
  await editor.sees(/applied to greet\.js/);
  await editor.type('ga');
  await editor.sees(/NOR +greet\.js \[\+\]/);
  expect(await editor.screen()).toContain("'HELLO '");

  await editor.type(':w\r');
  await editor.sees(/written/);
  expect(await editor.onDisk('greet.js')).toBe(greeted);

  /** Opens the menu, again until the entry is there, and walks down to it. The server starts while the file is shown already. */
  async function pickAction(title: RegExp): Promise<void> {
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
});
