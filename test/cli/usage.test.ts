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

test('an old Node gets one sentence and exit 1', async () => {
  const older = "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '22.11.0' } })";
  const { code, stderr } = await runProgram(['--version'], {
    nodeArgs: ['--import', `data:text/javascript,${encodeURIComponent(older)}`],
  });
  expect(code).toBe(1);
  expect(stderr).toBe('codex-lsp needs Node 22.12 or newer; this is Node 22.11.0.\n');
});

test('what is printed for a person obeys nothing that the model or a file name says', () => {
  const hostile = 'a\x1b[2Jb\x1b]0;title\x07c\u202ed\u200b\r\x9b31me\ttab\nline';
  expect(printable(hostile)).toBe('abc\ufffdd\ufffde\ttab\nline');
  const diff = colorDiff('diff --git a/\x1b[31mx b/x\n+\x1b[2Jadded\n', false);
  expect(diff).toBe('diff --git a/x b/x\n+added\n');
});
