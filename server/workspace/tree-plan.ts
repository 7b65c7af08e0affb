/** What has to be done so that a tree holds what the layers of a copy hold together; nothing is written here. */
import type { BigIntStats } from 'node:fs';
import { isGitName } from '../changeset/path-rules.ts';
import { inBatches } from './batches.ts';
import type { Counted } from './counted.ts';
import { isWhiteout, type Layers } from './layers.ts';
import { namesIn } from './names.ts';
import type { Owner } from './owner.ts';
import { isHidden, isTooDeep, joined } from './paths.ts';
import { stampOf, statusOf } from './snapshot.ts';
import { type GitWays, gitAt } from './tree-git.ts';
import { ignoredInAllMax, ignoredMax, isPacked, type LinksAs, packedMax, type Size, sizeWithin } from './tree-links.ts';
import type { TreeItem } from './tree-manifest.ts';

const treeMax: Size = { entries: 400_000, bytes: 8 * 1024 ** 3 };

/** `from` is absolute; `isClosed`: whoever the commands run as may not read it, so it stands there empty and closed. */
export type Step = { path: string; from: string; status: BigIntStats; item: TreeItem; isClosed: boolean };

export type Plan = {
  /** Everything the tree is to hold. */
  paths: Set<string>;
  /** What it does not hold as it should, a folder before what lies in it. */
  steps: Step[];
  /** Folders of the user that stand for themselves. */
  links: string[];
  /** What it does not hold, and why, as sentences. */
  problems: string[];
};

type Folder = { path: string; hasUpper: boolean; showsLower: boolean };

/** Throws where the tree would hold too much, with a sentence, and where the signal fires. One look at each path. */
export async function planTree(options: {
  layers: Layers;
  counts: Counted;
  known: ReadonlyMap<string, TreeItem>;
  linksAs: LinksAs;
  /** Where the tree is not seen at the workspace's own path. */
  git?: GitWays;
  /** Entries in all, and bytes still to be copied. */
  max?: Size;
  signal?: AbortSignal;
}): Promise<Plan> {
  const { layers, counts, known, linksAs, git, max = treeMax, signal } = options;
  const plan: Plan = { paths: new Set(), steps: [], links: [], problems: [] };
  const ignored: Size = { entries: 0, bytes: 0 };
  let bytes = 0;

  const want = (path: string, from: string, status: BigIntStats, item: TreeItem, isClosed = false) => {
    plan.paths.add(path);
    const isThere = isLike(known.get(path), item);
    if (isThere) return;
    if (item.kind === 'file' && !isClosed && status.blocks > 0n) bytes += Number(status.size);
    plan.steps.push({ path, from, status, item, isClosed });
  };

  /** As a folder of the user that is not copied; nothing of the agent's lies in it. */
  const isLinked = async (path: string, isInIgnored: boolean): Promise<boolean> => {
    if (linksAs === 'copies' || isInIgnored) return false;
    if (isHidden(path) ? !isPacked(path) : await counts.folder(path)) return false;
    // It does not come and go with a few files more or less.
    if (known.get(path)?.kind === 'link') return true;
    if (isHidden(path)) return (await sizeWithin(layers.lower(path), packedMax)) === undefined;
    const size = await sizeWithin(layers.lower(path), ignoredMax);
    if (!size) return true;
    ignored.entries += size.entries;
    ignored.bytes += size.bytes;
    return ignored.entries > ignoredInAllMax.entries || ignored.bytes > ignoredInAllMax.bytes;
  };

  const folders: (Folder & { isIgnored: boolean })[] = [];
  const enter = async (folder: Folder, status: BigIntStats, isInIgnored: boolean) => {
    const { path, hasUpper } = folder;
    if (!hasUpper && linksAs !== 'copies' && (await isLinked(path, isInIgnored))) {
      want(path, layers.lower(path), status, { kind: 'link', as: linksAs });
      plan.links.push(path);
      return;
    }
    const mode = Number(status.mode & 0o777n) | 0o700;
    want(path, '', status, { kind: 'folder', mode, heldBytes: folder.showsLower ? 0 : undefined });
    const isClosed = !hasUpper && !isReadableBy(layers.owner, status, 0o5n);
    const isIgnored = isInIgnored || (!isHidden(path) && !(await counts.folder(path)));
    if (!isClosed) folders.push({ ...folder, isIgnored });
  };

  const look = async (name: string, inUpper: boolean, parent: Folder & { isIgnored: boolean }) => {
    const path = joined(parent.path, name);
    if (layers.pending.has(path) || isTooDeep(layers.upper(path))) return;
    const upper = inUpper ? await statusOf(layers.upper(path)) : undefined;
    if (upper && isWhiteout(upper)) return;
    const mayShowLower = parent.showsLower && (!upper || upper.isDirectory());
    const lower =
      mayShowLower && (!upper || !layers.isOpaque(path, upper)) ? await statusOf(layers.lower(path)) : undefined;
    const status = upper ?? lower;
    if (!status) return;
    const from = upper ? layers.upper(path) : layers.lower(path);
    if (git && isGitName(name)) {
      const standsThere = await gitAt(path, from, status, git);
      if (standsThere.kind === 'nothing') plan.problems.push(standsThere.problem);
      if (standsThere.kind === 'pointer') want(path, '', status, standsThere);
      if (standsThere.kind !== 'asItIs') return;
    }
    if (status.isDirectory()) {
      const folder = { path, hasUpper: upper !== undefined, showsLower: lower?.isDirectory() ?? false };
      return enter(folder, status, parent.isIgnored);
    }
    const source = `${upper ? 'upper' : 'lower'}:${stampOf(status)}`;
    if (status.isSymbolicLink()) want(path, from, status, { kind: 'symlink', source, stamp: '' });
    else if (status.isFile()) {
      const isClosed = !upper && !isReadableBy(layers.owner, status, 0o4n);
      want(path, from, status, { kind: 'file', source, stamp: '' }, isClosed);
    }
  };

  folders.push({ path: '', hasUpper: true, showsLower: true, isIgnored: false });
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    signal?.throwIfAborted();
    const parent = folder;
    const upperNames = new Set(parent.hasUpper ? await textNames(layers.upper(parent.path)) : []);
    const lowerNames = parent.showsLower ? await textNames(layers.lower(parent.path)) : [];
    const names = new Set([...upperNames, ...lowerNames]);
    if (plan.paths.size + names.size > max.entries) throw tooLarge(`${max.entries} files and folders`);
    await inBatches([...names], (name) => look(name, upperNames.has(name), parent));
    if (bytes > max.bytes) throw tooLarge(`${Math.floor(max.bytes / 1024 ** 2)} MiB`);
  }
  return plan;
}

const tooLarge = (than: string): Error =>
  new Error(
    `The workspace holds more than ${than} that are not ignored: too much for the whole copy that commands need here. What is not the project's can be named in .gitignore.`,
  );

/** Names that are not UTF-8 are in no tree. What can't be listed is empty. */
async function textNames(folder: string): Promise<string[]> {
  const names = await namesIn(folder, treeMax.entries).catch(() => []);
  return names.flatMap(({ text }) => text ?? []);
}

function isLike(known: TreeItem | undefined, wanted: TreeItem): boolean {
  if (!known || known.kind !== wanted.kind) return false;
  // Nobody looks at what a command has made of it.
  if (wanted.kind === 'pointer') return false;
  if (known.kind === 'folder') return wanted.kind === 'folder' && known.mode === wanted.mode;
  if (known.kind === 'link') return wanted.kind === 'link' && known.as === wanted.as;
  if (known.kind === 'pointer') return false;
  return wanted.kind === known.kind && known.source === wanted.source;
}

/** Root reads everything for a user who may not. `wanted`: permission bits, as for others. */
function isReadableBy(owner: Owner | undefined, status: BigIntStats, wanted: bigint): boolean {
  if (!owner) return true;
  const shift = status.uid === BigInt(owner.uid) ? 6n : status.gid === BigInt(owner.gid) ? 3n : 0n;
  return ((status.mode >> shift) & wanted) === wanted;
}
