/** Renames a folder whatever permissions are left in it: its own entry for its parent has to be written. */
import { chmod, lstat, rename } from 'node:fs/promises';
import { codeOf } from './snapshot.ts';

/** Keeps the mode; throws where it can't be moved. */
export async function move(from: string | Buffer, to: string | Buffer): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    const status = codeOf(error) === 'EACCES' ? await lstat(from) : undefined;
    if (!status?.isDirectory()) throw error;
    await chmod(from, 0o700);
    await rename(from, to);
    await chmod(to, status.mode & 0o777);
  }
}
