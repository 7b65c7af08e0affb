/** Nothing of a command outlives its answer, whatever ends it; and what ends it has a name. */
import { randomInt } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { outputs, processesWith, startScenario, users } from './users.ts';

/** As an argument of sleep it is found in any process list. */
const word = () => String(randomInt(10 ** 8, 10 ** 9));

describe.each(users)('$name', (user) => {
  test('children left in the background end with the command', async () => {
    const mark = word();
    const outcome = await user.play({
      steps: [
        {
          command: `setsid nohup sleep ${mark} >/dev/null 2>&1 & (setsid sleep ${mark} &); sleep ${mark} & echo started`,
        },
      ],
    });
    expect(outputs(outcome)).toEqual(['started\n']);
    expect(processesWith(mark)).toEqual([]);
  });

  test('the time limit ends what ignores signals and has a session of its own', async () => {
    const mark = word();
    const outcome = await user.play({
      steps: [
        { command: `trap '' TERM INT HUP; echo x > made; setsid sleep ${mark} & while :; do :; done`, timeoutMs: 500 },
      ],
    });
    outputs(outcome);
    expect(outcome.results).toMatchObject([{ kind: 'ran', status: 'killed', limit: 'time' }]);
    expect(processesWith(mark)).toEqual([]);
    // What it did until then is known.
    expect(outcome.changes).toMatchObject([{ path: 'made' }]);
  });

  test('a cancelled command ends at once and has no limit to its name', async () => {
    const mark = word();
    const outcome = await user.play({ steps: [{ command: `echo ready; sleep ${mark}`, cancelAt: 'ready' }] });
    outputs(outcome);
    expect(outcome.results).toMatchObject([{ kind: 'ran', status: 'killed' }]);
    expect(JSON.stringify(outcome.results)).not.toContain('limit');
    expect(processesWith(mark)).toEqual([]);
  });

  test('an exit code comes through, also that of a signal', async () => {
    const { results } = await user.play({
      steps: [{ command: 'exit 7' }, { command: 'kill -9 $$' }, { command: 'true' }],
    });
    expect(results).toMatchObject([
      { status: 'failed', exitCode: 7 },
      { status: 'failed', exitCode: 137 },
      { status: 'completed', exitCode: 0 },
    ]);
  });

  test('a flood of output is drained, and its ends are kept', async () => {
    const outcome = await user.play({
      steps: [{ command: "head -c 20000000 /dev/zero | tr '\\0' x; echo END", outputBytesMax: 1000 }],
    });
    const [text = ''] = outputs(outcome);
    expect(text).toMatch(/^x+\n\[… \d+ bytes left out …\]\nx+END\n$/);
    expect(outcome.results).toMatchObject([{ status: 'completed', outputBytes: 20_000_013 }]);
  });

  test('a file larger than the limit of the disk ends at it, and the limit is named', async () => {
    const policy = { diskBytesMax: 1_024_000 };
    const outcome = await user.play({
      steps: [
        { command: 'head -c 3000000 /dev/zero > big; stat -c %s big', policy },
        { command: 'rm big; exec head -c 3000000 /dev/zero > gone', policy },
        { command: 'rm gone; head -c 900000 /dev/zero > small', policy },
      ],
    });
    expect(outputs(outcome)[0]).toMatch(/^1024000$/m);
    expect(outcome.results).toMatchObject([
      { status: 'completed', limit: 'disk' },
      { status: 'failed', exitCode: 153, limit: 'disk' },
      { status: 'completed' },
    ]);
    expect(outcome.results[2]).not.toHaveProperty('limit', expect.anything());
  });

  test.each(['file', "$'\\xff'"])('many files together pass the limit of the disk: %s', async (name) => {
    const command = `for i in $(seq 200); do head -c 1000000 /dev/zero > ${name}$i; done; sleep 20`;
    const outcome = await user.play({ steps: [{ command, policy: { diskBytesMax: 50_000_000 } }] });
    outputs(outcome);
    expect(outcome.results).toMatchObject([{ status: 'killed', limit: 'disk' }]);
  });

  test('processes are bounded', async () => {
    const mark = word();
    const command = `for i in $(seq 300); do sleep ${mark} & done 2>/dev/null; sleep 5; echo end`;
    let most = 0;
    const counting = setInterval(() => {
      most = Math.max(most, processesWith(mark).length);
    }, 20);
    const outcome = await user.play({ steps: [{ command, policy: { processesMax: 100 }, timeoutMs: 2_000 }] });
    clearInterval(counting);
    outputs(outcome);
    expect(outcome.results).toMatchObject([{ kind: 'ran', status: 'killed', limit: 'processes' }]);
    expect(most).toBeGreaterThan(50);
    expect(most).toBeLessThan(110);
    expect(processesWith(mark)).toEqual([]);
  });

  test('a command that is refused a process, and goes on, has that limit to its name', async () => {
    const start = (count: number) =>
      `perl -e 'for (1..${count}) { my $p = fork; sleep(1), die "refused" unless defined $p; unless ($p) { sleep 1; exit } } sleep 1'`;
    const policy = { processesMax: 60 };
    const outcome = await user.play({
      steps: [
        { command: start(100), policy },
        { command: start(30), policy },
      ],
    });
    expect(outputs(outcome)).toEqual([expect.stringContaining('refused'), '']);
    expect(outcome.results).toMatchObject([{ status: 'failed', limit: 'processes' }, { status: 'completed' }]);
    expect(outcome.results[1]).not.toHaveProperty('limit', expect.anything());
  });

  test('a process that takes too much memory is ended with that name', async () => {
    const command = `node -e 'setTimeout(() => {}, 3000).kept = Buffer.alloc(600 * 1024 ** 2, 1)'`;
    const outcome = await user.play({ steps: [{ command, policy: { memoryBytesMax: 300 * 1024 ** 2 } }] });
    expect(outcome.results).toMatchObject([{ limit: 'memory' }]);
  });
});

test('the death of the server ends its commands', async () => {
  const mark = word();
  const { child, output } = startScenario({
    steps: [{ command: `setsid sleep ${mark} & sleep ${mark}`, timeoutMs: 60_000 }],
  });
  await until(() => processesWith(mark).length >= 2);
  child.kill('SIGKILL');
  await output;
  await until(() => processesWith(mark).length === 0);
  expect(processesWith(mark)).toEqual([]);
});

test('at whatever moment the server dies', async () => {
  const flags = mkdtempSync(join(tmpdir(), 'codex-lsp-flags-'));
  chmodSync(flags, 0o777);
  const delays = evenly(25, 60);
  const dies = async (delayMs: number) => {
    const mark = word();
    const flag = join(flags, mark);
    const { child, output } = startScenario({
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

/** Numbers between 0 and `most`, always the same ones. */
const evenly = (count: number, most: number): number[] =>
  Array.from({ length: count }, (_, index) => ((index * 0.618_034) % 1) * most);

async function until(holds: () => boolean): Promise<void> {
  for (let waits = 0; !holds(); waits++) {
    if (waits > 500) throw new Error('it never came true');
    await delay(20);
  }
}
