/** Every way a copy can stand gives a command the same place, keeps it in as well, and ends it as surely. */
import { randomInt } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { toolFolders } from '../../server/sandbox/host.ts';
import type { Strategy } from '../../server/sandbox/types.ts';
import { newBwrapFolders, systemMakesOverlays, withoutUnshare } from './new-bwrap.ts';
import type { Scenario } from './scenario.ts';
import { outputs, processesWith, startScenario, users } from './users.ts';

const ways: { way: string; strategy: Strategy; tools: () => string[] | undefined }[] = [
  { way: 'overlay by unshare', strategy: { kind: 'overlay', by: 'unshare' }, tools: () => undefined },
  {
    way: 'overlay by bwrap',
    strategy: { kind: 'overlay', by: 'bwrap' },
    tools: () => withoutUnshare(newBwrapFolders()),
  },
  { way: 'whole copy', strategy: { kind: 'copy', reason: 'A test.' }, tools: () => withoutUnshare([...toolFolders]) },
];

/** As an argument of sleep it is found in any process list. */
const word = () => String(randomInt(10 ** 8, 10 ** 9));

describe.each(users)('$name', (user) => {
  describe.each(ways)('$way', ({ strategy, tools }) => {
    const play = (scenario: Scenario) => user.play({ ...scenario, strategy, toolFolders: tools() });

    test('a command sees the workspace at its path and changes only the copy', async () => {
      const outcome = await play({
        files: { a: 'a\n', 'd/b': 'b\n' },
        steps: [{ command: 'pwd; cat a d/b; echo A > a; rm -r d; echo n > new' }, { command: 'cat a new; ls' }],
      });
      expect(outputs(outcome)).toEqual([`${outcome.root}\na\nb\n`, 'A\nn\na\nnew\n']);
      expect(outcome.after).toEqual(outcome.before);
      const written = Object.entries(outcome.copy ?? {}).filter(([, content]) => content !== 'special');
      expect(written.map(([path]) => path).sort()).toEqual(['a', 'new']);
    });

    test('read-only means that nothing of it can be written', async () => {
      const outcome = await play({
        files: { a: 'a\n' },
        steps: [{ command: '(echo x > a) 2>&1; (echo x > b) 2>/dev/null; cat a', policy: { mode: 'readOnly' } }],
      });
      expect(outputs(outcome)[0]).toMatch(/Read-only file system\na\n$/);
    });

    test('nothing is gained: no rights, no descriptors, no secrets, no processes, nothing of the state folder', async () => {
      const outcome = await play({
        environment: { OPENAI_API_KEY: 'sk-secret', PATH: process.env.PATH ?? '' },
        steps: [
          {
            command: `grep -E 'CapEff|NoNewPrivs|Seccomp:' /proc/self/status; ls /proc/self/fd | tr '\\n' ' '; echo again > /dev/stdout
              cat /proc/*/environ /proc/*/cmdline | tr '\\0' '\\n' | grep -c 'sk-[s]ecret'; ls ../state 2>&1; ls -d /proc/[0-9]* | wc -l; for f in /etc/x /usr/x /var/x /proc/sys/kernel/core_pattern; do (: >> $f) 2>/dev/null && echo WROTE $f; done; unshare -U true 2>&1`,
          },
        ],
      });
      const [text = ''] = outputs(outcome);
      expect(text).toMatch(/^CapEff:\t0+\nNoNewPrivs:\t1\nSeccomp:\t2\n0 1 2 3 again\n0\n/);
      expect(text).toMatch(/state': No such file or directory\n[1-7]\nunshare: .*not permitted/);
      expect(text).not.toContain('WROTE');
    });

    test('children left in the background end with the command; the time limit ends what ignores signals', async () => {
      const mark = word();
      const outcome = await play({
        steps: [
          {
            command: `setsid nohup sleep ${mark} >/dev/null 2>&1 & (setsid sleep ${mark} &); sleep ${mark} & echo started`,
          },
          { command: `trap '' TERM INT HUP; setsid sleep ${mark} & while :; do :; done`, timeoutMs: 500 },
          { command: `echo ready; sleep ${mark}`, cancelAt: 'ready' },
        ],
      });
      expect(outputs(outcome)).toEqual(['started\n', '', 'ready\n']);
      expect(outcome.results).toMatchObject([
        { status: 'completed' },
        { status: 'killed', limit: 'time' },
        { status: 'killed' },
      ]);
      expect(processesWith(mark)).toEqual([]);
    });

    test('how many processes the user runs beside it does not count', async () => {
      // This one has more threads than that, and is the same user's where an ordinary one runs the tests.
      const policy = { processesMax: 12 };
      const command = 'echo started; (for i in $(seq 30); do sleep 5 & done; wait) 2>&1 | grep -c fork';
      const outcome = await play({
        setup: `for i in $(seq 20); do setsid sleep 8 >/dev/null 2>&1 & done`,
        steps: [
          { command: 'echo started', policy },
          { command, policy },
        ],
      });
      const [first, second] = outcome.results;
      expect(first).toMatchObject({ status: 'completed', exitCode: 0 });
      expect(second).toMatchObject({ limit: 'processes' });
    });

    test('what is written is bounded', async () => {
      const command = 'for i in $(seq 200); do head -c 1000000 /dev/zero > f$i; done; sleep 20';
      const setup = 'for i in $(seq 40); do head -c 1000000 /dev/zero > u$i; done';
      const policy = { diskBytesMax: 50_000_000 };
      const outcome = await play({
        setup,
        steps: [
          { command: 'echo fits > x', policy },
          { command, policy },
        ],
      });
      outputs(outcome);
      expect(outcome.results).toMatchObject([{ status: 'completed' }, { status: 'killed', limit: 'disk' }]);
    });

    test('a linked worktree can commit: its git folder is a copy too', async () => {
      const git = 'git -c user.name=u -c user.email=u@localhost';
      const outcome = await play({
        setup: `rmdir ../workspace; ${git} init -q ../main; cd ../main; echo a > a; git add a; ${git} commit -qm one; git worktree add -q ../workspace`,
        steps: [{ command: `git status --short; echo b > b; git add b; ${git} commit -qm two; git log --format=%s` }],
      });
      const [text = ''] = outputs(outcome);
      expect(outcome.after).toEqual(outcome.before);
      expect(outcome.beside?.user['refs/heads/workspace']).toBeDefined();
      expect(text).toBe('two\none\n');
      expect(outcome.beside?.copy['refs/heads/workspace']).toBeDefined();
      expect(outcome.beside?.copy['refs/heads/workspace']).not.toBe(outcome.beside?.user['refs/heads/workspace']);
    });
  });
});

describe.each(users)('$name', (user) => {
  describe.each(ways.slice(0, 2))('$way', ({ strategy, tools }) => {
    test('what the agent deletes is gone for the next command, and a folder made anew hides the old one', async () => {
      const outcome = await user.play({
        ...{ strategy, toolFolders: tools() },
        files: { 'd/one': '1\n', 'd/two': '2\n', 'e/three': '3\n', 'e/four': '4\n' },
        steps: [
          { deletes: ['d/one', 'e/four'], command: 'find . -type f | sort' },
          { command: 'rm -rf d; mkdir d; echo new > d/new; chmod 000 d' },
          { command: 'chmod 755 d; ls d e' },
        ],
      });
      expect(outputs(outcome)).toEqual(['./d/two\n./e/three\n', '', 'd:\nnew\n\ne:\nthree\n']);
      expect(outcome.changes.map(({ path, agent }) => `${path} ${agent.kind}`)).toEqual([
        'd/new text',
        'd/one absent',
        'd/two absent',
        'e/four absent',
      ]);
      expect(outcome.after).toEqual(outcome.before);
    });
  });

  test("the user's large folders stand in a whole copy, and can only be read", async () => {
    const outcome = await user.play({
      strategy: { kind: 'copy', reason: 'A test.' },
      files: { 'a/libs/x': 'x\n', 'b/libs/y': 'y\n', src: 'src\n' },
      setup: 'mkdir ../hidden; echo secret > ../hidden/secret; mkdir c; ln -s ../../hidden c/libs',
      linked: ['a/libs', 'b/libs', 'c/libs'],
      steps: [
        {
          command:
            'cat a/libs/x b/libs/y; (echo z > a/libs/z) 2>&1 | grep -o Read-only; ls c/libs; rm -r a 2>/dev/null; ls a',
        },
        // The mount point's parent is the command's own, and now leads to where the mounts are made from.
        { command: 'mv b old; ln -s ../../../../../../../oldroot$(dirname $PWD) b; ls' },
        { command: 'ls b/ 2>&1; ls old/libs; echo fine' },
        { meanwhile: 'test ! -e ../libs', command: 'true' },
      ],
    });
    const [first = '', , third = ''] = outputs(outcome);
    expect(first).toBe('x\ny\nRead-only\nlibs\n');
    expect(third).toMatch(/^ls: .*\nfine\n$/);
    expect(outcome.after).toEqual(outcome.before);
  });
});

describe.each(users)('the choice of $name', (user) => {
  const play = (tools: string[]) =>
    user.play({ chooses: true, toolFolders: tools, files: { a: 'a\n' }, steps: [{ command: 'cat a; echo A > a' }] });

  test('where unshare may not, a new bubblewrap makes the overlay', async () => {
    const outcome = await play(withoutUnshare(newBwrapFolders()));
    expect(outcome.chosen).toEqual({ kind: 'overlay', by: 'bwrap' });
    expect(outputs(outcome)).toEqual(['a\n']);
    expect(Object.keys(outcome.copy ?? {})).toEqual(['a']);
    expect(outcome.after).toEqual(outcome.before);
  });

  test.skipIf(systemMakesOverlays())('with an old one the workspace is copied, and both reasons are said', async () => {
    const outcome = await play(withoutUnshare([...toolFolders]));
    expect(outcome.chosen).toEqual({
      kind: 'copy',
      reason: expect.stringMatching(/unshare.*Operation not permitted/),
    });
    expect(outputs(outcome)).toEqual(['a\n']);
    expect(outcome.after).toEqual(outcome.before);
  });

  test('with no tools nothing runs, and what to install is said', async () => {
    const { chosen, results } = await play(['/nowhere']);
    expect(chosen).toMatchObject({ kind: 'none', reason: expect.stringContaining('bwrap') });
    expect(chosen).toMatchObject({ remedy: expect.stringMatching(/install/i) });
    expect(results).toMatchObject([{ kind: 'unavailable' }]);
  });
});

describe.each(users)('$name', (user) => {
  test('a chain that is over as soon as it was started is heard each time', async () => {
    const { results } = await user.play({
      strategy: { kind: 'overlay', by: 'unshare' },
      toolFolders: withoutUnshare([...toolFolders]),
      steps: Array.from({ length: 25 }, () => ({ command: 'true' })),
    });
    const said = { kind: 'unavailable', reason: expect.stringContaining('unshare: Operation not permitted') };
    expect(results).toEqual(Array(25).fill(expect.objectContaining(said)));
  });
});

describe.each(ways.slice(1))('the server dies: $way', ({ strategy, tools }) => {
  test('at whatever moment, nothing of its commands lives on', async () => {
    const flags = mkdtempSync(join(tmpdir(), 'codex-lsp-flags-'));
    chmodSync(flags, 0o777);
    const delays = evenly(25, 60);
    const dies = async (delayMs: number) => {
      const mark = word();
      const flag = join(flags, mark);
      const { child, output } = startScenario({
        ...{ strategy, toolFolders: tools() },
        steps: [
          { command: 'true' },
          {
            meanwhile: `: > ${flag}`,
            command: `: ${mark}; (setsid sleep ${mark} &); trap '' TERM HUP; while :; do sleep ${mark}; done`,
            timeoutMs: 60_000,
          },
        ],
      });
      await until(() => existsSync(flag));
      await delay(delayMs);
      child.kill('SIGKILL');
      await output;
      await until(() => processesWith(mark).length === 0);
    };
    try {
      for (let at = 0; at < delays.length; at += 5) await Promise.all(delays.slice(at, at + 5).map(dies));
    } finally {
      rmSync(flags, { recursive: true });
    }
  }, 60_000);
});

/** Numbers between 0 and `most`, always the same ones. */
const evenly = (count: number, most: number): number[] =>
  Array.from({ length: count }, (_, index) => ((index * 0.618_034) % 1) * most);

async function until(holds: () => boolean): Promise<void> {
  for (let waits = 0; !holds(); waits++) {
    if (waits > 500) throw new Error('it never came true');
    await delay(20);
  }
}
