/** Which paths of a workspace the agent's work may have at all. */

/** Characters that HFS+ ignores in names: `.g\u200cit` is `.git` there. */
const ignorable = /[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g;

/** Whether a component of the path is git's folder, under any spelling that some file system takes for it. */
export const isGitPath = (path: string): boolean =>
  path.split('/').some((name) => {
    const plain = name.replace(ignorable, '').toLowerCase();
    return /^(?:\.git|git~\d+)(?:[. ]*|:.*)$/.test(plain);
  });

/** The server's own documents in the workspace: hidden from the agent. */
export const isOwnPath = (path: string): boolean => /^\.codex\/local(?:\/|$)/i.test(path);

/** `./a//b/` as `a/b`. Does not resolve `..`. */
export const normalPath = (path: string): string =>
  (path.startsWith('/') ? '/' : '') +
  path
    .split('/')
    .filter((name) => name !== '' && name !== '.')
    .join('/');

/** Why a normal path may not be patched, as the rest of a sentence; undefined if it may. */
export function refusalOf(path: string): string | undefined {
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
export const foldersOf = (path: string): string[] =>
  path
    .split('/')
    .slice(0, -1)
    .map((_, index, names) => names.slice(0, index + 1).join('/'));
