/** Commands without a sandbox: they work in a copy, they see no secrets of the server, they end, and nothing lives on. */
import { randomInt, randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { membersOf, parsePs, parseStat } from '../../server/sandbox/marked-processes.ts';
import { outputs, processesWith, startScenario, users } from './users.ts';

/** As an argument of sleep it is found in any process list. */
const word = () => String(randomInt(10 ** 8, 10 ** 9));
/** In a session of its own, its parents gone. */
const escaped = (mark: string) => `(setsid setsid sh -c '(sleep ${mark} &)' &); setsid nohup sleep ${mark} &`;
const unsandboxed = true;

describe.each(users)('$name', (user) => {
  test('a command works in the copy, in the folder it asked for', async () => {
    const outcome = await user.play({
      unsandboxed,
      files: { 'a.txt': 'old\n', 'sub/b.txt': 'b\n' },
      steps: [
        { command: 'cat a.txt; echo new > a.txt; cat a.txt' },
        { command: 'cat b.txt; cat ../a.txt; basename "$PWD"', cwd: 'sub' },
        { command: 'true', cwd: 'nowhere' },
      ],
    });
    const [first, second, third] = outcome.results;
    expect(first).toMatchObject({ status: 'completed', exitCode: 0, output: expect.stringContaining('old\nnew\n') });
    expect(second).toMatchObject({ output: expect.stringContaining('b\nnew\nsub\n') });
    expect(third).toMatchObject({ status: 'failed', output: expect.stringContaining('There is no folder') });
    expect(outcome.after).toEqual(outcome.before);
  });

  test('its output is a real pipe, and its input is empty', async () => {
    const outcome = await user.play({
      unsandboxed,
      steps: [{ command: 'echo one > /dev/stdout; echo two >&2; cat; ls /proc/self/fd | wc -l' }],
    });
    // 0, 1, 2 and the folder that ls reads.
    expect(outputs(outcome)).toEqual(['one\ntwo\n4\n']);
  });

  test('of the server’s environment it sees what a sandboxed one does', async () => {
    const outcome = await user.play({
      unsandboxed,
      environment: { PATH: '/usr/bin:/bin', OPENAI_API_KEY: 'sk-secret', LANG: 'C', NODE_OPTIONS: '--no-such' },
      steps: [
        { command: 'env; tr "\\0" "\\n" </proc/$PPID/environ | grep -c sk-secret; [ -w "$TMPDIR" ] && echo own' },
      ],
    });
    const [text = ''] = outputs(outcome);
    expect(text).not.toMatch(/sk-secret|NODE_OPTIONS|codex-lsp\/node/);
    expect(text).toMatch(/^CI=1$/m);
    expect(text).toMatch(/^TMPDIR=.*codex-lsp-.*$/m);
    expect(text).toMatch(/^own$/m);
  });

  test('what it leaves running ends with it, in whatever session', async () => {
    const mark = word();
    const outcome = await user.play({
      unsandboxed,
      steps: [{ command: `sleep ${mark} & ${escaped(mark)} sleep 0.3; pgrep -fc 'sleep ${mark}'` }],
    });
    // Proof that there was something to end.
    expect(Number(outputs(outcome)[0])).toBeGreaterThanOrEqual(3);
    expect(processesWith(mark)).toEqual([]);
  });

  test('the time limit ends what ignores signals', async () => {
    const mark = word();
    const outcome = await user.play({
      unsandboxed,
      steps: [{ command: `trap '' TERM INT HUP; ${escaped(mark)} while :; do :; done`, timeoutMs: 500 }],
    });
    expect(outcome.results).toMatchObject([{ kind: 'ran', status: 'killed', limit: 'time' }]);
    expect(processesWith(mark)).toEqual([]);
  });

  test('a cancelled command ends at once and has no limit to its name', async () => {
    const mark = word();
    const outcome = await user.play({
      unsandboxed,
      steps: [{ command: `${escaped(mark)} echo ready; sleep ${mark}`, cancelAt: 'ready' }],
    });
    expect(outcome.results).toMatchObject([{ kind: 'ran', status: 'killed' }]);
    expect(JSON.stringify(outcome.results)).not.toContain('limit');
    expect(processesWith(mark)).toEqual([]);
  });

  test('many that have left its session end too', async () => {
    const mark = word();
    const command = `for i in $(seq 150); do (setsid sleep ${mark} &); done; echo all; sleep ${mark}`;
    const outcome = await user.play({ unsandboxed, steps: [{ command, cancelAt: 'all' }] });
    expect(outcome.results).toMatchObject([{ status: 'killed', output: expect.stringContaining('all') }]);
    expect(processesWith(mark)).toEqual([]);
  });

  test('exit codes come through, and a flood of output is drained', async () => {
    const { results } = await user.play({
      unsandboxed,
      steps: [
        { command: 'exit 7' },
        { command: 'kill -9 $$' },
        { command: "head -c 20000000 /dev/zero | tr '\\0' x; echo END", outputBytesMax: 1000 },
        { command: 'head -c 3000000 /dev/zero > big; stat -c %s big', policy: { diskBytesMax: 1_024_000 } },
      ],
    });
    expect(results).toMatchObject([
      { status: 'failed', exitCode: 7 },
      { status: 'failed', exitCode: 137 },
      { status: 'completed', limit: 'output', outputBytes: 20_000_013, output: expect.stringMatching(/END\n$/) },
      { status: 'completed', limit: 'disk', output: expect.stringMatching(/^1024000$/m) },
    ]);
  });

  test('many files together pass the limit of the disk; what lay there before does not count', async () => {
    const command = 'for i in $(seq 200); do head -c 1000000 /dev/zero > f$i; done; sleep 20';
    const policy = { diskBytesMax: 50_000_000 };
    const outcome = await user.play({
      unsandboxed,
      setup: 'for i in $(seq 60); do head -c 1000000 /dev/zero > own$i; done',
      steps: [
        { command: 'head -c 30000000 /dev/zero > a; sleep 0.5', policy },
        { command, policy },
      ],
    });
    expect(outcome.results).toMatchObject([{ status: 'completed' }, { status: 'killed', limit: 'disk' }]);
  });

  test.runIf(user.isRoot)('for root, the kernel counts processes and memory', async () => {
    const start =
      'for (1..100) { my $p = fork; sleep(1), die "refused" unless defined $p; unless ($p) { sleep 1; exit } }';
    const { results } = await user.play({
      unsandboxed,
      steps: [
        { command: `perl -e '${start}'`, policy: { processesMax: 40 } },
        { command: `perl -e '${start}'`, policy: { processesMax: 200 } },
        {
          command: `node -e 'setTimeout(() => {}, 3000).kept = Buffer.alloc(600 * 1024 ** 2, 1)'`,
          policy: { memoryBytesMax: 300 * 1024 ** 2 },
        },
      ],
    });
    expect(results).toMatchObject([
      { status: 'failed', limit: 'processes', output: expect.stringContaining('refused') },
      { status: 'completed', limit: undefined },
      { limit: 'memory' },
    ]);
  });
});

test('the death of the server ends it, also what has left its group', async () => {
  const mark = word();
  const { child, output } = startScenario({
    unsandboxed,
    steps: [{ command: `${escaped(mark)} sleep ${mark}` }],
  });
  const until = async (isSo: () => boolean) => {
    for (let tries = 0; tries < 400 && !isSo(); tries++) await delay(25);
    expect(isSo()).toBe(true);
  };
  await until(() => processesWith(mark).length >= 4);
  child.kill('SIGKILL');
  await until(() => processesWith(mark).length === 0);
  await output;
});

test('its private folder is gone afterwards, whatever was put into it', async () => {
  const [user] = users;
  const own = mkdtempSync(join(tmpdir(), 'codex-lsp-own-'));
  const before = process.env.TMPDIR;
  process.env.TMPDIR = own;
  try {
    const outcome = await user?.play({
      unsandboxed,
      parent: '/tmp',
      steps: [{ command: `mkdir -p "$TMPDIR/a/b"; chmod 000 "$TMPDIR/a/b" "$TMPDIR/a"; echo ${randomUUID()}` }],
    });
    expect(outcome?.results).toMatchObject([{ status: 'completed' }]);
    expect(readdirSync(own)).toEqual([]);
  } finally {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
    rmSync(own, { recursive: true });
  }
});

test('who belongs to a command', () => {
  const one = (pid: number, parent: number, group: number, session: number, isMarked = false) => ({
    pid,
    parent,
    group,
    session,
    isMarked,
  });
  const processes = [
    one(10, 1, 10, 10),
    one(11, 10, 10, 10),
    one(12, 1, 12, 10),
    one(20, 1, 20, 20, true),
    one(21, 20, 21, 21),
    one(22, 21, 22, 22),
    one(30, 1, 30, 30),
    one(process.pid, 22, 40, 40, true),
  ];
  expect(membersOf(processes, 10).sort()).toEqual([10, 11, 12, 20, 21, 22]);
  expect(membersOf(processes, 99)).toEqual([22, 21, 20].sort());
});

test.each([
  ['7 (a) b) S 1 7 8 0 -1', { pid: 7, parent: 1, group: 7, session: 8, isMarked: true }],
  ['7 (sh) Z 1 7 8 0 -1', undefined],
  ['', undefined],
])('a line of /proc: %s', (line, expected) => {
  expect(parseStat(line, true)).toEqual(expected);
});

test('a list of ps on macOS', () => {
  const output = [
    '    1     0     1 Ss   /sbin/launchd',
    '  501     1   501 S+   sleep 5 PATH=/bin CODEX_LSP_COMMAND=m-1 HOME=/Users/u',
    '  502   501   501 Z    (sleep)',
    '  503   501   503 S    sleep 6 CODEX_LSP_COMMAND=m-2',
    '',
  ].join('\n');
  expect(parsePs(output, 'm-1')).toEqual([
    { pid: 1, parent: 0, group: 1, session: 0, isMarked: false },
    { pid: 501, parent: 1, group: 501, session: 0, isMarked: true },
    { pid: 503, parent: 501, group: 503, session: 0, isMarked: false },
  ]);
});
