/** Where the host of a user, version and state folder is found: its socket, its token, its lock. */
import { lstat, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type HostPlace = {
  /** Mode 0700, ours, no link. Absolute, as are the others. */
  folder: string;
  socket: string;
  /** A file of mode 0600: what the first message of a connection has to hold. */
  token: string;
  /** Held by the host as long as it lives. */
  lock: string;
};

/** What the kernel takes as the path of a Unix socket, less the final zero: 107 on Linux, 103 on macOS. */
const socketPathBytesMax = 103;

/**
 * `stateDir`: absolute, real path. The version is in the name, so that two versions live side by side. A state folder whose
 * path is too long for a socket has it among the temporary files, in a folder of the user's.
 */
export async function hostPlace(stateDir: string, version: string): Promise<HostPlace> {
  const near = within(join(stateDir, 'host'), version);
  if (Buffer.byteLength(near.socket) <= socketPathBytesMax) return near;
  // Seldom needed, and a relay is to be light.
  const { createHash } = await import('node:crypto');
  const short = createHash('sha256').update(stateDir).digest('hex').slice(0, 16);
  return within(join(tmpdir(), `codex-lsp-${uid()}-${short}`), version);
}

/** Of `os.userInfo` there is none for a number that the system has no name for, as in a container. */
const uid = (): number | undefined => process.getuid?.();

const within = (folder: string, version: string): HostPlace => ({
  folder,
  socket: join(folder, `${version}.sock`),
  token: join(folder, `${version}.token`),
  lock: join(folder, `${version}.lock`),
});

/** Makes the folder where there is none. Throws a sentence where what is there is not ours alone. */
export async function openHostFolder(folder: string): Promise<void> {
  await mkdir(folder, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  const why = await unfit(folder);
  if (why !== undefined) throw new Error(`${folder} ${why}; remove it, and codex-lsp makes it anew.`);
}

/** Undefined: it is a folder, no link, ours, and nobody else may enter it. */
async function unfit(folder: string): Promise<string | undefined> {
  const found = await lstat(folder);
  if (found.isSymbolicLink()) return 'is a link, where a folder of the host should be';
  if (!found.isDirectory()) return 'is no folder';
  if (found.uid !== uid()) return 'belongs to another user';
  return (found.mode & 0o077) === 0 ? undefined : 'can be entered by others';
}
