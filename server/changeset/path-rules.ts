/** Which paths of a workspace the agent's work may have at all. */

/** Of a whole path and of each name in it: what Linux takes. */
const pathBytesMax = 4095;
const nameBytesMax = 255;
/** Names in one path. Every folder of a path is looked at before a patch is applied. */
const pathNamesMax = 100;

/** Characters that HFS+ ignores in names: `.g\u200cit` is `.git` there. */
const ignorable = /[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g;

/** A name as the most lenient file system compares it: without case, and without what it ignores. */
export const plainName = (name: string): string => name.replace(ignorable, '').toLowerCase();

/**
 * Whether a name is that of git's folder, under any spelling that some file system takes for it: case, what HFS+ ignores,
 * and of Windows the short name, dots and spaces at the end, a stream after `:`, and `\\` for `/`.
 */
export const isGitName = (name: string): boolean =>
  plainName(name)
    .split('\\')
    .some((part) => /^(?:\.git|\.?git~\d+)[. ]*(?::.*)?$/s.test(part));

export const isGitPath = (path: string): boolean => path.split('/').some(isGitName);

/** The server's own documents in the workspace: hidden from the agent. */
export const isOwnPath = (path: string): boolean => /^\.codex\/local(?:\/|$)/i.test(path);

/** `./a//b/` as `a/b`. Does not resolve `..`. */
export const normalPath = (path: string): string =>
  (path.startsWith('/') ? '/' : '') +
  path
    .split('/')
    .filter((name) => name !== '' && name !== '.')
    .join('/');

/** Why a path is too long to be looked at, as the rest of a sentence. */
export function lengthRefusalOf(path: string): string | undefined {
  if (path.length > pathBytesMax || Buffer.byteLength(path) > pathBytesMax) {
    return `is longer than ${pathBytesMax} bytes`;
  }
  const names = path.split('/');
  if (names.length > pathNamesMax) return `has more than ${pathNamesMax} parts`;
  if (names.some((name) => Buffer.byteLength(name) > nameBytesMax)) {
    return `has a part that is longer than ${nameBytesMax} bytes`;
  }
  return undefined;
}

/** Why a normal path may not be patched, as the rest of a sentence; undefined if it may. */
export function refusalOf(path: string): string | undefined {
  const tooLong = lengthRefusalOf(path);
  if (tooLong !== undefined) return tooLong;
  if (path === '') return 'is empty';
  if (path.includes('\0')) return 'contains a NUL character';
  if (path.startsWith('/') || /^[A-Za-z]:[\\/]/.test(path)) {
    return 'is absolute; write it relative to the root of the workspace';
  }
  if (path.split('/').includes('..')) return 'contains `..`; write it relative to the root of the workspace';
  if (isGitPath(path)) return "is git's own; use git commands";
  if (isOwnPath(path)) return 'is kept by the editor integration';
  return undefined;
}

/** The folders a path stands in: `a/b/c` → `a`, `a/b`. */
export function foldersOf(path: string): string[] {
  const folders: string[] = [];
  for (let end = path.indexOf('/'); end !== -1; end = path.indexOf('/', end + 1)) folders.push(path.slice(0, end));
  return folders;
}
