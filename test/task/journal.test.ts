import { appendFile, mkdir, mkdtemp, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
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
  const ends = [...whole.matchAll(/\n/g)].map(({ index }) => index);
  for (let bytes = 0; bytes <= whole.length; bytes += 1) {
    await writeFile(lines.path, whole.slice(0, bytes));
    const reopened = open();
    const before = await reopened.read();
    await reopened.endTornLine();
    // A line without its end is whole all the same.
    const whole1 = ends.slice(1).filter((end) => end <= bytes).length;
    expect(before).toEqual({ values: [{ n: 1 }, { n: 22 }].slice(0, whole1), damaged: 0 });
    reopened.append({ n: 3 });
    await reopened.flushed();
    expect(await open().read()).toEqual({ values: [...before.values, { n: 3 }], damaged: 0 });
  }
});

test('whatever byte is changed, what stands in other lines is read, and the file takes new ones', async () => {
  const made = open();
  for (let n = 0; n < 8; n += 1) made.append({ n });
  await made.flushed();
  const whole = await readFile(made.path);
  await fc.assert(
    fc.asyncProperty(fc.nat(whole.length - 1), fc.nat(255), async (at, byte) => {
      const damaged = Buffer.from(whole);
      damaged[at] = byte;
      await writeFile(made.path, damaged);
      const lines = open();
      // A header that names a version to come is the one thing that is refused.
      const before = await lines.read().catch((error: unknown) => {
        expect(error).toMatchObject({ reason: 'stateFolder' });
      });
      if (!before) return;
      const lineOf = whole.subarray(0, at).toString().split('\n').length - 2;
      const untouched = Array.from({ length: 8 }, (_, n) => n).filter((n) => n !== lineOf && n !== lineOf + 1);
      expect(before.values.map(({ n }) => n)).toEqual(expect.arrayContaining(untouched));
      await lines.endTornLine();
      lines.append({ n: 99 });
      await lines.flushed();
      expect((await open().read()).values.at(-1)).toEqual({ n: 99 });
    }),
    { numRuns: 300 },
  );
});

test('a file says its version; one without is read as ever, and one of a version to come is left as it is', async () => {
  const lines = open();
  lines.append({ n: 1 });
  await lines.flushed();
  expect((await readFile(lines.path, 'utf8')).split('\n')[0]).toBe('{"codexLspLines":1}');
  await writeFile(lines.path, '{"n":1}\n');
  const old = open();
  old.append({ n: 2 });
  await old.flushed();
  expect(await readFile(lines.path, 'utf8')).toBe('{"n":1}\n{"n":2}\n');
  const future = '{"codexLspLines":2}\n{"m":1}\n';
  await writeFile(lines.path, future);
  await expect(open().read()).rejects.toThrow(
    /a\.jsonl was written by a newer codex-lsp \(version 2; this one knows 1\)/,
  );
  expect(await readFile(lines.path, 'utf8')).toBe(future);
});

test('what the disk does not take is kept, said, and written when it does', async () => {
  const lines = open();
  lines.append({ n: 1 });
  await lines.flushed();
  // A folder at its place can not be written, by root either.
  await rename(lines.path, `${lines.path}.kept`);
  await mkdir(lines.path);
  lines.append({ n: 2 });
  await expect(lines.flushed()).rejects.toThrow(/a\.jsonl cannot be written .*make room/);
  lines.append({ n: 3 });
  await expect(lines.flushed()).rejects.toThrow('cannot be written');
  await rmdir(lines.path);
  await rename(`${lines.path}.kept`, lines.path);
  await lines.flushed();
  expect(await open().read()).toEqual({ values: [{ n: 1 }, { n: 2 }, { n: 3 }], damaged: 0 });
});

test('a damaged line is counted and skipped', async () => {
  await writeFile(join(folder, 'a.jsonl'), '{"n":1}\n{"n":"one"}\nnonsense\n{"n":2}\n');
  expect(await open().read()).toEqual({ values: [{ n: 1 }, { n: 2 }], damaged: 2 });
});

test('bytes that are no text count as what they are: a torn line after them goes, and what is written then is kept', async () => {
  const made = open();
  made.append({ n: 1 });
  await made.flushed();
  await appendFile(made.path, Buffer.concat([Buffer.from('{"n":2,"x":"'), Buffer.alloc(30, 0xff), Buffer.from('\n')]));
  const whole = await readFile(made.path);
  await appendFile(made.path, '{"n":3,"text":"cut in the middle of a');
  const lines = open();
  await lines.endTornLine();
  expect(await readFile(lines.path)).toEqual(whole);
  await lines.read({ takeIn: true });
  expect(await lines.changedByOthers()).toBe(false);
  lines.append({ n: 4 }, { durable: true });
  await lines.flushed();
  expect(await lines.changedByOthers()).toBe(false);
  expect(await open().read()).toEqual({ values: [{ n: 1 }, { n: 4 }], damaged: 1 });
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
