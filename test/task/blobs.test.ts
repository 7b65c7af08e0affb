/** What is kept of binary files for an undo is what was reviewed, and no longer than it can be undone. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { blobOf, dropStack, keepBlob, placesIn, putEntry } from '../../server/task/apply-log.ts';
import { makeFolder } from '../workspace/folder.ts';

test('bytes that are not those of their hash are not kept, and the file is named', async () => {
  using folder = makeFolder();
  const bytes = Buffer.from([0, 1, 2]);
  const hash = createHash('sha256').update(bytes).digest('hex');
  await expect(keepBlob(folder.path, 'logo.png', hash, Buffer.from([0, 1, 3]))).rejects.toThrow('logo.png has changed');
  await keepBlob(folder.path, 'logo.png', hash, bytes);
  expect(readFileSync(blobOf(folder.path, hash))).toEqual(bytes);
});

test('the latest fifty applies are kept, and of binary files what one of them needs', async () => {
  using folder = makeFolder();
  const blobs = Array.from({ length: 52 }, (_, index) => {
    const bytes = Buffer.from([0, index]);
    return { bytes, hash: createHash('sha256').update(bytes).digest('hex') };
  });
  for (const [number, { hash, bytes }] of blobs.entries()) {
    await keepBlob(folder.path, 'logo.png', hash, bytes);
    const after = { kind: 'binary', hash, size: 2, mode: 0o644 } as const;
    const files = [{ path: 'logo.png', before: { kind: 'absent' } as const, after, hunks: [] }];
    await putEntry(folder.path, { stack: 'applied', number }, { applyId: `p${number}`, at: '', files });
  }
  expect((await placesIn(folder.path, 'applied')).map(({ number }) => number)).toEqual(
    Array.from({ length: 50 }, (_, index) => 51 - index),
  );
  expect(blobs.map(({ hash }) => existsSync(blobOf(folder.path, hash)))).toEqual(blobs.map((_, index) => index > 1));
  await dropStack(folder.path, 'applied');
  expect(blobs.some(({ hash }) => existsSync(blobOf(folder.path, hash)))).toBe(false);
});
