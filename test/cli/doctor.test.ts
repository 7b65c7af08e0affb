/** codex-lsp doctor on this machine, and where something is missing. */
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { installCommandFor } from '../../server/cli/package-manager.ts';
import { judge } from '../../server/cli/sandbox-checks.ts';
import { runProgram } from '../support/program.ts';

const folder = await mkdtemp(join(tmpdir(), 'codex-lsp-doctor-test-'));
afterAll(() => rm(folder, { recursive: true, force: true }));

test('where everything works each line says ok, and nothing is left behind', async () => {
  const stateDir = join(folder, 'state');
  const key = 'sk-secret-of-the-test';
  const { code, stdout } = await runProgram(['doctor'], {
    env: {
      CODEX_LSP_STATE_DIR: stateDir,
      XDG_CONFIG_HOME: folder,
      OPENAI_API_KEY: key,
    },
  });
  expect(stdout).not.toContain('!!');
  expect(stdout).toMatch(/ok {2}a command has no network/);
  expect(stdout).toMatch(/ok {2}what a command writes stays in the copy/);
  expect(stdout).not.toContain(key);
  expect(await readdir(stateDir)).toEqual([]);
  expect(code).toBe(0);
});

test('where there are no namespaces, nothing is asked of /proc, and what was found is judged', () => {
  const good = new Map([['secret', '']]);
  expect(judge(good, { isUntouched: true }).map(({ ok, what }) => [ok, what])).toEqual([
    [true, 'what a command writes stays in the copy'],
    [true, 'the rest of the system is read-only'],
    [true, 'the environment, and with it the key, is hidden'],
  ]);
  const bad = new Map([
    ['system', 'writable'],
    ['secret', 'seen'],
  ]);
  expect(judge(bad, { isUntouched: false }).map(({ ok }) => ok)).toEqual([false, false, false]);
  expect(judge(good, { isUntouched: true, ownHome: ['a'] }).filter(({ ok }) => !ok)).not.toEqual([]);
});

test('a sandbox that the user has switched off is said before all that would work', async () => {
  const { code, stdout } = await runProgram(['doctor', '-c', 'sandbox.dangerouslyUnsandboxed=true'], {
    env: { CODEX_LSP_STATE_DIR: join(folder, 'off'), XDG_CONFIG_HOME: folder },
  });
  expect(stdout).toMatch(/Sandbox\n {2}!! {2}sandbox\.dangerouslyUnsandboxed is on: commands run WITHOUT A SANDBOX/);
  expect(stdout).toMatch(/ok {2}a command ran over a copy/);
  expect(code).toBe(0);
});

test('a state folder that cannot be is exit 1, with the way out', async () => {
  await writeFile(join(folder, 'file'), '');
  const stateDir = join(folder, 'file/state');
  const { code, stdout } = await runProgram(['doctor'], {
    env: { CODEX_LSP_STATE_DIR: stateDir, XDG_CONFIG_HOME: folder },
  });
  expect(stdout).toContain(`!!  ${stateDir} can't be written`);
  expect(stdout).toContain('set CODEX_LSP_STATE_DIR');
  expect(code).toBe(1);
});

test('a missing key and a bad setting are said, and are no reason to fail', async () => {
  const config = await mkdtemp(join(folder, 'config-'));
  const { code, stdout } = await runProgram(['doctor', '-c', 'limits.steps=many', '-c', 'provider.apiKeyEnv=MY_KEY'], {
    env: {
      CODEX_LSP_STATE_DIR: join(folder, 'other'),
      XDG_CONFIG_HOME: config,
    },
  });
  expect(stdout).toMatch(/!! {2}MY_KEY is not set/);
  expect(stdout).toMatch(/!! {2}.*limits\.steps/);
  expect(code).toBe(0);
});

test('a broken config.json is named by its path', async () => {
  const config = await mkdtemp(join(folder, 'config-'));
  await mkdir(join(config, 'codex-lsp'));
  await writeFile(join(config, 'codex-lsp/config.json'), '{ "model": ');
  const { stdout } = await runProgram(['doctor'], {
    env: { CODEX_LSP_STATE_DIR: join(folder, 'other'), XDG_CONFIG_HOME: config },
  });
  expect(stdout).toMatch(/!! .*JSON/);
  expect(stdout).toContain(join(config, 'codex-lsp/config.json'));
});

test.each([
  ['ID=debian\n', true, 'apt-get install -y git'],
  ['ID=linuxmint\nID_LIKE="ubuntu debian"\n', false, 'sudo apt-get install -y git'],
  ['ID="rocky"\nID_LIKE="rhel centos fedora"\n', false, 'sudo dnf install -y git'],
  ['ID=endeavouros\nID_LIKE=arch\n', false, 'sudo pacman -S --noconfirm git'],
  ['ID=alpine\n', true, 'apk add git'],
  ['ID="opensuse-tumbleweed"\nID_LIKE="opensuse suse"\n', true, 'zypper install -y git'],
  ['', true, "install git with this system's package manager"],
])('the package manager of %j (root: %s)', (release, isRoot, command) => {
  expect(installCommandFor(release, 'git', isRoot)).toBe(command);
});
