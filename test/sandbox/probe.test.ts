import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { sandboxStatus } from '../../server/sandbox/status.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'codex-lsp-probe-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('where it can run, a sandbox is shown to, and leaves nothing behind', async () => {
  const state = join(folder, 'state');
  expect(await sandboxStatus({ stateDir: state, unsandboxed: false })).toEqual({
    kind: 'overlay',
    bwrapVersion: expect.stringMatching(/^\d+\.\d+/),
  });
  expect(readdirSync(state)).toEqual([]);
});

test('missing tools are named, with what to install', async () => {
  const status = await sandboxStatus({ stateDir: folder, unsandboxed: false, toolFolders: [join(folder, 'no-tools')] });
  expect(status).toMatchObject({
    kind: 'none',
    reason: expect.stringContaining('bwrap'),
    remedy: expect.stringContaining('bubblewrap'),
  });
});

test('a state folder that can not be made is named', async () => {
  writeFileSync(join(folder, 'file'), '');
  expect(await sandboxStatus({ stateDir: join(folder, 'file', 'state'), unsandboxed: false })).toMatchObject({
    kind: 'none',
    reason: expect.stringContaining('state folder'),
    remedy: expect.stringContaining('CODEX_LSP_STATE_DIR'),
  });
});
