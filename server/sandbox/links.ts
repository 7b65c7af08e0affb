/** The user's own folders that are shown in a tree: only where no link leads the mount somewhere else, on either side. */
import { lstat } from 'node:fs/promises';
import { isAbsolute, join, normalize } from 'node:path';
import type { CopyTree } from './types.ts';

/**
 * Those of `tree.links` that are folders in the workspace and in the tree, by folders all the way. A command may have
 * put a link in place of one, and whoever mounts would make folders where it leads. Not while a command of the copy lives.
 */
export async function mountableLinks(root: string, tree: CopyTree): Promise<string[]> {
  const isFolder = async (path: string) => (await lstat(path).catch(() => undefined))?.isDirectory() === true;
  const isMountable = async (link: string) => {
    if (isAbsolute(link) || normalize(link) !== link || link === '.' || link.split('/').includes('..')) return false;
    let path = '';
    for (const name of link.split('/')) {
      path = join(path, name);
      if (!(await isFolder(join(root, path))) || !(await isFolder(join(tree.path, path)))) return false;
    }
    return true;
  };
  const mountable = await Promise.all(tree.links.map(isMountable));
  return tree.links.filter((_, index) => mountable[index]);
}
