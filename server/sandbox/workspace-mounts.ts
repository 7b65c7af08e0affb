/** What stands at the workspace's own path, and beside it, for each strategy; as words for whoever mounts it; pure. */
import { join } from 'node:path';
import { holdsPath, type Workspace } from '../protocol/folders.ts';
import { type FolderTree, treesOf, workspaceIn } from './layers.ts';
import type { CopyLayers, CopyTree, FolderLayers } from './types.ts';

/** `at`: absolute, where it is seen. */
export type WorkspaceMount =
  /** The upper layer over what lies there. */
  | { kind: 'overlay'; at: string; upper: string; work: string }
  /** A whole tree from elsewhere; `links`, relative to both, are the user's own folders, read-only. */
  | { kind: 'tree'; at: string; from: string; links: readonly string[] }
  /** What lies there, read-only, and through an overlay: the kernel lets nobody connect to a socket in it. */
  | { kind: 'sealed'; at: string; empty: string };

/** `tree`: where the workspace is no overlay; beside it then stands what is copied too, and nothing of the user's own. Outer folders come before those that lie in them. */
export function workspaceMounts(layers: CopyLayers, tree: CopyTree | undefined): WorkspaceMount[] {
  const overlay = ({ root, upper, work }: FolderLayers): WorkspaceMount => ({ kind: 'overlay', at: root, upper, work });
  const bound = ({ root, path, links = [] }: FolderTree): WorkspaceMount => ({
    kind: 'tree',
    at: root,
    from: path,
    links,
  });
  const folders = [layers, ...(layers.others ?? [])];
  const inside = tree ? treesOf(layers, tree).map(bound) : folders.map(overlay);
  const beside = tree
    ? treesOf(layers, tree).flatMap((each) => (each.beside ?? []).map(bound))
    : folders.flatMap((each) => (each.beside ?? []).map(overlay));
  return [...inside, ...beside.filter(isNeeded(workspaceIn(layers)))].sort(outerFirst);
}

/** A git folder that lies in the workspace is in the copy of its folder already, and that of two worktrees is one. */
function isNeeded(workspace: Workspace): (mount: WorkspaceMount, index: number, all: WorkspaceMount[]) => boolean {
  return ({ at }, index, all) => !holdsPath(workspace, at) && all.findIndex((other) => other.at === at) === index;
}

export const outerFirst = (a: { at: string }, b: { at: string }): number =>
  a.at.split('/').length - b.at.split('/').length;

/** Words of bwrap, which mounts everything itself. */
export const mountedByBwrap = (mounts: readonly WorkspaceMount[], mode: { isReadOnly: boolean }): string[] =>
  mounts.flatMap((mount) => wordsOfBwrap(mount, mode));

function wordsOfBwrap(mount: WorkspaceMount, { isReadOnly }: { isReadOnly: boolean }): string[] {
  const { at } = mount;
  switch (mount.kind) {
    case 'overlay':
      return [
        ...['--overlay-src', at, '--overlay', mount.upper, mount.work, at],
        ...(isReadOnly ? ['--remount-ro', at] : []),
      ];
    case 'tree':
      return [
        ...[isReadOnly ? '--ro-bind' : '--bind', mount.from, at],
        ...mount.links.flatMap((link) => ['--ro-bind', join(at, link), join(at, link)]),
      ];
    case 'sealed':
      return ['--overlay-src', mount.empty, '--overlay-src', at, '--ro-overlay', at];
  }
}

/** Words of bwrap, where what comes before it has mounted everything at its own path. */
export const mountedBefore = (mounts: readonly WorkspaceMount[], { isReadOnly }: { isReadOnly: boolean }): string[] =>
  mounts.flatMap(({ kind, at }) => {
    const isWritable = !isReadOnly && (kind === 'overlay' || kind === 'tree');
    return [isWritable ? '--bind' : '--ro-bind', at, at];
  });

/** Words of the script in `stage.ts`. */
export const stageWords = (mounts: readonly WorkspaceMount[]): string[] => mounts.flatMap(wordsOfStage);

function wordsOfStage(mount: WorkspaceMount): string[] {
  const { at } = mount;
  switch (mount.kind) {
    case 'overlay':
      return ['overlay', at, mount.upper, mount.work];
    case 'tree':
      return ['tree', at, mount.from, String(mount.links.length), ...mount.links];
    case 'sealed':
      return ['sealed', at, mount.empty];
  }
}
