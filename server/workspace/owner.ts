/** Whose files we write, where root works in another user's repository. */
import { constants, type FileHandle, lchown, lstat, open, readlink } from 'node:fs/promises';

export type Owner = { uid: number; gid: number };

const isRoot = process.getuid?.() === 0;

/** Of what is written for the workspace `root`; nothing where it becomes ours by itself. */
export async function ownerOf(root: string): Promise<Owner | undefined> {
  const found = await ownerAt(root);
  return found?.uid === 0 ? undefined : found;
}

/** Of a file that is there, where we may give files to others; never follows a link. */
export async function ownerAt(file: string): Promise<Owner | undefined> {
  if (!isRoot) return undefined;
  const status = await lstat(file).catch(() => undefined);
  return status && { uid: status.uid, gid: status.gid };
}

/** In a folder of ours that nobody else can enter; for one of theirs there is `inFolder`. */
export async function give(file: string | Buffer, owner: Owner | undefined): Promise<void> {
  if (owner) await lchown(file, owner.uid, owner.gid);
}

/**
 * Works in a folder that somebody else may replace by a link at any moment, also one above it: `work` gets a path that
 * leads to this very folder whatever they do. `folder`: a real path. Throws where something else is there.
 */
export async function inFolder<T>(folder: string, work: (folder: string) => Promise<T>): Promise<T> {
  if (!isRoot || process.platform !== 'linux') return work(folder);
  const handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    const pinned = `/proc/self/fd/${handle.fd}`;
    await assertPlace(handle, folder);
    return await work(pinned);
  } finally {
    await handle.close();
  }
}

/** Throws where what was opened lies somewhere else than at `path`, a real one, so that a link had led there. */
export async function assertPlace(handle: FileHandle, path: string): Promise<void> {
  if (!isRoot || process.platform !== 'linux') return;
  if ((await readlink(`/proc/self/fd/${handle.fd}`)) === path) return;
  const message = `${path} is not where it was: a folder above it was replaced meanwhile`;
  throw Object.assign(new Error(message), { code: 'ELOOP' });
}

/**
 * Works on the very file that was looked at, where somebody else may put a link in its place, or a pipe that nobody
 * writes to. `file`: a regular one, by its real path. Throws where it is another by now.
 */
export async function withFile<T>(
  file: string,
  { ino, dev }: { ino: bigint; dev: bigint },
  work: (file: string) => Promise<T>,
): Promise<T> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    await assertPlace(handle, file);
    const status = await handle.stat({ bigint: true });
    if (status.ino !== ino || status.dev !== dev) {
      throw Object.assign(new Error(`${file} was replaced meanwhile`), { code: 'ENOENT' });
    }
    return await work(`/proc/self/fd/${handle.fd}`);
  } finally {
    await handle.close();
  }
}

/** A folder that we have just made in one of theirs. A link stays ours: nobody needs to own one. */
export async function giveMade(folder: string, owner: Owner | undefined): Promise<void> {
  if (!owner) return;
  const handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    await assertPlace(handle, folder);
    await handle.chown(owner.uid, owner.gid);
  } finally {
    await handle.close();
  }
}
