/**
 * Which files git tracks, read from `.git/index` (gitformat-index, versions 2 to 4) without running git. What can't be
 * read tracks nothing, and says so.
 */
import { join, relative } from 'node:path';
import { setImmediate as breathe } from 'node:timers/promises';
import { readSmallFile } from './bounded-file.ts';
import { findGitFolder, type GitFolder } from './git-folder.ts';
import { parentOf } from './paths.ts';
import { stampOf, statusOf } from './snapshot.ts';

const indexBytesMax = 256 * 1024 ** 2;
const configBytesMax = 1024 ** 2;
const nameBytesMax = 4096;
/** Of all names, and of all folders they lie in. */
const namesBytesMax = 64 * 1024 ** 2;
/** Entries parsed before others get their turn. */
const entriesAtOnce = 5_000;

/** Of the given workspace-relative paths, those that are tracked; one with `/` at its end: if anything below is. */
export type Tracked = (paths: readonly string[]) => Promise<Set<string>>;

/** `report` is told once where an index can't be read. */
export function trackedFiles(root: string, report: (problem: string) => void = () => {}): Tracked {
  let known: { stamp: string; paths: ReadonlySet<string> } | undefined;
  let git: Promise<GitFolder | undefined> | undefined;
  return async (paths) => {
    git ??= findGitFolder(root);
    const found = await git;
    if (!found || paths.length === 0) return new Set();
    const file = join(found.folder, 'index');
    const status = await statusOf(file);
    if (!status) return new Set();
    const stamp = stampOf(status);
    if (known?.stamp !== stamp) {
      const read = await readIndex(file, found, relative(found.top, root));
      if ('problem' in read) report(read.problem);
      known = { stamp, paths: 'problem' in read ? new Set() : read.paths };
    }
    const { paths: tracked } = known;
    return new Set(paths.filter((path) => tracked.has(path)));
  };
}

/** Those below a folder, relative to it, and with `/` at their end all folders above them. */
async function below(paths: readonly string[], folder: string): Promise<Read<ReadonlySet<string>>> {
  const prefix = folder === '' ? '' : `${folder}/`;
  const result = new Set<string>();
  let folderBytes = 0;
  for (const [index, path] of paths.entries()) {
    if (index % entriesAtOnce === 0) await breathe();
    if (!path.startsWith(prefix)) continue;
    const inside = path.slice(prefix.length);
    result.add(inside);
    // From below: where one is known, those above it are.
    for (let parent = parentOf(inside); parent !== '' && !result.has(`${parent}/`); parent = parentOf(parent)) {
      result.add(`${parent}/`);
      folderBytes += parent.length;
      if (folderBytes > namesBytesMax) return tooLarge;
    }
  }
  return { paths: result };
}

type Read<Paths> = { paths: Paths } | { problem: string };

const tooLarge = { problem: 'The git index is too large to be read.' };

async function hashBytesOf({ common }: GitFolder): Promise<20 | 32> {
  const config = await readSmallFile(join(common, 'config'), configBytesMax);
  return /^\s*objectformat\s*=\s*sha256/im.test(config?.toString('utf8') ?? '') ? 32 : 20;
}

async function readIndex(file: string, git: GitFolder, folder: string): Promise<Read<ReadonlySet<string>>> {
  const bytes = await readSmallFile(file, indexBytesMax);
  if (!bytes) return { problem: 'The git index is no file, or too large to be read.' };
  try {
    const read = await parseIndex(bytes, await hashBytesOf(git));
    return 'problem' in read ? read : await below(read.paths, folder);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { problem: `The git index can not be read: ${message}` };
  }
}

export async function parseIndex(bytes: Buffer, hashBytes: number): Promise<Read<string[]>> {
  if (bytes.length < 12 || bytes.toString('latin1', 0, 4) !== 'DIRC') return { problem: 'There is no git index.' };
  const version = bytes.readUInt32BE(4);
  if (version < 2 || version > 4) return { problem: `The git index has the unknown version ${version}.` };
  const count = bytes.readUInt32BE(8);
  const paths: string[] = [];
  let namesBytes = 0;
  let at = 12;
  let previous: Buffer = Buffer.alloc(0);
  for (let entry = 0; entry < count; entry++) {
    if (entry % entriesAtOnce === 0) await breathe();
    const start = at;
    const flags = bytes.readUInt16BE(start + 40 + hashBytes);
    at = start + 40 + hashBytes + 2 + (version >= 3 && flags & 0x4000 ? 2 : 0);
    let kept: Buffer = Buffer.alloc(0);
    if (version === 4) {
      const cut = readVariable(bytes, at);
      at = cut.next;
      if (cut.value > previous.length) return { problem: 'The git index cuts more from a name than there is.' };
      kept = previous.subarray(0, previous.length - cut.value);
    }
    // Not further than a name may reach: what is left of a broken index is not searched for every entry.
    const length = bytes.subarray(at, at + nameBytesMax + 1).indexOf(0);
    const end = at + length;
    if (length < 0 && bytes.length - at > nameBytesMax)
      return { problem: 'The git index holds a name that is too long.' };
    if (length < 0) return { problem: 'The git index ends too early.' };
    namesBytes += kept.length + length;
    if (kept.length + length > nameBytesMax) return { problem: 'The git index holds a name that is too long.' };
    if (namesBytes > namesBytesMax) return tooLarge;
    const name = Buffer.concat([kept, bytes.subarray(at, end)]);
    paths.push(name.toString('utf8'));
    previous = name;
    // Before version 4 an entry is filled up with 1 to 8 NULs to a multiple of eight.
    at = version === 4 ? end + 1 : start + ((end - start + 8) & ~7);
  }
  if (bytes.toString('latin1', at, at + 4) === 'link') return { problem: 'The git index is split in two files.' };
  return { paths };
}

/** git's own variable-length number, as in pack offsets. */
function readVariable(bytes: Buffer, start: number): { value: number; next: number } {
  let at = start;
  let byte = bytes.readUInt8(at++);
  let value = byte & 0x7f;
  while (byte & 0x80) {
    byte = bytes.readUInt8(at++);
    value = (value + 1) * 128 + (byte & 0x7f);
  }
  return { value, next: at };
}
