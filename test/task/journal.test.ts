import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { JsonLines } from '../../server/task/jsonl.ts';

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
