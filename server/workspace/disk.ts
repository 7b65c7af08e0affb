/**
 * The server's own writes of accepted changes: all checked first, each file replaced as a whole, taken back on failure,
 * and on the disk itself when they are done.
 */
import { dirname, join } from 'node:path';
import { absent, type FileState, gitMode, sameState } from '../changeset/file-state.ts';
import type { ApplyPlan } from '../changeset/review-types.ts';
import { inBatches } from './batches.ts';
import { type Back, makeFolders, removeEmptyFolders, statusAt, syncFolders } from './disk-folders.ts';
import { type Owner, ownerAt } from './owner.ts';
import { parentsOf, pathProblem } from './paths.ts';
import { isReachable, readBytesAt, readingLike, readState } from './snapshot.ts';
import { type Content, type Staged, stage } from './staged.ts';

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
  const removed = new Set(entries.filter(isRemoval).map(({ path }) => path));
  const problems = new Map<DiskEntry, string | undefined>();
  await inBatches(entries, async (entry) => {
    problems.set(entry, await problemOf(root, entry, removed).catch(messageOf));
  });
  const failed = entries.flatMap((entry) => {
    const reason = problems.get(entry);
    return reason === undefined ? [] : [{ path: entry.path, reason }];
  });
  if (failed.length > 0) return { written: [], failed };
  const writing: Writing = { root, readBinary, tag, staged: [], undo: [] };
  const { room, rest } = makingRoom(entries);
  const failure =
    (await writeAll(writing, room)) ?? (await clear(writing, room, rest)) ?? (await writeAll(writing, rest));
  for (const staged of writing.staged) await staged.discard().catch(() => {});
  if (failure) return { written: [], failed: [failure, ...(await takeBack(writing))] };
  for (const { path, from, after } of entries) {
    if (after.kind === 'absent') await removeEmptyFolders(root, path, { kept: folders });
    if (from !== undefined) await removeEmptyFolders(root, from, { kept: folders });
  }
  await syncFolders(
    root,
    entries.flatMap(({ path, from }) => (from === undefined ? [path] : [path, from])),
  );
  return { written: entries.map(({ path }) => path), failed: [] };
}

const isRemoval = ({ from, after }: DiskEntry): boolean => from === undefined && after.kind === 'absent';

/** Removals that others need first: of a file where a folder is to be, and of what is in a folder where a file is to be. */
function makingRoom(entries: readonly DiskEntry[]): { room: DiskEntry[]; rest: DiskEntry[] } {
  const written = entries.filter((entry) => !isRemoval(entry)).map(({ path }) => path);
  const paths = new Set(written);
  const folders = new Set(written.flatMap(parentsOf));
  const makesRoom = (entry: DiskEntry): boolean =>
    isRemoval(entry) && (folders.has(entry.path) || parentsOf(entry.path).some((parent) => paths.has(parent)));
  return { room: entries.filter(makesRoom), rest: entries.filter((entry) => !makesRoom(entry)) };
}

/** `removed`: what is there, and will not be. */
async function problemOf(
  root: string,
  { path, from, before, after }: DiskEntry,
  removed: ReadonlySet<string>,
): Promise<string | undefined> {
  for (const each of from === undefined ? [path] : [path, from]) {
    const problem = pathProblem(each) ?? (await parentProblem(root, each, removed));
    if (problem !== undefined) return `the path ${each} ${problem}`;
  }
  if (after.kind === 'other') return `a ${after.what} can not be written`;
  await assertHolds(root, from ?? path, before);
  const there = await statusAt(join(root, path));
  if (there && from !== undefined) return `${path} exists already`;
  // A folder reads as nothing there.
  const makesRoom = () => [...removed].some((one) => one.startsWith(`${path}/`));
  if (there?.isDirectory() && !makesRoom()) return `${path} is a folder`;
  return undefined;
}

/** Symbolic links are never followed, so a parent is a folder or is made. */
async function parentProblem(root: string, path: string, removed: ReadonlySet<string>): Promise<string | undefined> {
  for (const parent of parentsOf(path)) {
    const status = await statusAt(join(root, parent));
    if (!status || (removed.has(parent) && !status.isDirectory())) return undefined;
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

/** The same for the moment of writing, when every folder above is there. */
async function assertPlace(root: string, path: string, state: FileState): Promise<void> {
  if (!(await isReachable(root, path))) throw new Error(`a folder above ${path} was replaced meanwhile`);
  await assertHolds(root, path, state);
}

type Failure = { path: string; reason: string };
type Step = { path: string; before: FileState; staged: Staged; back: Back };
/** `staged`: all that was made ready. `undo`: the way back of what was done; `path`: of a file. */
type Writing = {
  root: string;
  readBinary: ReadBinary;
  tag: string;
  staged: Staged[];
  undo: { path?: string; back: Back }[];
};

/** All is made ready before anything is put in its place: a full disk is found out before the first file is replaced. */
async function writeAll(writing: Writing, entries: readonly DiskEntry[]): Promise<Failure | undefined> {
  const { root, undo } = writing;
  const ready = new Map<DiskEntry, Step[] | Failure>();
  for (const entry of entries) {
    if (isRemoval(entry)) continue;
    const made = (back: Back) => undo.push({ back });
    const failure = await makeFolders(dirname(join(root, entry.path)), made).catch(messageOf);
    if (failure !== undefined) return { path: entry.path, reason: failure };
  }
  await inBatches(entries, async (entry) => {
    const failed = (error: unknown): Failure => ({ path: entry.path, reason: messageOf(error) });
    ready.set(entry, await prepare(writing, entry).catch(failed));
  });
  for (const entry of entries) {
    const steps = ready.get(entry);
    if (steps && 'reason' in steps) return steps;
  }
  for (const entry of entries) {
    const steps = ready.get(entry) ?? [];
    for (const { path, before, staged, back } of 'reason' in steps ? [] : steps) {
      const failure = await staged.place(() => assertPlace(root, path, before)).catch(messageOf);
      if (failure !== undefined) return { path: entry.path, reason: failure };
      undo.push({ path: entry.path, back });
    }
  }
  return undefined;
}

/** Folders that are empty now, where a file is to be. */
async function clear(
  { root, undo }: Writing,
  room: readonly DiskEntry[],
  rest: readonly DiskEntry[],
): Promise<undefined> {
  const paths = new Set(rest.map(({ path }) => path));
  for (const { path } of room) {
    const within = parentsOf(path).find((parent) => paths.has(parent));
    const removed = (back: Back) => undo.push({ back });
    if (within !== undefined) await removeEmptyFolders(root, path, { within, removed });
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

async function prepare(writing: Writing, { path, from, before, after, restores }: DiskEntry): Promise<Step[]> {
  const { root, readBinary } = writing;
  const source = join(root, from ?? path);
  const bytes = after.kind === 'binary' ? await readBinary(path, after.hash) : undefined;
  const oldBytes = before.kind === 'binary' ? await readBytesAt(source) : undefined;
  const oldOwner = before.kind === 'absent' ? undefined : await ownerAt(source);
  const owner = oldOwner ?? (await ownerAt(dirname(join(root, path))));
  const old: Put = { state: before, content: contentOf(before, oldBytes, fullMode(before), owner) };
  const next: Put = { state: after, content: contentOf(after, bytes, modeOf(before, after, restores), owner) };
  const none: Put = { state: absent, content: { kind: 'absent' } };
  if (from === undefined) return [await stepOf(writing, path, old, next)];
  return [await stepOf(writing, path, none, next), await stepOf(writing, from, old, none)];
}

type Put = { state: FileState; content: Content };

function contentOf(state: FileState, bytes: Buffer | undefined, mode: number, owner: Owner | undefined): Content {
  if (state.kind === 'symlink') return state;
  if (state.kind === 'text') return { kind: 'file', bytes: state.text, mode, owner };
  if (state.kind === 'binary' && bytes) return { kind: 'file', bytes, mode, owner };
  return { kind: 'absent' };
}

/** Its way back writes over nothing but what the step has written. */
async function stepOf(writing: Writing, path: string, before: Put, after: Put): Promise<Step> {
  const { root, tag } = writing;
  const file = join(root, path);
  const back = async (): Promise<void> => {
    if (sameState(await readState(root, path, readingLike(before.state)), before.state)) return;
    const staged = await stage(file, before.content, tag);
    try {
      await staged.place(() => assertPlace(root, path, after.state));
    } finally {
      await staged.discard();
    }
  };
  const staged = await stage(file, after.content, tag);
  writing.staged.push(staged);
  return { path, before: before.state, staged, back };
}

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

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
