/** Where a workspace's git folder is, found without running git. */
import { readFile, realpath, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

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
  if (!status?.isFile() || status.size > 4096) return undefined;
  const named = /^gitdir: (.+)$/m.exec(await readFile(path, 'utf8').catch(() => ''))?.[1];
  return named === undefined ? undefined : realpath(resolve(top, named.trim())).catch(() => undefined);
}

async function commonOf(folder: string): Promise<string> {
  const named = await readFile(join(folder, 'commondir'), 'utf8').catch(() => '');
  return named === '' ? folder : resolve(folder, named.trim());
}
