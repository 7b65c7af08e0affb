/** A file is replaced as a whole or not at all: written beside, then renamed over. */
import { randomUUID } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { giveOpened, type Owner } from './owner.ts';

/**
 * `beside`: a folder (a real path, where there is an owner) on the same file system for the half-written file. `mode`
 * holds whatever the umask. `owner`: by default whoever we are.
 */
export async function writeAtomically(
  path: string,
  content: string | Uint8Array,
  { mode, beside, owner }: { mode: number; beside: string; owner?: Owner },
): Promise<void> {
  const temporary = `${beside}/.${randomUUID()}.codex-lsp`;
  try {
    const handle = await open(temporary, 'wx', 0o600);
    try {
      await handle.writeFile(content);
      await giveOpened(handle, temporary, owner);
      await handle.chmod(mode);
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
