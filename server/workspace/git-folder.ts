/** Where a workspace's git folder is, found without running git. */
import { realpath, stat } from 'node:fs/promises';
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

/** Of the repository the absolute real path `root` lies in; nothing where it lies in none. */
export async function findGitFolder(root: string): Promise<GitFolder | undefined> {
  for (let top = root; ; top = dirname(top)) {
    const folder = await gitFolderAt(top);
    if (folder !== undefined) return { top, folder, common: await commonOf(folder) };
    if (top === dirname(top)) return undefined;
  }
}

async function gitFolderAt(top: string): Promise<string | undefined> {
  const path = join(top, '.git');
  const status = await stat(path).catch(() => undefined);
  if (status?.isDirectory()) return realpath(path);
  const named = /^gitdir: (.+)$/m.exec(await readPointer(path))?.[1];
  return named === undefined ? undefined : realpath(resolve(top, named.trim())).catch(() => undefined);
}

async function commonOf(folder: string): Promise<string> {
  const named = await readPointer(join(folder, 'commondir'));
  return named === '' ? folder : resolve(folder, named.trim());
}

const readPointer = async (path: string): Promise<string> =>
  (await readSmallFile(path, pointerBytesMax))?.toString('utf8') ?? '';
