/** A file is replaced as a whole or not at all: written beside, then renamed over. */
import { randomUUID } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { inFolder, type Owner } from './owner.ts';

/**
 * `beside`: a folder on the same file system for the half-written file. `mode` holds whatever the umask. `owner`: by
 * default whoever we are; where there is one, `beside` is the folder of the file itself, and a real path.
 */
export async function writeAtomically(
  path: string,
  content: string | Uint8Array,
  { mode, beside, owner }: { mode: number; beside: string; owner?: Owner },
): Promise<void> {
  if (!owner) return write(path, content, { mode, beside });
  await inFolder(beside, (folder) => write(join(folder, basename(path)), content, { mode, beside: folder, owner }));
}

/** A file that is not there yet, whole or not at all. `isDurable`: on the disk itself when this resolves. */
export async function writeNew(
  path: string,
  content: string | Uint8Array,
  { mode, owner, isDurable = false }: { mode: number; owner?: Owner; isDurable?: boolean },
): Promise<void> {
  try {
    const handle = await open(path, 'wx', 0o600);
    try {
      await handle.writeFile(content);
      if (owner) await handle.chown(owner.uid, owner.gid);
      await handle.chmod(mode);
      if (isDurable) await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
}

async function write(
  path: string,
  content: string | Uint8Array,
  { mode, beside, owner }: { mode: number; beside: string; owner?: Owner },
): Promise<void> {
  const temporary = `${beside}/.${randomUUID()}.codex-lsp`;
  await writeNew(temporary, content, { mode, owner });
  try {
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
