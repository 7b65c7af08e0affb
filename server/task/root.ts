/** Which folders a task may have as its workspace. */
import { realpath, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname } from 'node:path';
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
