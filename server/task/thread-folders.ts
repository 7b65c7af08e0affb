/** The folders of threads as they go: a thread is there or it is not, and what a killed process leaves of one is found again. */
import { lstat, readdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { removeTree } from '../workspace/remove-tree.ts';
import { newId } from './ids.ts';
import { versionLine } from './json-lines.ts';
import { sizeOf } from './jsonl.ts';
import { takeLock } from './lock.ts';
import { startedAt } from './process-life.ts';
import { journalName } from './summary-file.ts';

/** No id of a thread has a dot. */
const deletedSuffix = '.deleted';
/** Somebody who lives may be at what has changed since. */
const quietMs = 60_000;
const lockNames = ['writer.lock', 'writer.lock.stale'];

export const threadsFolderOf = (stateDir: string): string => join(stateDir, 'threads');
export const isThreadId = (name: string): boolean => /^[a-z0-9]+$/.test(name);

/** Beside it, of what is no thread any more, or not yet: where this process is killed, it goes with the next start. */
export const passingNameOf = (folder: string): string => `${folder}.${process.pid}.${newId('')}${deletedSuffix}`;

/** From one moment to the next it is no thread any more; half of one is never taken for a thread. */
export async function removeThreadFolder(folder: string): Promise<void> {
  const gone = passingNameOf(folder);
  const isThere = await rename(folder, gone).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
      return false;
    },
  );
  if (isThere) await removeTree(gone);
}

/** Absolute: threads that a killed process was deleting. */
export async function halfDeleted(stateDir: string): Promise<string[]> {
  const folder = threadsFolderOf(stateDir);
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith(deletedSuffix));
  const left = await Promise.all(
    names.map(async (name) => (await isLeft(name)) || (await isQuiet(join(folder, name)))),
  );
  return names.filter((_, index) => left[index]).map((name) => join(folder, name));
}

/** The process that was deleting it, which its name tells, is gone. One of the same number is waited for. */
async function isLeft(name: string): Promise<boolean> {
  const pid = Number(/\.(\d+)\.[a-z0-9]+\.deleted$/.exec(name)?.[1]);
  return pid > 0 && (await startedAt(pid)) === undefined;
}

/** Never rejects: what stays is found again. */
export async function sweepDeleted(stateDir: string): Promise<void> {
  for (const path of await halfDeleted(stateDir)) await removeTree(path).catch(() => {});
}

/** Whether the folder is that of a thread whose process was killed before its first event. */
export async function isNeverBegun(folder: string): Promise<boolean> {
  return (await hasNoEvent(folder)) && (await isQuiet(folder));
}

/** Nothing but locks, and at most a journal that has not come further than its first line, which names its version. */
async function hasNoEvent(folder: string): Promise<boolean> {
  const names = await readdir(folder).catch(() => ['none']);
  if (!names.every((name) => lockNames.includes(name) || name === journalName)) return false;
  const journal = join(folder, journalName);
  if ((await sizeOf(journal)) > versionLine.length) return false;
  const text = await readFile(journal, 'utf8').catch(() => '');
  return versionLine.startsWith(text);
}

/** False where somebody is at it after all. */
export async function removeNeverBegun(folder: string): Promise<boolean> {
  // Taking the lock changes the folder, so that it is asked for its age before.
  if (!(await isNeverBegun(folder))) return false;
  const lock = await takeLock(join(folder, 'writer.lock'), 'work', { waitMs: 0 });
  if ('heldBy' in lock) return false;
  if (await hasNoEvent(folder)) await removeThreadFolder(folder);
  lock.release();
  return true;
}

/** Nothing came into it or went out of it for a while. */
export async function isQuiet(path: string): Promise<boolean> {
  const status = await lstat(path).catch(() => undefined);
  return status !== undefined && Date.now() - status.mtimeMs > quietMs;
}
