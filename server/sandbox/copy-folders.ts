/** The folders of a copy before and while a command runs over it: finished, owned by whom it runs as, and measured. */
import { chown, stat } from 'node:fs/promises';
import type { Prepared } from './prepare.ts';
import type { CommandRequest, CopyLayers, CopyTree } from './types.ts';
import { nothing, type Use } from './upper-use.ts';
import { makeWhiteouts } from './whiteouts.ts';

/** Not while a command of the copy lives. Answers what is in its folders that no command has written. */
export async function readyFolders({ layers }: CommandRequest, { tree, machine }: Prepared): Promise<Use> {
  const { uid, gid, isOther } = machine.identity;
  if (tree) return heldBy(tree);
  for (const layer of allLayers(layers)) {
    if (isOther) await give(layer, { uid, gid });
    await makeWhiteouts(layer);
  }
  return nothing;
}

/** Where a command's writes go. */
export const writtenFolders = ({ layers }: CommandRequest, { tree }: Prepared): string[] =>
  tree ? foldersOf(tree) : allLayers(layers).map(({ upper }) => upper);

export const foldersOf = (tree: CopyTree): string[] => [tree, ...(tree.beside ?? [])].map(({ path }) => path);

const allLayers = (layers: CopyLayers) => [layers, ...(layers.beside ?? [])];

/** The folder around the layers stays ours alone. */
async function give({ upper }: { upper: string }, { uid, gid }: { uid: number; gid: number }): Promise<void> {
  if ((await stat(upper)).uid !== uid) await chown(upper, uid, gid);
}

/** What is the user's in it: only what is more counts for a command. */
export function heldBy(tree: CopyTree): Use {
  const use = { ...nothing };
  for (const { held } of [tree, ...(tree.beside ?? [])]) {
    use.bytes += held?.bytes ?? 0;
    use.entries += held?.entries ?? 0;
  }
  return use;
}
