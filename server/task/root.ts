/** Which folders a task may have as its workspace. */
import { homedir } from 'node:os';
import { dirname } from 'node:path';
import { isInside } from '../protocol/path-inside.ts';
import { Refusal } from './refusal.ts';

/** `inner` is `outer` or lies in it. Both absolute. */
export const contains = (outer: string, inner: string): boolean => isInside(inner, outer);

/** Why a folder holds more than a project, as a sentence; undefined where it may be a workspace. All are real paths. */
export function unfitRoot(root: string, { stateDir, home }: { stateDir: string; home: string }): string | undefined {
  const why = unfit(root, stateDir, home);
  return why && `No task may work in ${root}, for it ${why}. Open the folder of one project instead.`;
}

/** Throws `noWorkspace` where the folder is unfit. */
export function assertWorkspace(root: string, stateDir: string, home: string = homedir()): void {
  const why = unfitRoot(root, { stateDir, home });
  if (why) throw new Refusal('noWorkspace', why, { root });
}

function unfit(root: string, stateDir: string, home: string): string | undefined {
  if (dirname(root) === root) return 'is the whole file system';
  if (contains(root, home)) return root === home ? 'is your home folder' : 'holds your home folder';
  if (contains(root, stateDir)) return `holds codex-lsp's own state (${stateDir})`;
  return undefined;
}
