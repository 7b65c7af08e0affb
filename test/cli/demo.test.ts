/** codex-lsp demo, as a stranger runs it. */
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import { runProgram } from '../support/program.ts';

const run = promisify(execFile);
const service = join(import.meta.dirname, '../../server/cli/demo/service');
const folder = await mkdtemp(join(tmpdir(), 'codex-lsp-demo-test-'));
afterAll(() => rm(folder, { recursive: true, force: true }));

test('the demo plans, fails a test, mends it, shows the diff and applies it, in under 10 seconds, and leaves nothing', async () => {
  const startedAt = performance.now();
  const { code, stdout, stderr } = await runProgram(['demo'], {
    env: {
      TMPDIR: folder,
      CODEX_LSP_STATE_DIR: join(folder, 'state'),
    },
  });
  const seconds = (performance.now() - startedAt) / 1000;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/scripted/);
  expect(stdout).toMatch(/OPENAI_API_KEY[\s\S]*OPENAI_BASE_URL/);
  expect(stdout).toMatch(/▸ Read the routes[\s\S]*✔ Run all tests/);
  expect(stdout).toMatch(/language: english is refused[\s\S]*201 !== 400[\s\S]*✘ exit 1[\s\S]*pass 13[\s\S]*✔ exit 0/);
  expect(stdout).toMatch(/\+\+\+ b\/test\/preferences\.test\.js/);
  expect(stdout).toMatch(/✔ src\/validation\.js/);
  expect(stdout).not.toContain('\x1b');
  expect(seconds).toBeLessThan(10);
  expect((await readdir(folder)).filter((name) => name !== 'node-compile-cache')).toEqual([]);
});

test('colours where they are asked for', async () => {
  const { stdout } = await runProgram(['demo'], {
    env: {
      TMPDIR: folder,
      CODEX_LSP_STATE_DIR: join(folder, 'state'),
      FORCE_COLOR: '1',
    },
  });
  expect(stdout).toContain('\x1b[32m+');
});

test('the bundled service passes its tests as it is', async () => {
  const copy = join(folder, 'service');
  await cp(service, copy, { recursive: true });
  const { stdout } = await run(process.execPath, ['--test'], { cwd: copy });
  expect(stdout).toMatch(/pass 6/);
  expect(await readFile(join(copy, 'AGENTS.md'), 'utf8')).toContain('npm test');
  await rm(copy, { recursive: true });
});
