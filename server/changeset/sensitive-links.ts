/** Where a symbolic link leads, by its text alone: nobody knows what its target is when it is followed. */
import { isGitName, plainName } from './path-rules.ts';

/** How a path is looked up among `links`: file systems that fold case follow a link under any. */
export const linkKey = (path: string): string => path.split('/').map(plainName).join('/');

/** Why "all" should leave the link out, as a short phrase; undefined if it stays among the workspace's files. */
export function linkReason(path: string, target: string, links: ReadonlySet<string>): string | undefined {
  if (/^(?:[\\/]|[A-Za-z]:)/.test(target)) return linkOut;
  const at = path.split('/').slice(0, -1);
  let descended = false;
  for (const name of target.split(/[\\/]/)) {
    if (name === '' || name === '.') continue;
    if (name === '..') {
      // What it is the parent of is known only when the link is followed.
      if (descended) return winding;
      if (at.pop() === undefined) return linkOut;
      continue;
    }
    descended = true;
    if (isGitName(name)) return linkOut;
    at.push(name);
    if (links.has(linkKey(at.join('/')))) return winding;
  }
  return at.some(isGitName) ? linkOut : undefined;
}

export const linkOut = 'symbolic link out of the workspace';
const winding = 'symbolic link that may lead out of the workspace';
