/** Files written for the user to read or to fill in: where they live, and how the editor is asked to show one. */
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Session } from './session.ts';
import { uriOf, within } from './uri.ts';

/** Hidden from git by its own `.gitignore`, and from the agent by the copy. */
const localFolder = join('.codex', 'local');
const showTimeoutMs = 5_000;

/**
 * A folder for such files, made if need be: inside the workspace for editors that serve only what is there,
 * else `outside`. A workspace that can't be written, or whose `.codex` leads elsewhere, gets `outside` as well.
 */
export async function folderFor(session: Session, root: string, name: string, outside: string): Promise<string> {
  if (session.profile.documentsInWorkspace) {
    try {
      const local = join(root, localFolder);
      const parent = dirname(local);
      // Looked at first: not even a folder is made where a link leads.
      if ((await realpath(parent).catch(() => parent)) !== parent) throw new Error(`${parent} leads elsewhere`);
      await mkdir(local, { recursive: true });
      if ((await realpath(local)) === local) {
        await writeFile(join(local, '.gitignore'), '*\n', { flag: 'wx' }).catch(ignoreExisting);
        const folder = join(local, name);
        await mkdir(folder, { recursive: true });
        if ((await realpath(folder)) === folder) return folder;
      }
    } catch {
      // Not writable, or not what it seems.
    }
  }
  await mkdir(outside, { recursive: true });
  return outside;
}

/** Removes the folder of this name from the workspace's own folder for such files; never what a link leads to. */
export async function removeShown(root: string, name: string): Promise<void> {
  const folder = join(root, localFolder, name);
  if (dirname(folder) !== join(root, localFolder)) return;
  if ((await realpath(folder).catch(() => undefined)) === folder) await rm(folder, { recursive: true, force: true });
}

/** Where in a workspace's own folder for such files a path lies, `/` between names; undefined elsewhere. */
export const insideLocal = (root: string, path: string): string | undefined => within(join(root, localFolder), path);

/** The workspace a path under `.codex/local/` belongs to. */
export function rootOfLocal(path: string): string | undefined {
  const at = path.lastIndexOf(`/${localFolder.replaceAll('\\', '/')}/`);
  return at > 0 ? path.slice(0, at) : undefined;
}

/** Whole or not at all; nothing is written where the text is there already. */
export async function writeShown(path: string, text: string): Promise<void> {
  if ((await readFile(path, 'utf8').catch(() => undefined)) === text) return;
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(temporary, text);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Asks the editor to show the file, and does not wait for it. Answers the URI the editor knows it by. */
export function show(
  session: Session,
  path: string,
  { takeFocus, line }: { takeFocus: boolean; line?: number } = { takeFocus: true },
): string {
  const uri = session.documents.at(path)?.uri ?? session.folders.uriFor(path) ?? uriOf(path);
  if (session.profile.showDocument) {
    // Whether it was shown is seen by the user; the path is in the message beside this in any case.
    const place = line === undefined ? undefined : { line, character: 0 };
    const selection = place && { start: place, end: place };
    void session.client.request('window/showDocument', { uri, takeFocus, selection }, { timeoutMs: showTimeoutMs });
  }
  return uri;
}

function ignoreExisting(error: unknown): void {
  if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
}
