/** Writes into the upper layer what commands have changed in a tree, as an overlay would have. */
import { randomUUID } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import { chmod, readlink, rename, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { copyRegularFile } from './copy-file.ts';
import type { Layers } from './layers.ts';
import { give } from './owner.ts';
import { prunePending, writePending } from './pending.ts';
import { removeTree } from './remove-tree.ts';
import { codeOf, stampOf, statusOf } from './snapshot.ts';
import type { TreeChanges } from './tree-changes.ts';
import type { TreeItem } from './tree-manifest.ts';
import { UpperEdit } from './upper-edit.ts';

/** Of one command. */
const absorbedBytesMax = 8 * 1024 ** 3;

/**
 * May be run again after it was broken off: what it made true stays so. The list of what is
 * deleted is on disk afterwards. Problems are sentences.
 */
export async function absorbChanges(options: {
  layers: Layers;
  tree: string;
  /** What the tree is known to hold; kept true. */
  items: Map<string, TreeItem>;
  /** Unix time: what the user made later was not in the tree. */
  builtAtMs: number;
  changes: TreeChanges;
  /** On the file system of `upper`. */
  aside: string;
}): Promise<string[]> {
  const { layers, tree, items, builtAtMs, changes, aside } = options;
  const problems: string[] = [];
  const edit = new UpperEdit(layers, aside, { replacesParents: true });

  for (const path of changes.deleted) {
    await edit.remove(path);
    if (items.get(path)?.kind === 'folder') layers.deletedAtMs.set(path, builtAtMs);
    items.delete(path);
  }
  for (const path of changes.gone) items.delete(path);
  for (const { path, mode } of changes.folders) {
    // What stood for a folder of the user's has been taken away, and with it all that was in it.
    if (items.get(path)?.kind === 'link') await edit.remove(path);
    await edit.folder(path, mode);
    await give(join(tree, path), layers.owner);
    items.set(path, { kind: 'folder', mode });
  }
  let bytes = 0;
  for (const { path, status } of changes.files) {
    if (status.isFile()) bytes += Number(status.blocks > 0n ? status.size : 0n);
    if (bytes > absorbedBytesMax) {
      problems.push(`${path}: more than 8 GiB were written in one command; it is not kept`);
      bytes -= Number(status.size);
      continue;
    }
    try {
      const stamp = await take(path, status);
      const upper = await statusOf(layers.upper(path));
      const source = upper ? `upper:${stampOf(upper)}` : '';
      items.set(path, { kind: status.isFile() ? 'file' : 'symlink', source, stamp });
    } catch (error) {
      if (codeOf(error) === undefined) throw error;
      problems.push(`${path}: this file of the copy can not be read (${codeOf(error)})`);
    }
  }
  await prunePending(layers);
  await writePending(layers);
  await edit.commit();
  return problems;

  /** The stamp of the file in the tree. */
  async function take(path: string, status: BigIntStats): Promise<string> {
    const from = join(tree, path);
    const copied = join(aside, randomUUID());
    try {
      if (status.isFile()) await copyClosed(from, copied, status);
      else await symlink(await readlink(from, { encoding: 'buffer' }), copied);
      await give(copied, layers.owner);
      await edit.place(path, (file) => rename(copied, file));
    } catch (error) {
      await removeTree(copied);
      throw error;
    }
    // Whoever it was that ran the command, the next one is to find it as its own.
    if (layers.owner && status.uid !== BigInt(layers.owner.uid)) await give(from, layers.owner);
    const now = await statusOf(from);
    return now ? stampOf(now) : '';
  }

  /** Whoever runs us may not read what a command has closed, but may open it again for a moment. */
  async function copyClosed(from: string, to: string, status: BigIntStats): Promise<void> {
    try {
      return await copyRegularFile(from, to, { status, owner: layers.owner });
    } catch (error) {
      if (codeOf(error) !== 'EACCES') throw error;
    }
    await removeTree(to);
    const mode = Number(status.mode & 0o777n);
    await chmod(from, mode | 0o400);
    try {
      await copyRegularFile(from, to, { status, owner: layers.owner });
      await chmod(to, mode);
    } finally {
      await chmod(from, mode);
    }
  }
}
