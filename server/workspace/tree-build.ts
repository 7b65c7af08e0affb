/** Brings a tree to what was planned. What is made true is written down at once: it may be broken off at any step. */
import type { BigIntStats } from 'node:fs';
import { chmod, lutimes, mkdir, readlink, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { inBatches } from './batches.ts';
import { copyRegularFile } from './copy-file.ts';
import { give, type Owner, withFile } from './owner.ts';
import { parentOf } from './paths.ts';
import { removeTree } from './remove-tree.ts';
import { codeOf, stampOf, statusOf } from './snapshot.ts';
import type { TreeItem } from './tree-manifest.ts';
import type { Plan, Step } from './tree-plan.ts';

/** A file system's clock stands still for so long: what is written within it leaves no trace in the times. */
const clockTickMs = 20;
/** Of a file of the user, on a file system that may be another machine's. */
const youngMs = 50;
/** Of copying a file that is replaced meanwhile. */
const triesMax = 3;

/** A tree that is not what its manifest says, so that it must be made anew. */
export class TreeDamaged extends Error {}

/** `items`: what the tree holds; kept true at every step. Throws where the signal fires. */
export async function buildTree(options: {
  tree: string;
  items: Map<string, TreeItem>;
  plan: Plan;
  owner: Owner | undefined;
  signal?: AbortSignal;
  onPlaced?: (done: number, total: number) => void;
}): Promise<void> {
  const { tree, items, plan, owner, signal, onPlaced } = options;
  const checked = new Set<string>();
  let done = 0;

  /** No link may stand for a folder: what is written in it would lie somewhere else. */
  const checkFolder = async (path: string): Promise<void> => {
    if (checked.has(path)) return;
    if (path !== '') await checkFolder(parentOf(path));
    if (!(await statusOf(join(tree, path)))?.isDirectory()) throw new TreeDamaged(`${path} of the tree is no folder`);
    checked.add(path);
  };

  const clear = async (path: string): Promise<void> => {
    const file = join(tree, path);
    items.delete(path);
    if (checked.delete(path)) {
      for (const folder of checked) if (folder.startsWith(`${path}/`)) checked.delete(folder);
    }
    if (await statusOf(file)) await removeTree(file);
  };

  const place = async (step: Step): Promise<void> => {
    const { path, item } = step;
    const file = join(tree, path);
    await checkFolder(parentOf(path));
    const isFolder =
      item.kind === 'folder' && (await statusOf(file))?.isDirectory() && items.get(path)?.kind !== 'link';
    if (!isFolder) await clear(path);
    if (item.kind === 'folder') {
      if (!isFolder) await mkdir(file);
      await chmod(file, item.mode);
      await give(file, owner);
      items.set(path, item);
    } else if (item.kind === 'link') {
      if (item.as === 'symlinks') await symlink(step.from, file);
      else await mkdir(file);
      await give(file, owner);
      items.set(path, item);
    } else if (item.kind === 'pointer') {
      await writeFile(file, item.text, { flag: 'wx' });
      await give(file, owner);
      items.set(path, item);
    } else {
      const source = await copyInto(file, step, owner);
      const status = source === undefined ? undefined : await statusOf(file);
      if (source !== undefined && status) {
        const heldBytes = item.source.startsWith('lower:') ? Number(status.blocks) * 512 : undefined;
        items.set(path, { kind: item.kind, source, stamp: stampOf(status), heldBytes });
      }
    }
    onPlaced?.(++done, plan.steps.length);
  };

  const gone = [...items.keys()].filter((path) => !plan.paths.has(path));
  const isGone = new Set(gone);
  for (const path of gone) {
    signal?.throwIfAborted();
    if (isGone.has(parentOf(path))) items.delete(path);
    else {
      await checkFolder(parentOf(path));
      await clear(path);
    }
  }
  const isFile = ({ item }: Step) => item.kind === 'file' || item.kind === 'symlink';
  for (const step of plan.steps.filter((step) => !isFile(step))) {
    signal?.throwIfAborted();
    await place(step);
  }
  // Nothing may still be at work when this ends, whatever it ends with.
  const failures: unknown[] = [];
  await inBatches(plan.steps.filter(isFile), async (step) => {
    if (failures.length > 0 || signal?.aborted) return;
    await place(step).catch((error) => failures.push(error));
  });
  if (failures.length > 0) throw failures[0];
  signal?.throwIfAborted();
  if (plan.steps.length > 0) await delay(clockTickMs);
}

/** The stamp of what was copied, or '' where it may have changed in the same moment; nothing where it has gone. */
async function copyInto(file: string, step: Step, owner: Owner | undefined): Promise<string | undefined> {
  const { from, item } = step;
  if (item.kind !== 'file' && item.kind !== 'symlink') return undefined;
  if (step.isClosed) return closedFile(file, item.source, owner);
  // What root may read is not theirs to copy: it must stay the file that was found to be readable for them.
  const isTheirs = owner !== undefined && item.source.startsWith('lower:');
  let looked: BigIntStats | undefined = step.status;
  for (let tries = 0; tries < triesMax && looked; tries++) {
    const startedAtMs = Date.now();
    try {
      const status = looked;
      const copy = (source: string) => copyRegularFile(source, file, { status, owner });
      if (item.kind === 'file') await (isTheirs ? withFile(from, status, copy) : copy(from));
      else await copyLink(from, file, looked, owner);
    } catch (error) {
      const code = codeOf(error);
      await removeTree(file);
      if (code === 'EACCES' || code === 'EPERM') return closedFile(file, item.source, owner);
      if (code === 'ENOENT' || code === 'EINVAL' || code === 'ENOTDIR' || code === 'ELOOP') return undefined;
      throw error;
    }
    const status = await statusOf(from);
    if (status?.ino === looked.ino && status.dev === looked.dev && status.mode === looked.mode) {
      const isYoung = item.source.startsWith('lower:') && startedAtMs - Number(status.ctimeNs / 1_000_000n) < youngMs;
      return isYoung || stampOf(status) !== stampOf(step.status) ? '' : item.source;
    }
    // Whatever stood there, perhaps a link to something else, was not what was looked at.
    await removeTree(file);
    looked = status?.isFile() && item.kind === 'file' && !isTheirs ? status : undefined;
  }
  return undefined;
}

async function copyLink(from: string, file: string, status: BigIntStats, owner: Owner | undefined): Promise<void> {
  await symlink(await readlink(from, { encoding: 'buffer' }), file);
  await lutimes(file, Number(status.atimeNs) / 1e9, Number(status.mtimeNs) / 1e9);
  await give(file, owner);
}

async function closedFile(file: string, source: string, owner: Owner | undefined): Promise<string> {
  await writeFile(file, '', { mode: 0o000, flag: 'wx' });
  await give(file, owner);
  return source;
}
