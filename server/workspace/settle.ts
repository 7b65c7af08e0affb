/** Makes the upper layer hold exactly the given changes, beside what no changeset ever holds. */
import { chmod, mkdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type FileState, sameState } from '../changeset/file-state.ts';
import { spreading } from './batches.ts';
import { type Counted, listLower } from './counted.ts';
import { isWhiteout, type Layers } from './layers.ts';
import { move } from './move.ts';
import { namesIn, namesLeftIn, pathIn } from './names.ts';
import { give } from './owner.ts';
import { isHidden, isTooDeep, joined, parentsOf } from './paths.ts';
import type { Settled } from './record.ts';
import { removeTree } from './remove-tree.ts';
import { readingLike, stateAt, statusOf } from './snapshot.ts';
import { UpperEdit } from './upper-edit.ts';

/** May be run again after it was broken off: what it made true stays so. `aside`: on the file system of `upper`. */
export async function settleUpper(options: {
  layers: Layers;
  counts: Counted;
  next: Settled;
  aside: string;
  /** Whiteouts of these are ours, and stay. */
  isConcealed: (path: string) => boolean;
}): Promise<void> {
  const { layers, counts, next, aside, isConcealed } = options;
  const wantedFolders = new Set([...next.keys()].flatMap(parentsOf));
  const wants = (path: string): FileState | undefined => next.get(path)?.agent;

  /** A deleted folder stays so where the deletion of everything in it is wanted. */
  const keepsWhiteout = async (path: string): Promise<boolean> => {
    if (isConcealed(path)) return true;
    const lower = await statusOf(layers.lower(path));
    if (!lower?.isDirectory()) return wants(path)?.kind === 'absent' || !(await counts.file(path));
    if (!(await counts.folder(path))) return true;
    const files = (await listLower(layers, path, counts)).filter((file) => !isConcealed(file));
    return files.length > 0 && files.every((file) => wants(file)?.kind === 'absent');
  };

  for (const path of [...layers.pending]) if (!(await keepsWhiteout(path))) layers.pending.delete(path);

  const spread = spreading();
  let rebuilt = Promise.resolve();
  /** One at a time: they share the place where the old folder lies meanwhile. */
  const rebuildNext = (path: string): Promise<void> => {
    rebuilt = rebuilt.then(() => rebuild(layers, path, aside));
    return rebuilt;
  };

  /** Whether anything is left in the folder afterwards. `size`: its own, in bytes. */
  const clear = async (folder: string, size?: bigint): Promise<boolean> => {
    let isEmpty = true;
    await spread(await namesLeftIn(layers.upper(folder), { names: Infinity }, size), async ({ bytes, text }) => {
      const path = joined(folder, text ?? bytes.toString());
      const isNamed = text !== undefined && !isTooDeep(layers.upper(path));
      const stays = isNamed ? await staysOrCleared(path) : isHidden(path) || !(await counts.file(path));
      if (stays) isEmpty = false;
      else if (!isNamed) await removeTree(pathIn(layers.upper(folder), bytes));
    });
    return !isEmpty;
  };

  const staysOrCleared = async (path: string): Promise<boolean> => {
    if (isHidden(path)) return true;
    const status = await statusOf(layers.upper(path));
    if (!status) return false;
    if (status.isDirectory()) {
      if (!wantedFolders.has(path) && !(await counts.folder(path))) return true;
      // A command may have taken its own permission to it.
      const mode = Number(status.mode & 0o777n);
      if ((mode & 0o700) !== 0o700) await chmod(layers.upper(path), mode | 0o700);
      if (!(await clear(path, status.size))) {
        await rmdir(layers.upper(path));
        return false;
      }
      if ((await statusOf(layers.lower(path)))?.isDirectory()) await rebuildNext(path);
      return true;
    }
    if (isWhiteout(status) ? await keepsWhiteout(path) : await keepsFile(path)) return true;
    await rm(layers.upper(path), { force: true });
    return false;
  };

  const keepsFile = async (path: string): Promise<boolean> => {
    const wanted = wants(path);
    if (wanted) return sameState(wanted, await stateAt(layers.upper(path), readingLike(wanted)));
    return !(await counts.file(path));
  };

  await clear('');
  layers.opaque.clear();
  const edit = new UpperEdit(layers, aside, { replacesParents: true });
  for (const [path, { agent }] of next) {
    if (sameState(await layers.read(path, undefined, readingLike(agent)), agent)) continue;
    // What is not text can only be kept, and where it is gone there is nothing to put there.
    if (agent.kind === 'text' || agent.kind === 'symlink' || agent.kind === 'absent') await edit.put(path, agent);
  }
  // A folder that nothing else is left in still has to be there for what is deleted in it.
  for (const path of [...layers.pending]) {
    layers.pending.delete(path);
    await edit.remove(path);
  }
  await edit.commit();
}

/** The same folder without the mark that hides the user's: node can't take an attribute away. */
export async function rebuild(layers: Layers, path: string, aside: string): Promise<void> {
  const folder = layers.upper(path);
  const status = await statusOf(folder);
  if (!status) return;
  const old = join(aside, 'rebuilt');
  await removeTree(old);
  await move(folder, old);
  await mkdir(folder);
  await give(folder, layers.owner);
  for (const { bytes } of await namesIn(old)) await move(pathIn(old, bytes), pathIn(folder, bytes));
  await chmod(folder, Number(status.mode & 0o777n));
  await rmdir(old);
  layers.opaque.delete(path);
}
