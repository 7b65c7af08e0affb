/** What one path holds, as a value: in the copy, in the base, or as the user has it now. */

export type FileState =
  | { kind: 'absent' }
  /** Valid UTF-8. A byte order mark is the text's first character; line ends are as in the file. */
  | { kind: 'text'; text: string; mode: number }
  /** Not UTF-8, or larger than a text may be. Equal when hash and mode are. */
  | { kind: 'binary'; hash: string; size: number; mode: number }
  | { kind: 'symlink'; target: string }
  /** A socket, fifo or device: reported, never applied. */
  | { kind: 'other'; what: string };

export const absent: FileState = { kind: 'absent' };

/** Only the executable bit of a mode is the project's: 0o644 or 0o755, as in git. */
export const gitMode = (mode: number): 0o644 | 0o755 => (mode & 0o111 ? 0o755 : 0o644);

export function sameState(a: FileState, b: FileState): boolean {
  if (a.kind === 'text') return b.kind === 'text' && a.text === b.text && gitMode(a.mode) === gitMode(b.mode);
  if (a.kind === 'binary') return b.kind === 'binary' && a.hash === b.hash && gitMode(a.mode) === gitMode(b.mode);
  if (a.kind === 'symlink') return b.kind === 'symlink' && a.target === b.target;
  if (a.kind === 'other') return b.kind === 'other' && a.what === b.what;
  return b.kind === 'absent';
}
