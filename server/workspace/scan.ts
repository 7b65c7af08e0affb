/** Finds every path at which a copy's upper layer may differ from what the user has. Follows no symbolic link. */
import type { BigIntStats } from 'node:fs';
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { inBatches } from './batches.ts';
import { type Counted, listLower } from './counted.ts';
import { isWhiteout, type Layers } from './layers.ts';
import { type Name, namesIn } from './names.ts';
import { isHidden, isTooDeep, joined } from './paths.ts';
import { presenceOf, stampOf, statusOf } from './snapshot.ts';

/** Entries of the upper layer looked at, and paths found. */
export const entriesMax = 200_000;
export const foundMax = 20_000;

export type Found = {
  /** With the file's own status where it lies in the upper layer, and nothing where it was deleted. */
  paths: Map<string, BigIntStats | undefined>;
  /** What could not be looked at, as sentences. */
  problems: string[];
  /** A limit was reached: what is not in `paths` may have changed too. */
  isTruncated: boolean;
};

/**
 * `merged`: the path of the mounted copy; without it, folders that hide the user's are known from earlier only.
 * What is still to be made a whiteout is deleted too.
 * `startedAtMs`: files of the user that are newer say nothing about the copy. `known`: paths to visit in any case.
 */
export async function scanUpper(options: {
  layers: Layers;
  counts: Counted;
  known: ReadonlyMap<string, { stamp?: string }>;
  startedAtMs: number;
  merged?: string;
  /** What was never shown can't have been deleted. */
  isConcealed: (path: string) => boolean;
}): Promise<Found> {
  const { layers, counts, known, startedAtMs, merged, isConcealed } = options;
  const found: Found = { paths: new Map(), problems: [], isTruncated: false };
  const knownFolders = foldersOf(known);
  let entries = 0;
  const isUnchanged = (path: string, status: BigIntStats) => known.get(path)?.stamp === stampOf(status);

  const add = async (path: string, status?: BigIntStats) => {
    if (found.paths.size >= foundMax) found.isTruncated = true;
    else if (known.has(path) || (await counts.file(path))) found.paths.set(path, status);
  };
  /** Files of the user below a folder that is hidden since then; younger ones can't have been meant by it. */
  const addDeleted = async (folder: string, hiddenAtMs: number) => {
    if (isConcealed(folder)) return;
    for (const path of await listLower(layers, folder, counts)) {
      const lower = await statusOf(layers.lower(path));
      if (!known.has(path) && lower && bornAtMs(lower) > hiddenAtMs) continue;
      if ((await layers.locate(path)).in !== 'upper') await add(path);
    }
  };

  const folders: { path: string; isLowerHidden: boolean }[] = [{ path: '', isLowerHidden: false }];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const { path, isLowerHidden } = folder;
    const names = await readFolder(layers, path, merged);
    if (names === undefined) {
      found.problems.push(`${path}: this folder of the copy can not be read`);
      continue;
    }
    let hidesLower = isLowerHidden;
    const self = path === '' || isLowerHidden ? undefined : await statusOf(layers.upper(path));
    if (self) {
      const lower = await statusOf(layers.lower(path));
      if (lower?.isDirectory()) {
        const opaque = await isOpaque(layers, path, names, { self, startedAtMs, merged });
        if (opaque === 'unknown') found.problems.push(`${path}: what was deleted in this folder can not be told`);
        if (opaque === true) {
          hidesLower = true;
          await addDeleted(path, bornAtMs(self));
        }
      } else if (lower) await add(path);
    }
    const examine = async ({ bytes, text }: Name) => {
      const child = joined(path, text ?? bytes.toString());
      if (isHidden(child)) return;
      if (text === undefined || isTooDeep(layers.upper(child))) {
        const why = text === undefined ? 'the name is not UTF-8' : 'it lies too deep';
        if (await counts.file(child)) found.problems.push(`${short(child)}: ${why}; it is not kept for the next turn`);
        return;
      }
      const status = await statusOf(layers.upper(child));
      if (!status) return;
      if (status.isDirectory()) {
        const isOfInterest = knownFolders.has(child) || (await counts.folder(child));
        if (isOfInterest) folders.push({ path: child, isLowerHidden: hidesLower });
      } else if (isUnchanged(child, status)) {
        found.paths.set(child, status);
      } else {
        const lower = hidesLower ? undefined : await statusOf(layers.lower(child));
        if (lower?.isDirectory()) await addDeleted(child, bornAtMs(status));
        if (!isWhiteout(status)) await add(child, status);
        else if (known.has(child) || (lower && !lower.isDirectory())) await add(child);
      }
    };
    entries += names.length;
    if (entries > entriesMax) {
      found.isTruncated = true;
      return found;
    }
    await inBatches(names, examine);
  }
  await inBatches([...layers.pending], async (path) => {
    if (isHidden(path)) return;
    const lower = await statusOf(layers.lower(path));
    const hiddenAtMs = layers.deletedAtMs.get(path);
    if (lower?.isDirectory()) await addDeleted(path, hiddenAtMs ?? startedAtMs);
    else if (known.has(path) || (lower && bornAtMs(lower) <= (hiddenAtMs ?? Infinity))) await add(path);
  });
  return found;
}

/** Remembers what it finds: later, without a mount, nobody can tell. `unknown`: what the mount shows can't be seen. */
async function isOpaque(
  layers: Layers,
  path: string,
  names: readonly Name[],
  { self, startedAtMs, merged }: { self: BigIntStats; startedAtMs: number; merged?: string },
): Promise<boolean | 'unknown'> {
  if (merged === undefined) return layers.isOpaque(path, self);
  const present = new Set(names.map(({ text }) => text));
  for (const child of await layers.lowerNames(path)) {
    if (present.has(child) || layers.pending.has(joined(path, child))) continue;
    const lower = await statusOf(layers.lower(joined(path, child)));
    // Made or renamed while mounted: the mount may not show it, opaque or not.
    if (!lower || Number(lower.ctimeNs / 1_000_000n) > startedAtMs) continue;
    const presence = await presenceOf(join(merged, path, child));
    if (presence === 'unknown') return layers.isOpaque(path, self) || 'unknown';
    if (presence === 'present') {
      layers.opaque.delete(path);
      return false;
    }
    layers.opaque.set(path, String(self.ino));
    return true;
  }
  return layers.isOpaque(path, self);
}

/**
 * A command may have taken its own permission to read a folder or to look into it; the copy is ours, so we give it back:
 * through the mount where there is one, which otherwise goes on with the mode it has seen.
 */
async function readFolder(layers: Layers, path: string, merged: string | undefined): Promise<Name[] | undefined> {
  const folder = layers.upper(path);
  const mode = Number(((await statusOf(folder))?.mode ?? 0n) & 0o777n);
  if ((mode & 0o500) !== 0o500) {
    if (merged !== undefined) await chmod(join(merged, path), mode | 0o700).catch(() => {});
    await chmod(folder, mode | 0o700).catch(() => {});
  }
  return namesIn(folder, entriesMax).catch(() => undefined);
}

/** Unix time, with a fraction. */
const bornAtMs = ({ birthtimeNs }: BigIntStats): number => Number(birthtimeNs) / 1e6;

const short = (path: string): string => (path.length > 200 ? `${path.slice(0, 200)}…` : path);

function foldersOf(paths: ReadonlyMap<string, unknown>): Set<string> {
  const folders = new Set<string>();
  for (const path of paths.keys()) {
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1))
      folders.add(path.slice(0, end));
  }
  return folders;
}
