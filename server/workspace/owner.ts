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

/** In a folder of ours that nobody else can enter; for one of theirs there is `giveOpened`. */
export async function give(file: string | Buffer, owner: Owner | undefined): Promise<void> {
  if (owner) await lchown(file, owner.uid, owner.gid);
}

/**
 * Of what we have just made at `path` and opened: whoever may write above it could have put a link there, so that it
 * lies somewhere else, where a file of theirs would be a way in. `path`: real, where it was made.
 */
export async function giveOpened(handle: FileHandle, path: string, owner: Owner | undefined): Promise<void> {
  if (!owner) return;
  const place = process.platform === 'linux' && owner.uid !== 0 ? await readlink(`/proc/self/fd/${handle.fd}`) : path;
  if (place !== path) throw new Error(`${path} is not where it was made: a folder above it was replaced meanwhile`);
  await handle.chown(owner.uid, owner.gid);
}

/** A folder that we have just made in one of theirs. A link stays ours: nobody needs to own one. */
export async function giveMade(folder: string, owner: Owner | undefined): Promise<void> {
  if (!owner) return;
  const handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    await giveOpened(handle, folder, owner);
  } finally {
    await handle.close();
  }
}
