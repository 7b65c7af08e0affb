/** Where a workspace's git folder is, found without running git. */
import { lstat, realpath, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { readSmallFile } from './bounded-file.ts';

/** A file that names a folder. */
const pointerBytesMax = 4096;

export type GitFolder = {
  /** The top of the working tree. */
  top: string;
  /** Holds `index`; of a linked worktree, its own. */
  folder: string;
  /** Holds `info/exclude` and `config`; shared by linked worktrees. */
  common: string;
};

/**
 * Of the repository the absolute real path `root` lies in; nothing where it lies in none. As with git's
 * `safe.directory`, what lies above the workspace counts only where nobody else could have put it there.
 */
export async function findGitFolder(root: string): Promise<GitFolder | undefined> {
  for (let top = root; ; top = dirname(top)) {
    const isOurs = top === root || (await isTrustedAbove(root, join(top, '.git')));
    const folder = isOurs ? await gitFolderAt(top) : undefined;
    if (folder !== undefined) return { top, folder, common: await commonOf(folder) };
    if (top === dirname(top)) return undefined;
  }
}

/**
 * Whether an entry outside the workspace, and the folder it lies in, belong to the owner of the workspace, to us or to
 * root. Anybody can put a `.git` or an `AGENTS.md` into `/tmp`.
 */
export async function isTrustedAbove(root: string, path: string): Promise<boolean> {
  const ownerOf = async (entry: string) => (await lstat(entry).catch(() => undefined))?.uid;
  const [owner, ...found] = await Promise.all([root, path, dirname(path)].map(ownerOf));
  const trusted = [0, process.getuid?.(), owner];
  return owner !== undefined && found.every((uid) => uid !== undefined && trusted.includes(uid));
}

async function gitFolderAt(top: string): Promise<string | undefined> {
  const path = join(top, '.git');
  const status = await stat(path).catch(() => undefined);
  return status?.isDirectory() ? realpath(path) : namedGitFolder(top);
}

/** Real path of what the file `.git` of a folder names, whoever wrote it. Nothing where it is a folder, or a link. */
export async function namedGitFolder(top: string): Promise<string | undefined> {
  const named = gitFolderIn(await readPointer(join(top, '.git')));
  return named === undefined ? undefined : realpath(resolve(top, named)).catch(() => undefined);
}

const gitFolderIn = (pointer: string): string | undefined => /^gitdir: (.+)$/m.exec(pointer)?.[1]?.trim();

async function commonOf(folder: string): Promise<string> {
  const named = await readPointer(join(folder, 'commondir'));
  return named === '' ? folder : resolve(folder, named.trim());
}

const readPointer = async (path: string): Promise<string> =>
  (await readSmallFile(path, pointerBytesMax))?.toString('utf8') ?? '';
