/** The folders of a copy before and while a command runs over it: finished, owned by whom it runs as, and measured. */
import { chown, stat } from 'node:fs/promises';
import { allLayers, everyTree, pathsOf } from './layers.ts';
import type { Prepared } from './prepare.ts';
import type { CommandRequest, CopyTree } from './types.ts';
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
  tree ? pathsOf(tree) : allLayers(layers).map(({ upper }) => upper);

/** The folder around the layers stays ours alone. */
async function give({ upper }: { upper: string }, { uid, gid }: { uid: number; gid: number }): Promise<void> {
  if ((await stat(upper)).uid !== uid) await chown(upper, uid, gid);
}

/** What is the user's in it: only what is more counts for a command. */
export function heldBy(tree: CopyTree): Use {
  const use = { ...nothing };
  for (const { held } of everyTree(tree)) {
    use.bytes += held?.bytes ?? 0;
    use.entries += held?.entries ?? 0;
  }
  return use;
}
