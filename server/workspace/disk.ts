/** The server's own writes of accepted changes: all checked first, each file replaced as a whole, taken back on failure. */
import { lstat, mkdir, rm, rmdir, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type FileState, gitMode, sameState } from '../changeset/file-state.ts';
import type { ApplyPlan } from '../changeset/review-types.ts';
import { writeAtomically } from './atomic.ts';
import { giveMade, type Owner, ownerAt } from './owner.ts';
import { parentsOf, pathProblem } from './paths.ts';
import { readBytesAt, readState } from './snapshot.ts';

type DiskEntry = ApplyPlan['disk'][number];

export type DiskResult = { written: string[]; failed: { path: string; reason: string }[] };

/**
 * `root`: the user's workspace, a real path. `readBinary`: what a binary file is to hold. Nothing is written where one
 * entry does not fit the disk any more. Never rejects.
 */
export async function writeToDisk(
  root: string,
  entries: readonly DiskEntry[],
  readBinary: (path: string, hash: string) => Promise<Buffer>,
): Promise<DiskResult> {
  const failed: DiskResult['failed'] = [];
  for (const entry of entries) {
    const reason = await problemOf(root, entry).catch(messageOf);
    if (reason !== undefined) failed.push({ path: entry.path, reason });
  }
  if (failed.length > 0) return { written: [], failed };
  const undo: (() => Promise<void>)[] = [];
  for (const entry of entries) {
    try {
      await writeEntry(root, entry, readBinary, undo);
    } catch (error) {
      for (const step of undo.reverse()) await step().catch(() => {});
      return { written: [], failed: [{ path: entry.path, reason: messageOf(error) }] };
    }
  }
  for (const { path, from, after } of entries) {
    if (after.kind === 'absent') await removeEmptyFolders(root, path);
    if (from !== undefined) await removeEmptyFolders(root, from);
  }
  return { written: entries.map(({ path }) => path), failed: [] };
}

async function problemOf(root: string, { path, from, before, after }: DiskEntry): Promise<string | undefined> {
  for (const each of from === undefined ? [path] : [path, from]) {
    const problem = pathProblem(each) ?? (await parentProblem(root, each));
    if (problem !== undefined) return `the path ${each} ${problem}`;
  }
  if (after.kind === 'other') return `a ${after.what} can not be written`;
  const source = from ?? path;
  if (!sameState(await readState(root, source), before)) return `${source} has changed on disk since`;
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

async function writeEntry(
  root: string,
  { path, from, before, after }: DiskEntry,
  readBinary: (path: string, hash: string) => Promise<Buffer>,
  undo: (() => Promise<void>)[],
): Promise<void> {
  const file = join(root, path);
  const source = join(root, from ?? path);
  const content =
    after.kind === 'text' ? after.text : after.kind === 'binary' ? await readBinary(path, after.hash) : '';
  const old = before.kind === 'binary' ? await readBytesAt(source) : undefined;
  const oldOwner = before.kind === 'absent' ? undefined : await ownerAt(source);
  await makeFolders(dirname(file), undo);
  const owner = oldOwner ?? (await ownerAt(dirname(file)));
  // The step back is there before the step: one that is not needed does no harm.
  undo.push(async () => {
    if (before.kind === 'absent' || from !== undefined) await rm(file, { force: true });
    await putState(source, before, old ?? '', { before, owner });
  });
  if (after.kind !== 'absent') await putState(file, after, content, { before, owner });
  if (after.kind === 'absent' || from !== undefined) await rm(source, { force: true });
}

async function putState(
  file: string,
  state: FileState,
  content: string | Buffer,
  { before, owner }: { before: FileState; owner: Owner | undefined },
): Promise<void> {
  if (state.kind === 'symlink') {
    await rm(file, { force: true });
    await symlink(state.target, file);
  } else if (state.kind === 'text' || state.kind === 'binary') {
    const bytes = state.kind === 'text' ? state.text : content;
    await writeAtomically(file, bytes, { mode: modeOf(before, state), beside: dirname(file), owner });
  }
}

/** Only the executable bit is the project's: what else the file had stays, and nothing else comes in. */
function modeOf(before: FileState, after: FileState): number {
  const hasMode = before.kind === 'text' || before.kind === 'binary';
  if (after.kind !== 'text' && after.kind !== 'binary') return 0o644;
  const wanted = gitMode(after.mode);
  if (!hasMode) return wanted & ~umask;
  if (gitMode(before.mode) === wanted) return before.mode & 0o777;
  return wanted === 0o755 ? before.mode | ((before.mode & 0o444) >> 2) : before.mode & 0o666;
}

/** Read once, while nothing runs beside it: reading it sets it for a moment. */
const umask = process.umask();

async function removeEmptyFolders(root: string, path: string): Promise<void> {
  for (const parent of parentsOf(path).reverse()) {
    const isGone = await rmdir(join(root, parent)).then(
      () => true,
      () => false,
    );
    if (!isGone) return;
  }
}

/** Those that are missing, each whose its parent is. */
async function makeFolders(folder: string, undo: (() => Promise<void>)[]): Promise<void> {
  const first = await mkdir(folder, { recursive: true });
  if (first === undefined) return;
  undo.push(() => removeFolders(first, folder));
  const owner = await ownerAt(dirname(first));
  const made = [folder];
  for (let next = folder; next !== first; made.push(next)) next = dirname(next);
  for (const each of made.reverse()) await giveMade(each, owner);
}

async function removeFolders(first: string, last: string): Promise<void> {
  for (let folder = last; folder.length >= first.length; folder = dirname(folder)) await rmdir(folder);
}

const statusAt = (path: string) => lstat(path).catch(() => undefined);

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
