/** What lies above the workspace instructs the agent only where nobody else could have put it there. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { defaultSettings } from '../../server/protocol/settings.ts';
import { noDocuments } from '../../server/task/ports.ts';
import { openTurnInput } from '../../server/task/turn-input.ts';
import { newThread } from '../../server/thread/state.ts';
import { Copy } from '../../server/workspace/copy.ts';
import { makeFolder } from '../workspace/folder.ts';

const other = 54_321;

async function instructions(folder: { path: string }): Promise<string> {
  const root = join(folder.path, 'above/middle/work');
  const input = await openTurnInput({
    request: {
      root,
      prompt: 'go',
      mode: 'task',
      attachments: [],
      seeds: [],
      settings: defaultSettings,
      environment: { CODEX_HOME: join(root, 'none') },
      documents: noDocuments,
    },
    copy: await Copy.open({ dir: join(folder.path, 'copy'), root }),
    history: [],
    before: newThread('t'),
    reviewed: undefined,
  });
  return JSON.stringify(input);
}

const setup =
  'mkdir -p above/middle/work above/.git; echo ABOVE > above/AGENTS.md; echo WITHIN > above/middle/work/AGENTS.md';

test("the project's own instructions, from its root down", async () => {
  using folder = makeFolder();
  folder.bash(setup);
  const text = await instructions(folder);
  expect(text).toContain('ABOVE');
  expect(text).toContain('WITHIN');
});

test.runIf(process.getuid?.() === 0).each([
  ['the file', `chown ${other} above/AGENTS.md`],
  ['the folder it lies in', `chown ${other} above`],
  ['the repository, which makes it part of the project', `chown -R ${other} above/.git`],
])("another user's: %s", async (_, more) => {
  using folder = makeFolder();
  folder.bash(`${setup}; ${more}`);
  const text = await instructions(folder);
  expect(text).not.toContain('ABOVE');
  expect(text).toContain('WITHIN');
});

test.runIf(process.getuid?.() === 0)("those of the workspace's owner count, also where we are root", async () => {
  using folder = makeFolder();
  folder.bash(`${setup}; chown -R ${other} above`);
  expect(await instructions(folder)).toContain('ABOVE');
});
