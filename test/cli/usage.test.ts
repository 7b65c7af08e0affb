import { spawnSync } from 'node:child_process';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import metadata from '../../package.json' with { type: 'json' };
import { subcommands } from '../../server/cli/commands.ts';
import { colorDiff, printable } from '../../server/cli/progress.ts';
import { runProgram } from '../support/program.ts';

test('--version and --help', async () => {
  expect(await runProgram(['--version'])).toMatchObject({ code: 0, stdout: `${metadata.version}\n`, stderr: '' });
  const { code, stdout } = await runProgram(['--help']);
  expect(code).toBe(0);
  for (const name of Object.keys(subcommands)) expect(stdout).toContain(`codex-lsp ${name}`);
});

test.each([
  [['--nonsense'], /no flag '--nonsense'/],
  [['nonsense'], /no command 'nonsense'/],
  [['constructor'], /no command 'constructor'/],
  [['exec', '--nonsense', 'x'], /--nonsense/],
  [['exec', 'two', 'prompts'], /one prompt/],
  [['exec', '--effort', 'huge', 'x'], /--effort is one of/],
  [['exec', '--sandbox', 'none', 'x'], /--sandbox is workspace or read-only/],
  [['exec', '-C', '/does/not/exist', 'x'], /does not exist/],
  [['exec', '-C', '/etc/passwd', 'x'], /--cd takes a folder; '\/etc\/passwd' is none/],
  [['exec', ''], /empty/],
  [['exec', '-o', '/does/not/exist/last.txt', 'x'], /cannot be written/],
  [['demo', 'x'], /takes no argument/],
  [['diff'], /which THREAD/],
  [['-c'], /needs key=value/],
  [['-c', 'novalue', 'threads'], /novalue/],
])('%j is bad usage: exit 2 with a sentence', async (args, sentence) => {
  const { code, stdout, stderr } = await runProgram(args, {
    env: { CODEX_LSP_STATE_DIR: '/tmp/codex-lsp-never-made' },
  });
  expect(code).toBe(2);
  expect(stdout).toBe('');
  expect(stderr).toMatch(sentence);
  expect(stderr).not.toMatch(/\n {4}at /);
});

test('exec --help lists every option of the contract', async () => {
  const { code, stdout } = await runProgram(['exec', '--help']);
  expect(code).toBe(0);
  for (const option of [
    '-C, --cd DIR',
    '-m, --model',
    '--effort',
    '--sandbox workspace|read-only',
    '--network off|full|HOST,HOST',
    '--approval onRequest|untrusted|never',
    '--apply',
    '--json',
    '--output-schema FILE',
    '-o, --output-last-message FILE',
    '--resume THREAD',
    '--last',
    '-c, --config key=value',
  ]) {
    expect(stdout).toContain(option);
  }
  expect(stdout).toContain('3 completed but something could not be applied');
  expect(stdout.split('\n').filter((line) => line.length > 120)).toEqual([]);
});

const older = "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '22.11.0' } })";
const nodeArgs = ['--import', `data:text/javascript,${encodeURIComponent(older)}`];

test('an old Node gets one sentence and exit 1', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'codex-lsp-old-node-'));
  const bin = join(folder, 'codex-lsp.js');
  await copyFile(join(import.meta.dirname, '../../bin/codex-lsp.js'), bin);
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
  const { code, stderr } = await runProgram(['--version'], { nodeArgs, bin });
  expect({ code, stderr }).toEqual({ code: 1, stderr: 'codex-lsp needs Node 22.12 or newer; this is Node 22.11.0.\n' });
  await rm(folder, { recursive: true });
});

test('a checkout brings its own Node for an old one', async () => {
  expect(await runProgram(['--version'], { nodeArgs })).toMatchObject({ code: 0, stdout: `${metadata.version}\n` });
});

test('stdin that is no pipe and at its end: exit 1 without a word', async () => {
  const child = spawnSync(process.execPath, [join(import.meta.dirname, '../../bin/codex-lsp.js'), '--stdio'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      CODEX_LSP_HOST_IDLE_SECONDS: '0',
      CODEX_LSP_STATE_DIR: join(tmpdir(), `codex-lsp-eof-${process.pid}`),
    },
  });
  expect({ status: child.status, stdout: child.stdout, stderr: child.stderr }).toEqual({
    status: 1,
    stdout: '',
    stderr: '',
  });
  await rm(join(tmpdir(), `codex-lsp-eof-${process.pid}`), { recursive: true, force: true });
});

test('what is printed for a person obeys nothing that the model or a file name says', () => {
  const hostile = 'a\x1b[2Jb\x1b]0;title\x07c\u202ed\u200b\r\x9b31me\ttab\nline';
  expect(printable(hostile)).toBe('abc\ufffdd\ufffde\ttab\nline');
  const diff = colorDiff('diff --git a/\x1b[31mx b/x\n+\x1b[2Jadded\n', false);
  expect(diff).toBe('diff --git a/x b/x\n+added\n');
});
