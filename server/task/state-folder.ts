/** The folder that everything of codex-lsp's own is kept in. */
import { mkdir, realpath } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Makes it, private to the user, and answers its real path. Throws a sentence where it can't be made. Level by level:
 * where a level can't be made for a reason such as that of /proc, Node's own recursion never ends.
 */
export async function openStateFolder(path: string): Promise<string> {
  await make(path).catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(
      `the state folder ${path} cannot be made (${why}); set CODEX_LSP_STATE_DIR to a folder of your own.`,
    );
  });
  return realpath(path);
}

async function make(path: string): Promise<void> {
  const code = await attempt(path);
  if (code === undefined) return;
  if (code !== 'ENOENT' || dirname(path) === path) throw new Error(code);
  await make(dirname(path));
  const again = await attempt(path);
  if (again !== undefined) throw new Error(again);
}

/** Undefined: it is there now. Else why not. */
async function attempt(path: string): Promise<string | undefined> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    return code === 'EEXIST' ? undefined : code;
  }
  return undefined;
}
