/** Folders around the server's own writes: made where they are missing, gone where nothing is left in them. */
import { constants } from 'node:fs';
import { lstat, mkdir, open, readdir, rm, rmdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { inBatches } from './batches.ts';
import { giveMade, inFolder, ownerAt } from './owner.ts';
import { parentOf, parentsOf } from './paths.ts';
import { isReachable } from './snapshot.ts';
import { isStaged } from './staged.ts';

/** Takes one step back. */
export type Back = () => Promise<void>;

/** Which folders writing these paths would make, those above first. */
export async function missingFolders(root: string, paths: readonly string[]): Promise<string[]> {
  const missing: string[] = [];
  for (const folder of new Set(paths.flatMap(parentsOf))) {
    if (!(await statusAt(join(root, folder)))) missing.push(folder);
  }
  return missing.sort();
}

/** Those that are missing, each whose its parent is. `folder`: absolute. */
export async function makeFolders(folder: string, made: (back: Back) => void): Promise<void> {
  const missing: string[] = [];
  for (let next = folder; !(await statusAt(next)); next = dirname(next)) missing.unshift(next);
  const [first] = missing;
  if (first === undefined) return;
  const owner = await ownerAt(dirname(first));
  for (const each of missing) {
    await inFolder(dirname(each), (parent) => mkdir(join(parent, basename(each))));
    made(() => removeFolder(each));
    await giveMade(each, owner);
  }
}

/** From the folder of a path upwards, but nothing above `within` and none that is `kept`, absolute: those that are empty. */
export async function removeEmptyFolders(
  root: string,
  path: string,
  {
    within = '',
    kept = [],
    removed = () => {},
  }: { within?: string; kept?: readonly string[] | undefined; removed?: (back: Back) => void } = {},
): Promise<void> {
  const folders = parentsOf(path).filter((folder) => within === '' || `${folder}/`.startsWith(`${within}/`));
  for (const folder of folders.reverse()) {
    const file = join(root, folder);
    if (kept.includes(file)) return;
    const isGone = await removeFolder(file).then(
      () => true,
      () => false,
    );
    if (!isGone) return;
    removed(() => makeFolders(file, () => {}));
  }
}

/** What was put into, and taken out of, the folders of these paths is on the disk itself when this resolves. */
export async function syncFolders(root: string, paths: readonly string[]): Promise<void> {
  await inBatches([...new Set(['', ...paths.flatMap(parentsOf)])], async (path) => {
    // Gone by now, or a folder or a file system that can't be asked: what is in it is none the less there.
    await inFolder(join(root, path), syncFolder).catch(() => {});
  });
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** After a crash: half-written files beside these paths, and folders that were made, or lost a file, if they are empty. */
export async function removeRemains(
  root: string,
  remains: {
    paths: readonly string[];
    folders: readonly string[];
    gone: readonly string[];
    tag: string;
    kept?: readonly string[] | undefined;
  },
): Promise<void> {
  const { paths, folders, gone, tag, kept } = remains;
  for (const parent of new Set(paths.map(parentOf))) {
    if (!(await isReachable(root, join(parent, 'x')))) continue;
    const folder = join(root, parent);
    for (const name of await readdir(folder)) if (isStaged(name, tag)) await remove(join(folder, name));
  }
  for (const folder of folders.toSorted().reverse()) {
    if (await isReachable(root, folder)) await removeFolder(join(root, folder)).catch(() => {});
  }
  for (const path of gone) if (await isReachable(root, path)) await removeEmptyFolders(root, path, { kept });
}

const remove = (file: string): Promise<void> =>
  inFolder(dirname(file), (folder) => rm(join(folder, basename(file)), { force: true }));

const removeFolder = (path: string): Promise<void> =>
  inFolder(dirname(path), (folder) => rmdir(join(folder, basename(path))));

export const statusAt = (path: string) => lstat(path).catch(() => undefined);
