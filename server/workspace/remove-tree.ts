/**
 * Deletes a folder whatever a command left in it: no permissions, names that are not UTF-8, folders so deep that no path
 * reaches them.
 */
import { randomUUID } from 'node:crypto';
import { chmod, lstat, rename, rmdir, unlink } from 'node:fs/promises';
import { inBatches } from './batches.ts';
import { namesIn, pathIn } from './names.ts';
import { codeOf } from './snapshot.ts';

/** Also a single file, or nothing. Throws where something is still there afterwards. */
export async function removeTree(path: string | Buffer): Promise<void> {
  if (await isFolder(path)) await removeFolder(path);
  else await unlink(path).catch(unlessGone);
}

/** Each folder two levels down is moved up by one, so that no path grows longer than two names below the top. */
async function removeFolder(top: string | Buffer): Promise<void> {
  const moved = `.${randomUUID()}.`;
  let count = 0;
  const removeOrMove = async (path: Buffer) => {
    if (!(await isFolder(path))) return unlink(path).catch(unlessGone);
    await chmod(path, 0o700);
    await rename(path, pathIn(top, `${moved}${count++}`));
  };
  await chmod(top, 0o700);
  for (let names = await namesIn(top); names.length > 0; names = await namesIn(top)) {
    await inBatches(names, async ({ bytes }) => {
      const path = pathIn(top, bytes);
      if (!(await isFolder(path))) return unlink(path).catch(unlessGone);
      await chmod(path, 0o700);
      await inBatches(await namesIn(path), (inner) => removeOrMove(pathIn(path, inner.bytes)));
      await rmdir(path).catch(unlessGone);
    });
  }
  await rmdir(top).catch(unlessGone);
}

async function isFolder(path: string | Buffer): Promise<boolean> {
  const status = await lstat(path).catch(unlessGone);
  return status?.isDirectory() ?? false;
}

function unlessGone(error: unknown): undefined {
  if (codeOf(error) !== 'ENOENT') throw error;
}
