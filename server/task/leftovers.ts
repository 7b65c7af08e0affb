/** What killed processes have left in the state folder, and how much of it can be removed without a question. */
import { lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { removeTree } from '../workspace/remove-tree.ts';
import { isUnfinished } from './apply-journal.ts';
import { lockHolder, takeLock } from './lock.ts';
import { halfDeleted, isNeverBegun, isQuiet, isThreadId, removeNeverBegun, threadsFolderOf } from './thread-folders.ts';

/** Absolute paths. */
export type Leftovers = {
  /** Threads that were being deleted, and folders of threads that never began. */
  halfDeleted: string[];
  neverBegun: string[];
  /** Files that were not written to their end, and folders of a look at the sandbox. */
  temporary: string[];
  /** Of processes that are gone; the next one that needs such a lock takes it all the same. */
  locks: string[];
  /** Whole copies that were being made: the next command makes them anew. */
  halfMadeCopies: string[];
  /** Threads in which an accept or an undo was broken off: whoever looks at them next ends it. */
  unfinished: string[];
};

/** Where in a folder, and which names, are of something that was not written to its end. */
const temporaryIn: readonly (readonly [folder: string, name: RegExp])[] = [
  ['', /\.(?:new|tmp)$/],
  ['applies', /\.new$/],
  ['copy', /^\..*\.codex-lsp$/],
  ['copy/base', /^\..*\.codex-lsp$/],
  ['copy/aside', /^\..*\.codex-lsp$/],
];

/** Changes nothing. */
export async function findLeftovers(stateDir: string): Promise<Leftovers> {
  const found: Leftovers = {
    halfDeleted: await halfDeleted(stateDir),
    neverBegun: [],
    temporary: [
      ...(await quietIn(stateDir, /^(?:probe|doctor)-\w{6}$|\.json\.new$/)),
      ...(await quietIn(join(stateDir, 'host'), /^\..*\.codex-lsp$/)),
    ],
    locks: [],
    halfMadeCopies: [],
    unfinished: [],
  };
  const threads = threadsFolderOf(stateDir);
  for (const name of (await readdir(threads).catch(() => [])).filter(isThreadId)) {
    const folder = join(threads, name);
    const lock = join(folder, 'writer.lock');
    const holder = await lockHolder(lock);
    // Whoever works there knows what it leaves.
    if (holder?.isAlive) continue;
    if (await isNeverBegun(folder)) {
      found.neverBegun.push(folder);
      continue;
    }
    if (holder) found.locks.push(lock);
    for (const [inner, pattern] of temporaryIn) found.temporary.push(...(await quietIn(join(folder, inner), pattern)));
    if (await isHalfMade(join(folder, 'copy'))) found.halfMadeCopies.push(folder);
    if (await isUnfinished(folder)) found.unfinished.push(folder);
  }
  return found;
}

/** Removes what nobody can miss; answers what is gone. What is somebody's by now stays. */
export async function removeLeftovers({ halfDeleted, neverBegun, temporary, locks }: Leftovers): Promise<string[]> {
  const removed: string[] = [];
  const removing = async (path: string, remove: () => Promise<unknown>): Promise<void> => {
    if ((await remove().catch(() => false)) !== false) removed.push(path);
  };
  for (const path of [...halfDeleted, ...temporary]) await removing(path, () => removeTree(path));
  for (const path of neverBegun) await removing(path, () => removeNeverBegun(path));
  for (const path of locks) await removing(path, () => releaseDead(path));
  return removed;
}

/** Taken and given back: then it is nobody's. */
async function releaseDead(path: string): Promise<boolean> {
  const lock = await takeLock(path, 'work', { waitMs: 0 });
  if ('heldBy' in lock) return false;
  lock.release();
  return true;
}

async function quietIn(folder: string, pattern: RegExp): Promise<string[]> {
  const names = (await readdir(folder).catch(() => [])).filter((name) => pattern.test(name));
  const paths = names.map((name) => join(folder, name));
  const quiet = await Promise.all(paths.map(isQuiet));
  return paths.filter((_, index) => quiet[index]);
}

async function isHalfMade(copy: string): Promise<boolean> {
  const state = await readFile(join(copy, 'tree.state'), 'utf8').catch(() => '');
  return state.includes('"changing"') && (await lstat(join(copy, 'tree')).catch(() => undefined)) !== undefined;
}
