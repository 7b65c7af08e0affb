/** Finds every path at which a copy's upper layer may differ from what the user has. Follows no symbolic link. */
import type { BigIntStats } from 'node:fs';
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { inBatches } from './batches.ts';
import { type Counted, listLower } from './counted.ts';
import { isWhiteout, type Layers } from './layers.ts';
import { type Name, type NamesLeft, namesLeftIn } from './names.ts';
import { isHidden, isTooDeep, joined } from './paths.ts';
import { presenceOf, stampOf, statusOf } from './snapshot.ts';

/** Entries of the upper layer looked at, and paths found. */
export const entriesMax = 200_000;
const foundMax = 20_000;
const foldersAtOnce = 32;

export type Found = {
  /** With the file's own status where it lies in the upper layer, and nothing where it was deleted. */
  paths: Map<string, BigIntStats | undefined>;
  /** What could not be looked at, as sentences. */
  problems: string[];
  /** A limit was reached: what is not in `paths` may have changed too. */
  isTruncated: boolean;
};

/**
 * Of the upper layer, with its own status; `''` has none. `over`: what the user has at that place and a command could
 * see: `folder`, or `nothing` of it, so that there is nothing either at any place below.
 */
type Folder = { path: string; status?: BigIntStats; over: 'folder' | 'nothing' };

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
  const left: NamesLeft = { names: entriesMax };
  const isUnchanged = (path: string, status: BigIntStats) => known.get(path)?.stamp === stampOf(status);

  const add = async (path: string, status?: BigIntStats) => {
    if (found.paths.size >= foundMax) found.isTruncated = true;
    else if (known.has(path) || (await counts.file(path))) found.paths.set(path, status);
  };
  /** Files of the user below a folder that is hidden since then; younger ones can't have been meant by it. */
  const addDeleted = async (folder: string, hiddenAtMs: number) => {
    if (isConcealed(folder)) return;
    await inBatches(await listLower(layers, folder, counts), async (path) => {
      const lower = await statusOf(layers.lower(path));
      if (!known.has(path) && lower && bornAtMs(lower) > hiddenAtMs) return;
      if ((await layers.locate(path)).in !== 'upper') await add(path);
    });
  };

  const look = async ({ path, status: self, over }: Folder, into: (folder: Folder) => void) => {
    const names = await readFolder(layers, path, { self, left, merged });
    if (names === undefined) {
      found.problems.push(`${path}: this folder of the copy can not be read`);
      return;
    }
    if (left.names < 0) return;
    let shows = over;
    if (self && over === 'folder') {
      const lower = await statusOf(layers.lower(path));
      if (!lower?.isDirectory()) shows = 'nothing';
      if (lower?.isDirectory()) {
        const opaque = await isOpaque(layers, path, names, { self, startedAtMs, merged });
        if (opaque === 'unknown') found.problems.push(`${path}: what was deleted in this folder can not be told`);
        if (opaque === true) {
          shows = 'nothing';
          await addDeleted(path, bornAtMs(self));
        }
      } else if (lower) await add(path);
    }
    await inBatches(names, async ({ bytes, text }) => {
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
        if (isOfInterest) into({ path: child, status, over: shows });
      } else if (isUnchanged(child, status)) {
        found.paths.set(child, status);
      } else {
        const lower = shows === 'nothing' ? undefined : await statusOf(layers.lower(child));
        if (lower?.isDirectory()) await addDeleted(child, bornAtMs(status));
        if (!isWhiteout(status)) await add(child, status);
        else if (known.has(child) || (lower && !lower.isDirectory())) await add(child);
      }
    });
  };

  const folders: Folder[] = [{ path: '', over: 'folder' }];
  while (folders.length > 0) {
    await Promise.all(folders.splice(-foldersAtOnce).map((folder) => look(folder, (below) => folders.push(below))));
    if (left.names < 0) {
      found.isTruncated = true;
      return found;
    }
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
async function readFolder(
  layers: Layers,
  path: string,
  { self, left, merged }: { self: BigIntStats | undefined; left: NamesLeft; merged: string | undefined },
): Promise<Name[] | undefined> {
  const folder = layers.upper(path);
  const status = self ?? (await statusOf(folder));
  const mode = Number((status?.mode ?? 0n) & 0o777n);
  if ((mode & 0o500) !== 0o500) {
    if (merged !== undefined) await chmod(join(merged, path), mode | 0o700).catch(() => {});
    await chmod(folder, mode | 0o700).catch(() => {});
  }
  return namesLeftIn(folder, left, status?.size).catch(() => undefined);
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
