/**
 * The git folder that lies outside the workspace: of a linked worktree or of a submodule that is opened by itself. Its
 * `.git` is only a file that names it, and anybody can write such a file; what counts is that the named folder names
 * this workspace too.
 */
import { realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { isInside } from '../protocol/path-inside.ts';
import { readSmallFile } from './bounded-file.ts';
import { namedGitFolder } from './git-folder.ts';

const configBytesMax = 1024 ** 2;
const pointerBytesMax = 4096;

/**
 * Absolute real path of the folder that holds all git needs: of a linked worktree, what it shares with the others.
 * `root`: the workspace, absolute real path. Nothing where `.git` is no such file, or where the folder is not this
 * workspace's own or lies within it.
 */
export async function externalGitFolder(root: string): Promise<string | undefined> {
  const folder = await namedGitFolder(root);
  if (folder === undefined) return undefined;
  const all = (await isOfWorktree(folder, root)) ? dirname(dirname(folder)) : folder;
  if (all === folder && !(await isOfSubmodule(folder, root))) return undefined;
  if (isInside(all, root) || isInside(root, all)) return undefined;
  const paths = [root, join(root, '.git'), folder, all];
  const owners = await Promise.all(paths.map(async (path) => (await stat(path).catch(() => undefined))?.uid));
  const isOneOwner = owners.every((owner) => owner !== undefined && owner === owners[0]);
  return isOneOwner && (await looksLikeGit(all)) ? all : undefined;
}

/** `<shared>/worktrees/<name>`, whose `gitdir` names our `.git`. */
async function isOfWorktree(folder: string, root: string): Promise<boolean> {
  const shared = await lineOf(join(folder, 'commondir'));
  const back = await lineOf(join(folder, 'gitdir'));
  if (shared === undefined || back === undefined) return false;
  const above = dirname(folder);
  if (basename(above) !== 'worktrees' || (await real(resolve(folder, shared))) !== dirname(above)) return false;
  const file = resolve(folder, back);
  return basename(file) === '.git' && (await real(dirname(file))) === root;
}

/** Whose `core.worktree` is our workspace. */
async function isOfSubmodule(folder: string, root: string): Promise<boolean> {
  if ((await lineOf(join(folder, 'commondir'))) !== undefined) return false;
  // With sparse checkout, git keeps it in a file of its own, which wins.
  for (const name of ['config.worktree', 'config']) {
    const worktree = worktreeIn((await readSmallFile(join(folder, name), configBytesMax))?.toString('utf8') ?? '');
    if (worktree !== undefined) return (await real(resolve(folder, worktree))) === root;
  }
  return false;
}

/** `core.worktree` of a git configuration; pure. */
export function worktreeIn(config: string): string | undefined {
  let section = '';
  let found: string | undefined;
  for (const line of config.split(/\r?\n/)) {
    section = /^\s*\[([^\]]*)\]/.exec(line)?.[1]?.trim().toLowerCase() ?? section;
    const value = /^\s*(?:\[[^\]]*\]\s*)?worktree\s*=\s*(.*?)\s*$/i.exec(line)?.[1];
    if (section === 'core' && value !== undefined) found = value;
  }
  return found?.startsWith('"') ? found.slice(1, -1).replace(/\\(["\\])/g, '$1') : found;
}

/** As git tells one. */
async function looksLikeGit(folder: string): Promise<boolean> {
  const status = (name: string) => stat(join(folder, name)).catch(() => undefined);
  const [head, objects, refs] = await Promise.all([status('HEAD'), status('objects'), status('refs')]);
  return Boolean(head?.isFile() && objects?.isDirectory() && refs?.isDirectory());
}

async function lineOf(path: string): Promise<string | undefined> {
  const text = (await readSmallFile(path, pointerBytesMax))?.toString('utf8').trim();
  return text === '' ? undefined : text;
}

const real = (path: string): Promise<string | undefined> => realpath(path).catch(() => undefined);
