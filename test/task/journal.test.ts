import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { JsonLines } from '../../server/task/jsonl.ts';
import { takeLock } from '../../server/task/lock.ts';

const schema = z.object({ n: z.number() });
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'codex-lsp-journal-'));
});
afterEach(() => rm(folder, { recursive: true }));

const open = () => new JsonLines(join(folder, 'a.jsonl'), schema);

test('lines come back in the order they were appended, in another process too', async () => {
  const lines = open();
  for (let n = 0; n < 500; n += 1) lines.append({ n });
  await lines.flushed();
  const { values, damaged } = await open().read();
  expect(values.map(({ n }) => n)).toEqual(Array.from({ length: 500 }, (_, n) => n));
  expect(damaged).toBe(0);
});

test('a file cut at any byte loses only the line that was cut, and takes new ones', async () => {
  const lines = open();
  lines.append({ n: 1 });
  lines.append({ n: 22 });
  await lines.flushed();
  const whole = await readFile(lines.path, 'utf8');
  for (let bytes = 0; bytes <= whole.length; bytes += 1) {
    await writeFile(lines.path, whole.slice(0, bytes));
    const reopened = open();
    const before = await reopened.read();
    await reopened.endTornLine();
    expect(before.values).toEqual([{ n: 1 }, { n: 22 }].slice(0, bytes < 7 ? 0 : bytes < 16 ? 1 : 2));
    reopened.append({ n: 3 });
    await reopened.flushed();
    const after = await open().read();
    expect(after.values).toEqual([...before.values, { n: 3 }]);
  }
});

test('a damaged line is counted and skipped', async () => {
  await writeFile(join(folder, 'a.jsonl'), '{"n":1}\n{"n":"one"}\nnonsense\n{"n":2}\n');
  expect(await open().read()).toEqual({ values: [{ n: 1 }, { n: 2 }], damaged: 2 });
});

test('what another process appends is noticed', async () => {
  const lines = open();
  lines.append({ n: 1 });
  await lines.flushed();
  expect(await lines.changedByOthers()).toBe(false);
  await appendFile(lines.path, '{"n":2}\n');
  expect(await lines.changedByOthers()).toBe(true);
  await lines.read();
  expect(await lines.changedByOthers()).toBe(true);
  await lines.read({ takeIn: true });
  expect(await lines.changedByOthers()).toBe(false);
});

test('a lock belongs to one living process, and to nobody when that is gone', async () => {
  const path = join(folder, 'turn.lock');
  const first = await takeLock(path, 'turn');
  if ('heldBy' in first) throw new Error('the lock was free');
  expect(await takeLock(path, 'turn')).toEqual({ heldBy: process.pid });
  first.release();
  expect(await readdir(folder)).toEqual([]);

  // This process's pid, but begun at another time: the number was given out again.
  await writeFile(path, JSON.stringify({ pid: process.pid, startedAt: '1', purpose: 'turn' }));
  const second = await takeLock(path, 'turn');
  if ('heldBy' in second) throw new Error('a dead process holds nothing');
  expect(await takeLock(path, 'turn')).toEqual({ heldBy: process.pid });
  second.release();
  expect(await readdir(folder)).toEqual([]);
});

test('many at once: one at a time has it, those that work wait, and nothing is left behind', async () => {
  const path = join(folder, 'writer.lock');
  await writeFile(path, '{"pid":');
  let inside = 0;
  let most = 0;
  await Promise.all(
    Array.from({ length: 20 }, async () => {
      const lock = await takeLock(path, 'work', { waitMs: 30_000 });
      if ('heldBy' in lock) throw new Error('work is waited for');
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
