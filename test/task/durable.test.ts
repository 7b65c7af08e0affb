/** What an accept writes is on the disk itself before it is said to be done: seen by the calls that ask the disk for it. */
import { mkdir, open, readlink, writeFile } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { absent, type FileState } from '../../server/changeset/file-state.ts';
import { writeDurably } from '../../server/task/durable.ts';
import { writeToDisk } from '../../server/workspace/disk.ts';
import { makeFolder } from '../workspace/folder.ts';

const text = (text: string): FileState => ({ kind: 'text', text, mode: 0o644 });

/** The real calls, written down: which file or folder each was about, as it was named then. */
async function synced(folder: string): Promise<string[]> {
  const handle = await open(folder);
  const prototype: unknown = Object.getPrototypeOf(handle);
  await handle.close();
  const files: string[] = [];
  if (!isSyncing(prototype)) throw new Error('a file handle has no sync');
  const sync = prototype.sync;
  const spy = vi.spyOn(prototype, 'sync').mockImplementation(async function (this: { fd: number }) {
    files.push(relative(folder, await readlink(`/proc/self/fd/${this.fd}`)));
    return sync.call(this);
  });
  onTestFinished(() => spy.mockRestore());
  return files;
}

const isSyncing = (prototype: unknown): prototype is { sync(): Promise<void> } =>
  typeof prototype === 'object' && prototype !== null && 'sync' in prototype && typeof prototype.sync === 'function';

test.runIf(process.platform === 'linux')('a file of the state folder, and then the folder that it is in', async () => {
  using folder = makeFolder();
  const files = await synced(folder.path);
  await writeDurably(join(folder.path, 'applies/a1.json'), '{}');
  expect(files).toEqual(['applies/a1.json.new', 'applies']);
});

test.runIf(process.platform === 'linux')('every file of the user, and every folder around it', async () => {
  using folder = makeFolder();
  const root = folder.path;
  await mkdir(join(root, 'd'));
  for (const name of ['a', 'd/b', 'gone']) await writeFile(join(root, name), 'x\n');
  const files = await synced(root);
  const { failed } = await writeToDisk(
    root,
    [
      { path: 'a', before: text('x\n'), after: text('X\n') },
      { path: 'new/deep/n', before: absent, after: text('n\n') },
      { path: 'to', from: 'd/b', before: text('x\n'), after: text('y\n') },
      { path: 'gone', before: text('x\n'), after: absent },
    ],
    () => Promise.reject(new Error('nothing is binary')),
  );
  expect(failed).toEqual([]);
  const staged = files.filter((name) => basename(name).startsWith('.write.'));
  expect(staged).toHaveLength(3);
  expect(files.slice(0, 3)).toEqual(staged);
  expect(files.slice(3).toSorted()).toEqual(['', 'new', 'new/deep']);
});
