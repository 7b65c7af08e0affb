/** Where a symbolic link leads, by its text alone: nobody knows what its target is when it is followed. */
import { isGitName, plainName } from './path-rules.ts';

/** How a path is looked up among `links`: file systems that fold case follow a link under any. */
export const linkKey = (path: string): string => path.split('/').map(plainName).join('/');

/**
 * `all`: the paths that are symbolic links after the agent's changes, each through `linkKey`. `folders`: all there is of
 * the workspace, where it has several.
 */
export type Links = { all: ReadonlySet<string>; folders?: readonly string[] };

export const noLinks: Links = { all: new Set() };

/** Why "all" should leave the link out, as a short phrase; undefined if it stays among the workspace's files. */
export function linkReason(path: string, target: string, { all, folders }: Links): string | undefined {
  if (/^(?:[\\/]|[A-Za-z]:)/.test(target)) return out;
  const at = path.split('/').slice(0, -1);
  let descended = false;
  for (const name of target.split(/[\\/]/)) {
    if (name === '' || name === '.') continue;
    if (name === '..') {
      // What it is the parent of is known only when the link is followed.
      if (descended) return winding;
      if (at.pop() === undefined) return out;
      continue;
    }
    descended = true;
    if (isGitName(name)) return out;
    at.push(name);
    if (all.has(linkKey(at.join('/')))) return winding;
  }
  const isInside = folders?.some((folder) => `${at.join('/')}/`.startsWith(`${folder}/`)) ?? true;
  return at.some(isGitName) || !isInside ? out : undefined;
}

const out = 'symbolic link out of the workspace';
const winding = 'symbolic link that may lead out of the workspace';
