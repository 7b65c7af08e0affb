/** Finds what commands have changed in a tree since it was brought up to date. Follows no symbolic link. */
import type { BigIntStats } from 'node:fs';
import { chmod, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { inBatches } from './batches.ts';
import type { Counted } from './counted.ts';
import type { Layers } from './layers.ts';
import { type Name, namesIn } from './names.ts';
import { isHidden, isTooDeep, joined, parentOf } from './paths.ts';
import { stampOf, statusOf, whatIs } from './snapshot.ts';
import type { TreeItem } from './tree-manifest.ts';

/** More than a tree begins with, so that a command may add to it. */
const entriesMax = 600_000;
/** Of one look. */
const problemsMax = 1_000;

export type TreeChanges = {
  /** Deleted; of a whole folder only that. */
  deleted: string[];
  /** What else the tree no longer holds, below what was deleted or replaced. */
  gone: string[];
  /** New, or with another mode; a folder before those in it. */
  folders: { path: string; mode: number }[];
  /** Regular files and symbolic links, new or changed. */
  files: { path: string; status: BigIntStats }[];
  /** What can not be kept, as sentences. */
  problems: string[];
  /** Whether there is anything that can not be kept. */
  hasExtras: boolean;
};

export async function treeChanges(options: {
  layers: Layers;
  tree: string;
  items: ReadonlyMap<string, TreeItem>;
  counts: Counted;
}): Promise<TreeChanges> {
  const { layers, tree, items, counts } = options;
  const changes: TreeChanges = { deleted: [], gone: [], folders: [], files: [], problems: [], hasExtras: false };
  const seen = new Set<string>();
  const visited = new Set(['']);
  const unread: string[] = [];
  let entries = 0;

  const leaveOut = async (path: string, why: string) => {
    changes.hasExtras = true;
    if (isHidden(path) || changes.problems.length >= problemsMax || !(await counts.file(path))) return;
    const name = path.length > 200 ? `${path.slice(0, 200)}…` : path;
    changes.problems.push(`${name}: ${why}; it is not kept for the next turn`);
  };

  /** Whether what stands for a folder of the user still stands there; what is in it is the user's. */
  const isLink = async (path: string, as: 'mountPoints' | 'symlinks', status: BigIntStats): Promise<boolean> => {
    if (as === 'mountPoints') return status.isDirectory();
    const target = status.isSymbolicLink() ? await readlink(join(tree, path)).catch(() => undefined) : undefined;
    return target === layers.lower(path);
  };

  const look = async ({ bytes, text }: Name, folder: string, folders: string[]) => {
    const path = joined(folder, text ?? bytes.toString());
    if (text === undefined) return leaveOut(path, 'the name is not UTF-8');
    if (items.get(path)?.kind === 'pointer') return;
    if (isTooDeep(join(tree, path))) return leaveOut(path, 'it lies too deep');
    const status = await statusOf(join(tree, path));
    if (!status) return;
    const known = items.get(path);
    if (known?.kind === 'link' && (await isLink(path, known.as, status))) {
      seen.add(path);
    } else if (status.isDirectory()) {
      seen.add(path);
      const mode = Number(status.mode & 0o777n) | 0o700;
      if (known?.kind !== 'folder' || known.mode !== mode) changes.folders.push({ path, mode });
      folders.push(path);
    } else if (status.isFile() || status.isSymbolicLink()) {
      seen.add(path);
      const isKnown = known?.kind === (status.isFile() ? 'file' : 'symlink') && known.stamp === stampOf(status);
      if (!isKnown) changes.files.push({ path, status });
    } else {
      await leaveOut(path, `a ${whatIs(status)} can not be kept in a whole copy`);
    }
  };

  const folders = [''];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const parent = folder;
    const names = await readFolder(join(tree, parent));
    if (!names) {
      changes.problems.push(`${parent}: this folder of the copy can not be read`);
      unread.push(`${parent}/`);
      continue;
    }
    visited.add(parent);
    entries += names.length;
    if (entries > entriesMax) {
      changes.problems.push('The copy holds more files than are looked at; some changes are not listed.');
      return changes;
    }
    await inBatches(names, (name) => look(name, parent, folders));
  }
  for (const [path, { kind }] of items) {
    if (kind === 'pointer') continue;
    if (seen.has(path) || unread.some((folder) => path.startsWith(folder))) continue;
    // Below something else than a folder there is nothing; what stands there hides what was.
    if (visited.has(parentOf(path))) changes.deleted.push(path);
    else changes.gone.push(path);
  }
  return changes;
}

/** A command may have taken its own permission to a folder; the tree is ours, so we give it back. */
async function readFolder(folder: string): Promise<Name[] | undefined> {
  const status = await statusOf(folder);
  if (!status?.isDirectory()) return undefined;
  const mode = Number(status.mode & 0o777n);
  if ((mode & 0o700) !== 0o700) await chmod(folder, mode | 0o700).catch(() => {});
  return namesIn(folder, entriesMax).catch(() => undefined);
}
