/** Which workspace-relative paths may be read, written or shown at all; pure. */
import { isGitName } from '../changeset/path-rules.ts';

const pathBytesMax = 4095;
const componentBytesMax = 255;
/** Of an absolute path in a copy; some names more have to fit into what the kernel takes (4096). */
const copyPathBytesMax = 3000;

/** Kept by us inside the workspace; no command sees it, and no change ever names it. */
export const ownFolder = '.codex/local';

/** What is wrong with a path from outside, as the end of a sentence; nothing where it is a safe relative path. */
export function pathProblem(path: string): string | undefined {
  if (path === '') return 'is empty';
  if (path.startsWith('/')) return 'is absolute; give it relative to the workspace';
  if (path.includes('\0')) return 'holds a NUL';
  if (Buffer.byteLength(path) > pathBytesMax) return 'is too long';
  for (const component of path.split('/')) {
    if (component === '..') return 'leaves its folder with ".."';
    if (component === '' || component === '.') return 'has an empty part or a "."';
    if (Buffer.byteLength(component) > componentBytesMax) return 'has a part that is too long';
    if (isGitName(component)) return 'lies in .git';
  }
  return isOwn(path) ? `lies in ${ownFolder}` : undefined;
}

/** What lies deeper in a copy is looked at by nobody, and kept by no one. `file` is absolute. */
export const isTooDeep = (file: string): boolean => Buffer.byteLength(file) > copyPathBytesMax;

export const isOwn = (path: string): boolean => path === ownFolder || path.startsWith(`${ownFolder}/`);

/** Never part of a changeset, at any depth. */
export const isHidden = (path: string): boolean => isOwn(path) || path.split('/').some(isGitName);

/** `''` for a path at the top. */
export const parentOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')));

/** Every folder above a path, from the top down, without `''`. */
export function parentsOf(path: string): string[] {
  const components = path.split('/');
  return components.slice(1).map((_, index) => components.slice(0, index + 1).join('/'));
}

export const joined = (folder: string, name: string): string => (folder === '' ? name : `${folder}/${name}`);
