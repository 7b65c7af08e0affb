/** The folders of a copy as one list, whether the workspace has one or several; pure. */
import type { Workspace } from '../protocol/folders.ts';
import type { CopyLayers, CopyTree, FolderLayers } from './types.ts';

/** A whole copy, at `path`, of the folder `root`. */
export type FolderTree = Pick<CopyTree, 'path' | 'beside' | 'held'> & { root: string; links?: readonly string[] };

/** What the user has open: the folders that stand in the sandbox, the git folders outside of them left aside. */
export const workspaceIn = ({ root, others = [] }: CopyLayers): Workspace =>
  others.length === 0 ? { root } : { root, folders: [root, ...others.map((other) => other.root)] };

/** Every layer there is, those of git folders outside the workspace too. */
export const allLayers = (layers: CopyLayers): FolderLayers[] =>
  [layers, ...(layers.others ?? [])].flatMap((each) => [each, ...(each.beside ?? [])]);

/** One for each folder of the workspace. */
export const treesOf = ({ root }: CopyLayers, tree: CopyTree): FolderTree[] => [
  { ...tree, root },
  ...(tree.others ?? []),
];

/** Every folder that holds a part of a whole copy; absolute. */
export const pathsOf = (tree: CopyTree): string[] => everyTree(tree).map(({ path }) => path);

/** Those of git folders outside the workspace too. */
export const everyTree = (tree: CopyTree): Pick<CopyTree, 'path' | 'held'>[] =>
  [tree, ...(tree.others ?? [])].flatMap((each) => [each, ...(each.beside ?? [])]);
