/** What one path holds, as the disk or as the user has it. Never follows a symbolic link. */
import { createHash } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import { constants, type FileHandle, lstat, open, readlink, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { absent, type FileState } from '../changeset/file-state.ts';
import { byteOrderMark } from '../changeset/lines.ts';
import { assertPlace } from './owner.ts';

/** Larger files are not shown as text. */
export const textBytesMax = 10 * 1024 ** 2;
/** Larger files are told apart by size and time instead of by what they hold. */
const hashedBytesMax = 256 * 1024 ** 2;

/** Of one look at many files, in all. */
const readBytesMax = 512 * 1024 ** 2;

/** What a look at many files may still read; beyond it they are told apart as larger files are, and counted. */
export type Reading = { bytesLeft: number; unread: number };

export const newReading = (): Reading => ({ bytesLeft: readBytesMax, unread: 0 });

/** So that a file that was not read is compared as what it was then. */
export const readingLike = (state: FileState): Reading =>
  state.kind === 'binary' && state.hash.startsWith(unread)
    ? { bytesLeft: 0, unread: 0 }
    : { bytesLeft: Infinity, unread: 0 };

const unread = 'unread:';
const unlimited = (): Reading => ({ bytesLeft: Infinity, unread: 0 });

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** `root` is a real path, `path` relative to it. A path behind a symbolic link is absent, as it is for git. */
export async function readState(root: string, path: string, reading = unlimited()): Promise<FileState> {
  return (await isReachable(root, path)) ? stateAt(join(root, path), reading, { isTheirs: true }) : absent;
}

/** Whether its folder is there, and no symbolic link leads to it. */
export async function isReachable(root: string, path: string): Promise<boolean> {
  const folder = dirname(join(root, path));
  return (await realpath(folder).catch(() => undefined)) === folder;
}

/** At most 256 MiB of a regular file; throws for anything else. */
export async function readBytesAt(file: string): Promise<Buffer> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const status = await handle.stat();
    if (!status.isFile() || status.size > hashedBytesMax) throw new Error(`${file} is no file, or larger than 256 MiB`);
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}

/** As `readBytesAt`, of a file of the workspace `root`, a real path; throws where a symbolic link leads to it. */
export async function readBytesIn(root: string, path: string): Promise<Buffer> {
  if (!(await isReachable(root, path))) throw new Error(`${path} can not be reached`);
  return readBytesAt(join(root, path));
}

/** As the user has it now: the open buffer over the file, with the mode of the file. */
export async function userState(root: string, path: string, buffers: ReadonlyMap<string, string>): Promise<FileState> {
  const disk = await readState(root, path);
  const text = buffers.get(path);
  return text === undefined ? disk : bufferState(text, disk);
}

/** Editors leave a byte order mark out of the text they show, and write it again. */
export const bufferState = (text: string, disk: FileState): FileState => ({
  kind: 'text',
  text:
    disk.kind === 'text' && disk.text.startsWith(byteOrderMark) && !text.startsWith(byteOrderMark)
      ? byteOrderMark + text
      : text,
  mode: disk.kind === 'text' || disk.kind === 'binary' ? disk.mode : 0o644,
});

/** Whether the file has the text of its buffer, or that and a byte order mark. */
export const isSaved = (text: string, disk: FileState): boolean =>
  disk.kind === 'text' && (disk.text === text || disk.text === byteOrderMark + text);

/**
 * What an absolute path holds, whose parents are known to be folders. A folder is absent: it is no file. `isTheirs`: a
 * real path, of which somebody else may replace any part meanwhile.
 */
export async function stateAt(file: string, reading = unlimited(), { isTheirs = false } = {}): Promise<FileState> {
  const status = await statusOf(file);
  if (!status || status.isDirectory()) return absent;
  if (status.isSymbolicLink()) return { kind: 'symlink', target: await readlink(file) };
  if (!status.isFile()) return { kind: 'other', what: whatIs(status) };
  let handle: FileHandle | undefined;
  try {
    handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    if (isTheirs) await assertPlace(handle, file);
    return await stateOf(handle, reading);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT') return absent;
    if (code === 'EACCES' || code === 'EPERM' || code === 'ELOOP') return { kind: 'other', what: 'unreadable file' };
    throw error;
  } finally {
    await handle?.close();
  }
}

/** Of the path itself; nothing where there is none. */
export async function statusOf(file: string): Promise<BigIntStats | undefined> {
  try {
    return await lstat(file, { bigint: true });
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EACCES' || code === 'ENAMETOOLONG') return undefined;
    throw error;
  }
}

/** Absent only where the kernel says so: what can't be looked at may be there. */
export async function presenceOf(file: string): Promise<'present' | 'absent' | 'unknown'> {
  try {
    await lstat(file);
    return 'present';
  } catch (error) {
    const code = codeOf(error);
    return code === 'ENOENT' || code === 'ENOTDIR' ? 'absent' : 'unknown';
  }
}

/** Equal for a file that has not been touched since. */
export const stampOf = ({ mtimeNs, ctimeNs, size, ino }: BigIntStats): string => `${mtimeNs}:${ctimeNs}:${size}:${ino}`;

export const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;

async function stateOf(handle: FileHandle, reading: Reading): Promise<FileState> {
  const status = await handle.stat({ bigint: true });
  const size = Number(status.size);
  const mode = Number(status.mode & 0o777n);
  if (!status.isFile()) return { kind: 'other', what: whatIs(status) };
  if (size > Math.min(hashedBytesMax, reading.bytesLeft)) {
    reading.unread++;
    return { kind: 'binary', hash: `${unread}${size}:${status.mtimeNs}:${status.ino}`, size, mode };
  }
  reading.bytesLeft -= size;
  const hash = createHash('sha256');
  if (size > textBytesMax) {
    for await (const chunk of handle.createReadStream({ start: 0, end: size, autoClose: false })) hash.update(chunk);
    return { kind: 'binary', hash: hash.digest('hex'), size, mode };
  }
  const bytes = await handle.readFile();
  const text = textOf(bytes);
  if (text !== undefined) return { kind: 'text', text, mode };
  return { kind: 'binary', hash: hash.update(bytes).digest('hex'), size: bytes.length, mode };
}

/** Nothing where it is not UTF-8, or holds a NUL: that is no text, for git neither. */
function textOf(bytes: Buffer): string | undefined {
  if (bytes.includes(0)) return undefined;
  try {
    return strictUtf8.decode(bytes);
  } catch {
    return undefined;
  }
}

export function whatIs(status: BigIntStats): string {
  if (status.isFIFO()) return 'pipe';
  if (status.isSocket()) return 'socket';
  return status.isCharacterDevice() || status.isBlockDevice() ? 'device' : 'special file';
}
