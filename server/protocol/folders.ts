/** Several folders as one workspace: the folder around them, which paths are relative to, and what lies in them; pure. */
import { dirname } from 'node:path';
import { isInside, within } from './path-inside.ts';

/**
 * `root`: absolute; paths of the workspace are relative to it. `folders`: absolute, all there is of the workspace, none in
 * another; left out where that is the root itself. Commands start in the first.
 */
export type Workspace = { root: string; folders?: readonly string[] };

export const foldersOf = ({ root, folders }: Workspace): readonly string[] => folders ?? [root];

/** Where commands start, and where what is shown to the user is kept. */
export const homeFolderOf = ({ root, folders }: Workspace): string => folders?.[0] ?? root;

/** Whether an absolute path is one of the workspace's folders, or lies in one. */
export const holdsPath = (workspace: Workspace, path: string): boolean =>
  foldersOf(workspace).some((folder) => isInside(path, folder));

/** A path of the workspace, as relative to its root; undefined for one that lies outside, and for one around its folders. */
export const pathIn = (workspace: Workspace, path: string): string | undefined =>
  holdsPath(workspace, path) ? within(workspace.root, path) : undefined;

/** `first`: the one that is worked from. A folder that lies in another is part of that one. All real paths. */
export function workspaceOf(first: string, others: readonly string[] = []): Workspace {
  const all = [...new Set([first, ...others])];
  const outer = all.filter((folder) => !all.some((other) => other !== folder && isInside(folder, other)));
  const home = outer.find((folder) => isInside(first, folder)) ?? first;
  const folders = [home, ...outer.filter((folder) => folder !== home)];
  return folders.length === 1 ? { root: home } : { root: folderAround(folders), folders };
}

/** The closest folder that holds all of these, none of which lies in another. */
function folderAround(folders: readonly string[]): string {
  let around = dirname(folders[0] ?? '/');
  while (!folders.every((folder) => isInside(folder, around))) around = dirname(around);
  return around;
}
