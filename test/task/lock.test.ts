/** The lock of a thread, among processes that are killed, stopped, not waited for, or of somebody else. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Lock, takeLock } from '../../server/task/lock.ts';

const program = fileURLToPath(new URL('../support/lock-process.ts', import.meta.url));

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'codex-lsp-lock-'));
  path = join(folder, 'writer.lock');
});
afterEach(() => rm(folder, { recursive: true }));

const leftBy = (file: string, pid: number, startedAt: string) =>
  symlink(JSON.stringify({ pid, startedAt, purpose: 'turn' }), file);

/** This process's pid, but begun at another time: the number was given out again. */
const leftByTheDead = (file: string) => leftBy(file, process.pid, '1');

async function taken(waitMs?: number): Promise<Lock> {
  const lock = await takeLock(path, 'work', { waitMs });
  if ('heldBy' in lock) throw new Error(`held by ${lock.heldBy}`);
  return lock;
}

test('a lock belongs to one living process, and to nobody when that is gone', async () => {
  const first = await takeLock(path, 'turn');
  if ('heldBy' in first) throw new Error('the lock was free');
  expect(await takeLock(path, 'turn')).toEqual({ heldBy: process.pid });
  first.release();
  expect(await readdir(folder)).toEqual([]);

  await leftByTheDead(path);
  const second = await takeLock(path, 'turn');
  if ('heldBy' in second) throw new Error('a dead process holds nothing');
  expect(await takeLock(path, 'turn')).toEqual({ heldBy: process.pid });
  second.release();
  expect(await readdir(folder)).toEqual([]);
});

test('many at once: one at a time has it, those that work wait, and nothing is left behind', async () => {
  await writeFile(path, '{"pid":');
  let inside = 0;
  let most = 0;
  await Promise.all(
    Array.from({ length: 20 }, async () => {
      const lock = await taken(30_000);
      inside += 1;
      most = Math.max(most, inside);
      await new Promise(setImmediate);
      inside -= 1;
      lock.release();
    }),
  );
  expect(most).toBe(1);
  expect(await readdir(folder)).toEqual([]);
}, 40_000);

test('those that were killed while they removed the lock of a killed one hold up nobody', async () => {
  for (const file of [path, `${path}.stale`, `${path}.stale.stale`]) await leftByTheDead(file);
  const lock = await taken(0);
  expect(await readdir(folder)).toEqual(['writer.lock']);
  lock.release();
});

test('while somebody is at a lock that nobody has, whoever does not wait is told who', async () => {
  await leftByTheDead(path);
  const other = spawn('sleep', ['1000']);
  try {
    await once(other, 'spawn');
    const pid = other.pid ?? 0;
    await leftBy(`${path}.stale`, pid, await startOf(pid));
    expect(await takeLock(path, 'work', { waitMs: 0 })).toEqual({ heldBy: pid });
  } finally {
    other.kill('SIGKILL');
    await once(other, 'close');
  }
  const lock = await taken(0);
  lock.release();
});

test('a process whose beginning is not known keeps its lock for as long as it is there', async () => {
  await leftBy(path, process.pid, '');
  expect(await takeLock(path, 'turn')).toEqual({ heldBy: process.pid });
});

test.runIf(process.platform === 'linux')('a killed process that nobody has waited for holds nothing', async () => {
  // What the shell becomes waits for nobody.
  const parent = spawn('sh', ['-c', 'sleep 1000 & echo $!; exec sleep 1000'], { stdio: ['ignore', 'pipe', 'ignore'] });
  try {
    const [output] = await once(parent.stdout, 'data');
    const pid = Number(String(output));
    await leftBy(path, pid, await startOf(pid));
    expect(await takeLock(path, 'turn')).toEqual({ heldBy: pid });
    await becomes(parent.pid ?? 0, async (stat) => stat.includes('(sleep)'));
    process.kill(pid, 'SIGKILL');
    await becomes(pid, async (stat) => stat.includes(') Z '));
    const lock = await taken(0);
    lock.release();
  } finally {
    parent.kill('SIGKILL');
    await once(parent, 'close');
  }
});

test('a folder in the place of a lock is named', async () => {
  await mkdir(path);
  await expect(takeLock(path, 'work')).rejects.toThrow(path);
});

test('contenders that are killed and stopped at any moment: never two have it', async () => {
  const log = join(folder, 'log');
  await writeFile(log, '');
  const contenders = new Set<ChildProcess>();
  const failures: string[] = [];
  let killed = 0;
  const begin = async (): Promise<void> => {
    const child = spawn(process.execPath, [program, path, log], { stdio: ['ignore', 'pipe', 'pipe'] });
    contenders.add(child);
    child.stderr?.on('data', (text: Buffer) => failures.push(String(text)));
    child.once('close', () => contenders.delete(child));
    await once(child.stdout ?? child, 'data');
  };
  await Promise.all(Array.from({ length: 4 }, begin));
  const next = seeded(7);
  while (killed < 25) {
    const [child] = [...contenders].slice(Math.floor(next() * contenders.size));
    if (!child) throw new Error(`nobody is left: ${failures.join('')}`);
    await delay(next() * 30);
    if (next() < 0.3) {
      child.kill('SIGSTOP');
      await delay(next() * 30);
      child.kill('SIGCONT');
      continue;
    }
    child.kill('SIGKILL');
    killed += 1;
    await begin();
  }
  for (const child of contenders) {
    child.kill('SIGKILL');
    await once(child, 'close');
  }
  expect(failures).toEqual([]);
  const lock = await taken(0);
  lock.release();

  const lines = (await readFile(log, 'utf8')).trim().split('\n');
  let holder = '';
  const beside = lines.filter((line) => {
    const [pid = '', step] = line.split(' ');
    if (step === 'enters') holder = pid;
    return pid !== holder;
  });
  expect(beside).toEqual([]);
  expect(lines.length).toBeGreaterThan(100);
  expect((await readdir(folder)).filter((name) => !name.startsWith('log'))).toEqual([]);
}, 120_000);

/** When a process began, as the kernel has it. */
const startOf = async (pid: number): Promise<string> =>
  (await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')).replace(/^.*\) /s, '').split(' ')[19] ?? '';

async function becomes(pid: number, is: (stat: string) => Promise<boolean>): Promise<void> {
  while (!(await is(await readFile(`/proc/${pid}/stat`, 'utf8')))) await delay(5);
}

/** The same numbers in every run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
