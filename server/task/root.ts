/** Which folders a task may have as its workspace. */
import { realpath, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname } from 'node:path';
import { type Workspace, workspaceOf } from '../protocol/folders.ts';
import { isInside } from '../protocol/path-inside.ts';
import { homeOf } from '../sandbox/identity.ts';
import { Refusal } from './refusal.ts';

type Kept = {
  /** Of codex-lsp, a real path. */
  stateDir: string;
  /** The user's home folder. */
  home: string;
};

/** `inner` is `outer` or lies in it. Both absolute. */
export const contains = (outer: string, inner: string): boolean => isInside(inner, outer);

/**
 * Why a folder holds more than a project, as a sentence; undefined where it may be a workspace. By the text of the paths:
 * all are real ones. `ownersHome`: of whoever owns the folder.
 */
export function unfitRoot(
  root: string,
  { stateDir, home, ownersHome }: Kept & { ownersHome?: string },
): string | undefined {
  const why = unfit(root, { stateDir, home, ownersHome });
  return why && `No task may work in ${root}, for it ${why}. Open the folder of one project instead.`;
}

/** The same, with home folders looked up: of the user, and of the folder's owner. `root`: a real path. */
export async function unfitWorkspace(root: string, { stateDir, home }: Kept): Promise<string | undefined> {
  const owner = await stat(root).catch(() => undefined);
  const ownersHome = owner && (await homeOf(owner.uid));
  return unfitRoot(root, { stateDir, home: await realpath(home).catch(() => home), ownersHome });
}

/** Of one task; each is an overlay of its own. */
const foldersMax = 16;

/**
 * What a task has that is delegated from the folder `first` of an editor that has others open too, all real paths: those
 * that may be a workspace, and belong to whom the first belongs to. `leftOut`: a sentence for each of the rest.
 */
export async function fitBeside(
  first: string,
  others: readonly string[],
  kept: Kept,
): Promise<{ workspace: Workspace; leftOut: string[] }> {
  const owner = (await stat(first).catch(() => undefined))?.uid;
  const fit: string[] = [];
  const leftOut: string[] = [];
  for (const folder of others) {
    const status = await stat(folder).catch(() => undefined);
    const why = status?.isDirectory()
      ? ((await unfitWorkspace(folder, kept)) ?? (status.uid === owner ? undefined : 'It belongs to another user.'))
      : 'There is no such folder.';
    if (why === undefined && workspaceOf(first, [...fit, folder]).folders?.length === foldersMax + 1) {
      leftOut.push(`${folder} is left out of this task: it can have ${foldersMax} folders.`);
    } else if (why === undefined) fit.push(folder);
    else leftOut.push(`${folder} is left out of this task. ${why}`);
  }
  return { workspace: workspaceOf(first, fit), leftOut };
}

/** Throws `noWorkspace` where the folder is unfit. */
export async function assertWorkspace(root: string, stateDir: string): Promise<void> {
  const why = await unfitWorkspace(root, { stateDir, home: homedir() });
  if (why) throw new Refusal('noWorkspace', why, { root });
}

function unfit(root: string, { stateDir, home, ownersHome }: Kept & { ownersHome?: string }): string | undefined {
  if (dirname(root) === root) return 'is the whole file system';
  if (contains(root, home)) return root === home ? 'is your home folder' : 'holds your home folder';
  if (ownersHome !== undefined && contains(root, ownersHome)) {
    return root === ownersHome ? "is its owner's home folder" : "holds its owner's home folder";
  }
  if (contains(root, stateDir)) return `holds codex-lsp's own state (${stateDir})`;
  return undefined;
}
