/**
 * A second copy that holds what a first one holds. A process of the host can neither make a whiteout nor mark a folder as
 * opaque: both become pending deletions, which the sandbox makes real before it mounts.
 */
import type { BigIntStats } from 'node:fs';
import { chmod, lutimes, mkdir, readlink, symlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { spreading } from './batches.ts';
import { copyRegularFile } from './copy-file.ts';
import { isWhiteout, type LayerPaths, Layers } from './layers.ts';
import { namesIn } from './names.ts';
import { give, ownerAt } from './owner.ts';
import { isTooDeep, joined } from './paths.ts';
import { readPending, writePending } from './pending.ts';
import { CopyRecord, type Entry } from './record.ts';
import { codeOf, stampOf, statusOf } from './snapshot.ts';

/** By path, of a file in the upper layer: its stamp there, and that of the file made from it. */
type Stamps = Map<string, { before: string; after: string }>;

/**
 * Nothing may be at work in the copy, and what `to` names is made and empty. Answers what can't be taken along, as
 * sentences; throws what the file system says.
 */
export async function forkLayers(from: Layers, entries: ReadonlyMap<string, Entry>, to: LayerPaths): Promise<string[]> {
  const target = new Layers(to, from.owner);
  const stamps: Stamps = new Map();
  const problems: string[] = [];
  await readPending(from);
  for (const path of from.pending) target.pending.add(path);
  await forkUpper({ from, target, stamps, problems });
  await writePending(target);
  const record = new CopyRecord(dirname(to.upper));
  await record.read();
  await record.write(withStamps(entries, stamps), new Map());
  return problems;
}

type Fork = { from: Layers; target: Layers; stamps: Stamps; problems: string[] };

async function forkUpper({ from, target, stamps, problems }: Fork): Promise<void> {
  const spread = spreading();

  /** `hides`: nothing that the user has in this folder, or below it, shows through in the first copy. */
  const forkFolder = async (folder: string, hides: boolean): Promise<void> => {
    const names = await namesIn(from.upper(folder));
    if (hides) {
      const present = new Set(names.map(({ text }) => text));
      for (const path of await from.lowerChildren(folder)) {
        if (!present.has(path.slice(path.lastIndexOf('/') + 1))) target.pending.add(path);
      }
    }
    await spread(names, async ({ bytes, text }) => {
      const path = joined(folder, text ?? bytes.toString());
      if (text === undefined || isTooDeep(from.upper(path))) problems.push(`${short(path)} has no usable name`);
      else await forkOne(path, hides);
    });
  };

  const forkOne = async (path: string, hides: boolean): Promise<void> => {
    const [source, made] = [from.upper(path), target.upper(path)];
    const status = await statusOf(source);
    if (!status) return;
    if (isWhiteout(status)) {
      target.pending.add(path);
    } else if (status.isDirectory()) {
      const mode = Number(status.mode & 0o777n);
      // A command may have taken its own permission to it; the copy is ours, so we give it back.
      if ((mode & 0o500) !== 0o500) await chmod(source, mode | 0o500);
      await mkdir(made, { mode: 0o700 });
      await forkFolder(path, hides || from.isOpaque(path, status));
      await give(made, await ownerAt(source));
      await chmod(made, mode | 0o500);
    } else if (status.isFile()) {
      await forkFile(source, made, status);
    } else if (status.isSymbolicLink()) {
      await symlink(await readlink(source, { encoding: 'buffer' }), made);
      await give(made, await ownerAt(source));
      await lutimes(made, Number(status.atimeNs) / 1e9, Number(status.mtimeNs) / 1e9);
    } else {
      problems.push(`${short(path)} is no file`);
    }
    const now = isWhiteout(status) || status.isDirectory() ? undefined : await statusOf(made);
    if (now) stamps.set(path, { before: stampOf(status), after: stampOf(now) });
  };

  await forkFolder('', false);
}

async function forkFile(source: string, made: string, status: BigIntStats): Promise<void> {
  const copy = async () => copyRegularFile(source, made, { status, owner: await ownerAt(source) });
  const mode = Number(status.mode & 0o777n);
  try {
    await copy();
  } catch (error) {
    if (codeOf(error) !== 'EACCES') throw error;
    // A command has taken its own permission to read it.
    await chmod(source, mode | 0o400);
    try {
      await copy();
    } finally {
      await chmod(source, mode);
    }
    await chmod(made, mode);
  }
}

/** A file that was known as it is stays known; any other is looked at again. */
function withStamps(entries: ReadonlyMap<string, Entry>, stamps: Stamps): Map<string, Entry> {
  const stampFor = (path: string, stamp: string | undefined): string => {
    const known = stamps.get(path);
    return known?.before === stamp ? (known?.after ?? '') : '';
  };
  return new Map(
    [...entries].map(([path, entry]): [string, Entry] => {
      if (entry.kind === 'hidden' || entry.kind === 'change') return [path, entry];
      return [path, { ...entry, stamp: stampFor(path, entry.stamp) }];
    }),
  );
}

const short = (path: string): string => (path.length > 200 ? `${path.slice(0, 200)}…` : path);
