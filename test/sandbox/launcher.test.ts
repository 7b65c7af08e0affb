/** Commands that the launcher starts are as those that are started here; and it may die. */
import { randomInt } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { toolOutput, useLauncher } from '../../server/sandbox/launcher.ts';
import { processesAround } from './processes.ts';
import { play } from './scenario.ts';

const word = () => String(randomInt(10 ** 8, 10 ** 9));

/** Children of this process that run the launcher's program. */
function launchers(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const isOurs =
          readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]?.split(' ')[1] === String(process.pid);
        return isOurs && readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes('launcher-process');
      } catch {
        return false;
      }
    });
}

beforeAll(async () => {
  useLauncher();
  expect(await toolOutput('/bin/echo', ['one'])).toBe('one\n');
  expect(launchers()).toHaveLength(1);
});

test('output, exit code and changes of a command come through', async () => {
  const { results, changes } = await play({
    steps: [{ command: 'echo out; echo err >&2; echo x >made; exit 7' }, { command: 'cat made' }],
  });
  expect(results).toMatchObject([
    { status: 'failed', exitCode: 7, output: expect.stringContaining('out\nerr\n') },
    { status: 'completed', exitCode: 0, output: expect.stringContaining('x\n') },
  ]);
  expect(changes).toMatchObject([{ path: 'made' }]);
});

test('it runs as a child of the launcher, and gives way', async () => {
  const { results } = await play({ steps: [{ command: 'nice' }] });
  expect(results).toMatchObject([{ output: expect.stringContaining('\n10\n') }]);
});

test('a command that is cancelled or takes too long ends with all that it has started', async () => {
  const mark = word();
  const hold = `setsid sleep ${mark} & echo ready; sleep ${mark}`;
  const { results } = await play({
    steps: [
      { command: hold, cancelAt: 'ready' },
      { command: hold, timeoutMs: 500 },
    ],
  });
  expect(results).toMatchObject([{ status: 'killed' }, { status: 'killed', limit: 'time' }]);
  expect(processesAround(mark)).toEqual([]);
});

test('the launcher is killed in the middle of a command: it ends with it, and the next one has another', async () => {
  const mark = word();
  const [before] = launchers();
  const running = play({ steps: [{ command: `setsid sleep ${mark} & sleep ${mark}` }, { command: 'echo again' }] });
  await expect.poll(() => processesAround(mark).length).toBeGreaterThan(1);
  process.kill(before ?? 0, 'SIGKILL');
  const { results } = await running;
  expect(results[0]).not.toMatchObject({ status: 'completed' });
  expect(results[1]).toMatchObject({ status: 'completed', output: expect.stringContaining('again\n') });
  expect(processesAround(mark)).toEqual([]);
  expect(await toolOutput('/bin/echo', ['three'])).toBe('three\n');
  expect(launchers()).toHaveLength(1);
  expect(launchers()).not.toEqual([before]);
});
