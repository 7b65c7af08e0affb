/** Where one absolute path lies as seen from another, by their text alone; links are not looked at. */
import { isAbsolute, relative, sep } from 'node:path';

/**
 * `path` as seen from `folder`, with `/`; empty for the folder itself, undefined where it lies outside or one of them is
 * not absolute. Names are compared as they are: another case or another Unicode form is another name.
 */
export function within(folder: string, path: string): string | undefined {
  if (!isAbsolute(folder) || !isAbsolute(path)) return undefined;
  const inside = relative(folder, path);
  if (inside === '..' || inside.startsWith(`..${sep}`) || isAbsolute(inside)) return undefined;
  return sep === '/' ? inside : inside.replaceAll(sep, '/');
}

/** Whether a path is the folder or lies in it. */
export const isInside = (path: string, folder: string): boolean => within(folder, path) !== undefined;
