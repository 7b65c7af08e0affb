/** The folders of a copy before and while a command runs over it: finished, owned by whom it runs as, and measured. */
import { chown, stat } from 'node:fs/promises';
import type { Prepared } from './prepare.ts';
import type { CommandRequest, CopyLayers } from './types.ts';
import { nothing, type Use, usedBy } from './upper-use.ts';
import { makeWhiteouts } from './whiteouts.ts';

/** Trees whose size is remembered; each belongs to a thread. */
const treesMax = 64;
const measuredEntriesMax = 2_000_000;

/** What a tree held before its first command, which is no command's doing. */
const trees = new Map<string, Use>();

/** Not while a command of the copy lives. Answers what its folders held before any command. */
export async function readyFolders({ layers }: CommandRequest, { tree, machine }: Prepared): Promise<Use> {
  const { uid, gid, isOther } = machine.identity;
  if (tree) return heldAtFirst(tree.path);
  for (const layer of allLayers(layers)) {
    if (isOther) await give(layer, { uid, gid });
    await makeWhiteouts(layer);
  }
  return nothing;
}

/** Where a command's writes go. */
export const writtenFolders = ({ layers }: CommandRequest, { tree }: Prepared): string[] =>
  tree ? [tree, ...(tree.beside ?? [])].map(({ path }) => path) : allLayers(layers).map(({ upper }) => upper);

const allLayers = (layers: CopyLayers) => [layers, ...(layers.beside ?? [])];

/** The folder around the layers stays ours alone. */
async function give({ upper }: { upper: string }, { uid, gid }: { uid: number; gid: number }): Promise<void> {
  if ((await stat(upper)).uid !== uid) await chown(upper, uid, gid);
}

async function heldAtFirst(tree: string): Promise<Use> {
  const known = trees.get(tree);
  if (known) return known;
  const use = await usedBy([tree], { bytesMax: Number.MAX_SAFE_INTEGER, entriesMax: measuredEntriesMax });
  trees.set(tree, use);
  const [oldest] = trees.keys();
  if (trees.size > treesMax && oldest !== undefined) trees.delete(oldest);
  return use;
}
