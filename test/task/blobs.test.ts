/** What is kept of binary files for an undo is what was reviewed. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { blobOf, keepBlob } from '../../server/task/apply-log.ts';
import { makeFolder } from '../workspace/folder.ts';

test('bytes that are not those of their hash are not kept, and the file is named', async () => {
  using folder = makeFolder();
  const bytes = Buffer.from([0, 1, 2]);
  const hash = createHash('sha256').update(bytes).digest('hex');
  await expect(keepBlob(folder.path, 'logo.png', hash, Buffer.from([0, 1, 3]))).rejects.toThrow('logo.png has changed');
  await keepBlob(folder.path, 'logo.png', hash, bytes);
  expect(readFileSync(blobOf(folder.path, hash))).toEqual(bytes);
});
