/** A file is replaced as a whole or not at all: written beside, then renamed over. */
import { randomUUID } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';

/** `beside`: a folder on the same file system for the half-written file. `mode` holds whatever the umask. */
export async function writeAtomically(
  path: string,
  content: string | Uint8Array,
  { mode, beside }: { mode: number; beside: string },
): Promise<void> {
  const temporary = `${beside}/.${randomUUID()}.codex-lsp`;
  try {
    const handle = await open(temporary, 'wx', 0o600);
    try {
      await handle.writeFile(content);
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
