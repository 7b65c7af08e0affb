/** The server's own writes of accepted changes: all checked first, each file replaced as a whole, taken back on failure. */
import { lstat, mkdir, readdir, rm, rmdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { absent, type FileState, gitMode, sameState } from '../changeset/file-state.ts';
import type { ApplyPlan } from '../changeset/review-types.ts';
import { giveMade, inFolder, type Owner, ownerAt } from './owner.ts';
import { parentOf, parentsOf, pathProblem } from './paths.ts';
import { isReachable, readBytesAt, readingLike, readState } from './snapshot.ts';
import { type Content, isStaged, type Staged, stage } from './staged.ts';

export type DiskEntry = ApplyPlan['disk'][number];
export type DiskResult = {
  written: string[];
  /** Where one failed, none is written but those that could not be taken back: `isWritten`. */
  failed: { path: string; reason: string; isWritten?: true }[];
};
export type ReadBinary = (path: string, hash: string) => Promise<Buffer>;

/**
 * `root`: the user's workspace, a real path. `readBinary`: what a binary file is to hold. `tag`: in the names of
 * half-written files. `folders`: all there is of the workspace, where it has several; absolute, and they stay when they
 * are empty. Nothing is written where one entry does not fit the disk any more. Never rejects.
 */
export async function writeToDisk(
  root: string,
  entries: readonly DiskEntry[],
  readBinary: ReadBinary,
  { tag = 'write', folders = [] }: { tag?: string; folders?: readonly string[] | undefined } = {},
): Promise<DiskResult> {
  const failed: DiskResult['failed'] = [];
  for (const entry of entries) {
    const reason = await problemOf(root, entry).catch(messageOf);
    if (reason !== undefined) failed.push({ path: entry.path, reason });
  }
  if (failed.length > 0) return { written: [], failed };
  const writing: Writing = { root, readBinary, tag, steps: [], undo: [] };
  const failure = await writeAll(writing, entries);
  for (const { staged } of writing.steps) await staged.discard().catch(() => {});
  if (failure) return { written: [], failed: [failure, ...(await takeBack(writing))] };
  for (const { path, from, after } of entries) {
    if (after.kind === 'absent') await removeEmptyFolders(root, path, folders);
    if (from !== undefined) await removeEmptyFolders(root, from, folders);
  }
  return { written: entries.map(({ path }) => path), failed: [] };
}

/** Which folders writing these paths would make, those above first. */
export async function missingFolders(root: string, paths: readonly string[]): Promise<string[]> {
  const missing: string[] = [];
  for (const folder of new Set(paths.flatMap(parentsOf))) {
    if (!(await statusAt(join(root, folder)))) missing.push(folder);
  }
  return missing.sort();
}

/** After a crash: half-written files beside these paths, and folders that were made, or lost a file, if they are empty. */
export async function removeRemains(
  root: string,
  remains: {
    paths: readonly string[];
    folders: readonly string[];
    gone: readonly string[];
    tag: string;
    /** Absolute: they stay. */
    kept?: readonly string[] | undefined;
  },
): Promise<void> {
  const { paths, folders, gone, tag, kept = [] } = remains;
  for (const parent of new Set(paths.map(parentOf))) {
    if (!(await isReachable(root, join(parent, 'x')))) continue;
    const folder = join(root, parent);
    for (const name of await readdir(folder)) if (isStaged(name, tag)) await remove(join(folder, name));
  }
  for (const folder of folders.toSorted().reverse()) {
    if (await isReachable(root, folder)) await removeFolder(join(root, folder)).catch(() => {});
  }
  for (const path of gone) if (await isReachable(root, path)) await removeEmptyFolders(root, path, kept);
}

async function problemOf(root: string, { path, from, before, after }: DiskEntry): Promise<string | undefined> {
  for (const each of from === undefined ? [path] : [path, from]) {
    const problem = pathProblem(each) ?? (await parentProblem(root, each));
    if (problem !== undefined) return `the path ${each} ${problem}`;
  }
  if (after.kind === 'other') return `a ${after.what} can not be written`;
  await assertHolds(root, from ?? path, before);
  const isTaken = from !== undefined && (await statusAt(join(root, path))) !== undefined;
  if (isTaken) return `${path} exists already`;
  // A folder reads as nothing there.
  if ((await statusAt(join(root, path)))?.isDirectory()) return `${path} is a folder`;
  return undefined;
}

/** Symbolic links are never followed, so a parent is a folder or is made. */
async function parentProblem(root: string, path: string): Promise<string | undefined> {
  for (const parent of parentsOf(path)) {
    const status = await statusAt(join(root, parent));
    if (!status) return undefined;
    if (status.isSymbolicLink()) return `leads through the symbolic link ${parent}`;
    if (!status.isDirectory()) return `leads through the file ${parent}`;
  }
  return undefined;
}

async function assertHolds(root: string, path: string, state: FileState): Promise<void> {
  if (!sameState(await readState(root, path, readingLike(state)), state)) {
    throw new Error(`${path} has changed on disk since`);
  }
}

type Step = { entry: string; path: string; before: FileState; staged: Staged; back: () => Promise<void> };
/** `steps`: in order, all of them made ready before the first is taken. `undo`: the way back of what was done. */
type Writing = {
  root: string;
  readBinary: ReadBinary;
  tag: string;
  steps: Step[];
  undo: { path?: string; back: () => Promise<void> }[];
};

/** A full disk is found out before the first file is replaced. */
async function writeAll(
  writing: Writing,
  entries: readonly DiskEntry[],
): Promise<{ path: string; reason: string } | undefined> {
  let path = '';
  try {
    for (const entry of entries) {
      path = entry.path;
      await prepare(writing, entry);
    }
    for (const { entry, path: at, before, staged, back } of writing.steps) {
      path = entry;
      await staged.place(() => assertHolds(writing.root, at, before));
      writing.undo.push({ path: entry, back });
    }
    return undefined;
  } catch (error) {
    return { path, reason: messageOf(error) };
  }
}

async function takeBack({ undo }: Writing): Promise<DiskResult['failed']> {
  const failed: DiskResult['failed'] = [];
  for (const { path, back } of undo.reverse()) {
    await back().catch((error: unknown) => {
      if (path === undefined) return;
      failed.push({ path, reason: `it was written and could not be taken back: ${messageOf(error)}`, isWritten: true });
    });
  }
  return failed;
}

async function prepare(writing: Writing, { path, from, before, after, restores }: DiskEntry): Promise<void> {
  const { root, readBinary } = writing;
  const source = join(root, from ?? path);
  const bytes = after.kind === 'binary' ? await readBinary(path, after.hash) : undefined;
  const oldBytes = before.kind === 'binary' ? await readBytesAt(source) : undefined;
  const oldOwner = before.kind === 'absent' ? undefined : await ownerAt(source);
  await makeFolders(dirname(join(root, path)), writing.undo);
  const owner = oldOwner ?? (await ownerAt(dirname(join(root, path))));
  const old: Put = { state: before, content: contentOf(before, oldBytes, fullMode(before), owner) };
  const next: Put = { state: after, content: contentOf(after, bytes, modeOf(before, after, restores), owner) };
  const none: Put = { state: absent, content: { kind: 'absent' } };
  if (from === undefined) await addStep(writing, path, { path, before: old, after: next });
  else {
    await addStep(writing, path, { path, before: none, after: next });
    await addStep(writing, path, { path: from, before: old, after: none });
  }
}

type Put = { state: FileState; content: Content };

function contentOf(state: FileState, bytes: Buffer | undefined, mode: number, owner: Owner | undefined): Content {
  if (state.kind === 'symlink') return state;
  if (state.kind === 'text') return { kind: 'file', bytes: state.text, mode, owner };
  if (state.kind === 'binary' && bytes) return { kind: 'file', bytes, mode, owner };
  return { kind: 'absent' };
}

/** Its way back writes over nothing but what the step has written. */
async function addStep(
  { root, tag, steps }: Writing,
  entry: string,
  { path, before, after }: { path: string; before: Put; after: Put },
): Promise<void> {
  const file = join(root, path);
  const back = async (): Promise<void> => {
    if (sameState(await readState(root, path, readingLike(before.state)), before.state)) return;
    const staged = await stage(file, before.content, tag);
    try {
      await staged.place(() => assertHolds(root, path, after.state));
    } finally {
      await staged.discard();
    }
  };
  steps.push({ entry, path, before: before.state, staged: await stage(file, after.content, tag), back });
}

const remove = (file: string): Promise<void> =>
  inFolder(dirname(file), (folder) => rm(join(folder, basename(file)), { force: true }));

const removeFolder = (path: string): Promise<void> =>
  inFolder(dirname(path), (folder) => rmdir(join(folder, basename(path))));

/** Only the executable bit is the project's: what else the file had stays, and nothing else comes in. */
function modeOf(before: FileState, after: FileState, restores: true | undefined): number {
  if (after.kind !== 'text' && after.kind !== 'binary') return 0o644;
  if (restores) return fullMode(after);
  const wanted = gitMode(after.mode);
  if (before.kind !== 'text' && before.kind !== 'binary') return wanted & ~umask;
  if (gitMode(before.mode) === wanted) return fullMode(before);
  return wanted === 0o755 ? before.mode | ((before.mode & 0o444) >> 2) : before.mode & 0o666;
}

const fullMode = (state: FileState): number =>
  state.kind === 'text' || state.kind === 'binary' ? state.mode & 0o777 : 0o644;

/** Read once, while nothing runs beside it: reading it sets it for a moment. */
const umask = process.umask();

async function removeEmptyFolders(root: string, path: string, kept: readonly string[]): Promise<void> {
  for (const parent of parentsOf(path).reverse()) {
    if (kept.includes(join(root, parent))) return;
    const isGone = await removeFolder(join(root, parent)).then(
      () => true,
      () => false,
    );
    if (!isGone) return;
  }
}

/** Those that are missing, each whose its parent is. */
async function makeFolders(folder: string, undo: Writing['undo']): Promise<void> {
  const missing: string[] = [];
  for (let next = folder; !(await statusAt(next)); next = dirname(next)) missing.unshift(next);
  const [first] = missing;
  if (first === undefined) return;
  const owner = await ownerAt(dirname(first));
  for (const each of missing) {
    await inFolder(dirname(each), (parent) => mkdir(join(parent, basename(each))));
    undo.push({ back: () => removeFolder(each) });
    await giveMade(each, owner);
  }
}

const statusAt = (path: string) => lstat(path).catch(() => undefined);

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
