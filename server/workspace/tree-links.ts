/** Which folders of the user are too large to be copied into a tree, so that commands read the user's own. */
import { join } from 'node:path';
import { inBatches } from './batches.ts';
import { namesIn } from './names.ts';
import { statusOf } from './snapshot.ts';

/**
 * How they stand in the tree; `copies`: they are copied as everything else is, and a `.git` that leads out of the
 * workspace (of a linked worktree) is left out, because nothing would keep a command from following it.
 */
export type LinksAs = 'mountPoints' | 'symlinks' | 'copies';

export type Size = { entries: number; bytes: number };

/** Of one ignored folder that is copied, and of all of them. */
export const ignoredMax: Size = { entries: 2_000, bytes: 64 * 1024 ** 2 };
export const ignoredInAllMax: Size = { entries: 20_000, bytes: 640 * 1024 ** 2 };

/** Of what a repository's history holds packed; commands only add to it beside. */
export const packedMax: Size = { entries: 100_000, bytes: 256 * 1024 ** 2 };

/** Of a git folder at any depth: packs, and what git-lfs keeps. Never changed in place. */
export const isPacked = (path: string): boolean =>
  /(^|\/)\.git\/(modules\/.+\/)?(objects\/pack|lfs\/objects)$/.test(path);

/** Of an absolute folder with everything in it, by no link; nothing where it is larger than `max`. */
export async function sizeWithin(folder: string, max: Size): Promise<Size | undefined> {
  const size: Size = { entries: 0, bytes: 0 };
  const folders = [folder];
  for (let next = folders.pop(); next !== undefined; next = folders.pop()) {
    const parent = next;
    const names = await namesIn(parent, max.entries).catch(() => []);
    size.entries += names.length;
    if (size.entries > max.entries) return undefined;
    await inBatches(names, async ({ text }) => {
      const path = text === undefined ? undefined : join(parent, text);
      const status = path === undefined ? undefined : await statusOf(path);
      if (path !== undefined && status?.isDirectory()) folders.push(path);
      else if (status?.isFile()) size.bytes += Number(status.size);
    });
    if (size.bytes > max.bytes) return undefined;
  }
  return size;
}
