/** Where git would be led in a tree that stands at a path of its own: never out of it, to a repository of the user's. */
import type { BigIntStats } from 'node:fs';
import { readlink } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { isInside } from '../protocol/path-inside.ts';
import { readSmallFile } from './bounded-file.ts';
import { worktreeIn } from './external-git.ts';
import type { Layers } from './layers.ts';
import { joined, parentOf } from './paths.ts';

const pointerBytesMax = 4096;
const configBytesMax = 1024 ** 2;

/** `tree`: absolute; `pointer`: what the file `.git` at the top says there, where a copy of the folder it names is. */
export type GitWays = { layers: Layers; tree: string; pointer?: string };

/** What stands at a path whose name is `.git`. */
export type GitAt = { kind: 'asItIs' } | { kind: 'pointer'; text: string } | { kind: 'nothing'; problem: string };

/** `from`: absolute, what would be copied there; a folder is judged by what it holds in the layers. */
export async function gitAt(path: string, from: string, status: BigIntStats, ways: GitWays): Promise<GitAt> {
  const { tree, pointer } = ways;
  if (path === '.git' && status.isFile() && pointer !== undefined) return { kind: 'pointer', text: pointer };
  const lead = status.isDirectory() ? path : await leadOf(path, from, status, ways);
  if (lead === undefined) return { kind: 'asItIs' };
  const isOut = lead.startsWith('/') || (await leadsOut(lead, ways));
  if (!isOut) return { kind: 'asItIs' };
  return {
    kind: 'nothing',
    problem: `git does not work in the copy at ${join(tree, parentOf(path))}: ${path} leads to a folder that is not in the copy.`,
  };
}

/** Relative to the tree where it lies there, else absolute; nothing where git would not follow it. */
async function leadOf(path: string, from: string, status: BigIntStats, { tree }: GitWays): Promise<string | undefined> {
  const named = status.isSymbolicLink()
    ? await readlink(from).catch(() => undefined)
    : /^gitdir: (.+)$/m.exec(await textOf(from, pointerBytesMax))?.[1]?.trim();
  if (named === undefined) return undefined;
  const lead = resolve(tree, parentOf(path), named);
  return isInside(lead, tree) ? relative(tree, lead) : lead;
}

/** Whether a git folder of the tree names others outside of it. */
async function leadsOut(folder: string, { layers, tree }: GitWays): Promise<boolean> {
  const isOut = (named: string | undefined) =>
    named !== undefined && named !== '' && !isInside(resolve(tree, folder, named), tree);
  const read = async (name: string, bytesMax: number) => {
    const path = joined(folder, name);
    const located = await layers.locate(path);
    if (located.in === 'nowhere') return '';
    return textOf(located.in === 'upper' ? layers.upper(path) : layers.lower(path), bytesMax);
  };
  if (isOut((await read('commondir', pointerBytesMax)).trim())) return true;
  for (const name of ['config', 'config.worktree'])
    if (isOut(worktreeIn(await read(name, configBytesMax)))) return true;
  return false;
}

/**
 * For a linked worktree whose `folder` (absolute, real) lies in the git folder `root` outside the workspace, of which
 * `tree` is the copy. Nothing where the copy would lead git back to the user's.
 */
export async function pointerInto(
  folder: string | undefined,
  { root, tree }: { root: string; tree: string },
): Promise<string | undefined> {
  if (folder === undefined || folder === root || !isInside(folder, root)) return undefined;
  const copied = join(tree, relative(root, folder));
  const common = (await textOf(join(copied, 'commondir'), pointerBytesMax)).trim();
  const hasTree = worktreeIn(await textOf(join(copied, 'config.worktree'), configBytesMax)) !== undefined;
  return resolve(copied, common) === tree && !hasTree ? `gitdir: ${copied}\n` : undefined;
}

const textOf = async (path: string, bytesMax: number): Promise<string> =>
  (await readSmallFile(path, bytesMax))?.toString('utf8') ?? '';
