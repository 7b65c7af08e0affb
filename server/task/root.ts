/** Which folders a task may have as its workspace. */
import { homedir } from 'node:os';
import { relative } from 'node:path';
import { Refusal } from './refusal.ts';

/** `inner` is `outer` or lies in it. Both absolute. */
export function contains(outer: string, inner: string): boolean {
  const path = relative(outer, inner);
  return path === '' || (path !== '..' && !path.startsWith('../'));
}

/** Throws `noWorkspace` for a folder that holds more than a project. */
export function assertWorkspace(root: string, stateDir: string, home: string = homedir()): void {
  const why = unfit(root, stateDir, home);
  if (why) throw new Refusal('noWorkspace', `${root} ${why}: open the folder of a project instead.`, { root });
}

function unfit(root: string, stateDir: string, home: string): string | undefined {
  if (root === '/') return 'is the whole file system';
  if (contains(root, home)) return root === home ? 'is your home folder' : 'contains your home folder';
  if (contains(root, stateDir)) return 'contains the state folder of codex-lsp';
  return undefined;
}
