/** The server's own writes of accepted changes: all checked first, each file replaced as a whole, taken back on failure. */
import { lstat, mkdir, rm, rmdir, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type FileState, gitMode, sameState } from '../changeset/file-state.ts';
import type { ApplyPlan } from '../changeset/review-types.ts';
import { writeAtomically } from './atomic.ts';
import { giveMade, inFolder, type Owner, ownerAt } from './owner.ts';
import { parentsOf, pathProblem } from './paths.ts';
import { readBytesAt, readState } from './snapshot.ts';

type DiskEntry = ApplyPlan['disk'][number];

export type DiskResult = { written: string[]; failed: { path: string; reason: string }[] };

/**
 * `root`: the user's workspace, a real path. `readBinary`: what a binary file is to hold. Nothing is written where one
 * entry does not fit the disk any more. `folders`: all there is of the workspace, where it has several; absolute, and
 * they stay when they are empty. Never rejects.
 */
export async function writeToDisk(
  root: string,
  entries: readonly DiskEntry[],
  readBinary: (path: string, hash: string) => Promise<Buffer>,
  { folders = [] }: { folders?: readonly string[] } = {},
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
    if (after.kind === 'absent') await removeEmptyFolders(root, path, folders);
    if (from !== undefined) await removeEmptyFolders(root, from, folders);
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
    if (before.kind === 'absent' || from !== undefined) await remove(file);
    await putState(source, before, old ?? '', { before, owner });
  });
  if (after.kind !== 'absent') await putState(file, after, content, { before, owner });
  if (after.kind === 'absent' || from !== undefined) await remove(source);
}

async function putState(
  file: string,
  state: FileState,
  content: string | Buffer,
  { before, owner }: { before: FileState; owner: Owner | undefined },
): Promise<void> {
  if (state.kind === 'symlink') {
    await inFolder(dirname(file), async (folder) => {
      const at = join(folder, basename(file));
      await rm(at, { force: true });
      await symlink(state.target, at);
    });
  } else if (state.kind === 'text' || state.kind === 'binary') {
    const bytes = state.kind === 'text' ? state.text : content;
    await writeAtomically(file, bytes, { mode: modeOf(before, state), beside: dirname(file), owner });
  }
}

const remove = (file: string): Promise<void> =>
  inFolder(dirname(file), (folder) => rm(join(folder, basename(file)), { force: true }));

const removeFolder = (path: string): Promise<void> =>
  inFolder(dirname(path), (folder) => rmdir(join(folder, basename(path))));

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
async function makeFolders(folder: string, undo: (() => Promise<void>)[]): Promise<void> {
  const missing: string[] = [];
  for (let next = folder; !(await statusAt(next)); next = dirname(next)) missing.unshift(next);
  const [first] = missing;
  if (first === undefined) return;
  const owner = await ownerAt(dirname(first));
  for (const each of missing) {
    await inFolder(dirname(each), (parent) => mkdir(join(parent, basename(each))));
    undo.push(() => removeFolder(each));
    await giveMade(each, owner);
  }
}

const statusAt = (path: string) => lstat(path).catch(() => undefined);

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
