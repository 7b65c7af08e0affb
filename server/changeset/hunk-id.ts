/** Names for hunks that survive rebase, restart and the acceptance of others: made of what a hunk changes, not where. */
import { createHash } from 'node:crypto';
import type { FileState } from './file-state.ts';

const hexDigits = 10;

/** `ordinal`: 0 for the first of several hunks in one file that make the same change. */
export function hunkId(path: string, oldText: string, newText: string, ordinal: number): string {
  const hash = createHash('sha256');
  hash.update(`${path}\0${ordinal}\0${oldText.length}\0${oldText}${newText}`);
  return `h${hash.digest('hex').slice(0, hexDigits)}`;
}

/** Of a change that is not made of lines. */
export const wholeId = (path: string, base: FileState | 'unknown', agent: FileState): string =>
  hunkId(path, `\0${stateKey(base)}`, stateKey(agent), 0);

function stateKey(state: FileState | 'unknown'): string {
  return state === 'unknown' ? state : JSON.stringify(Object.entries(state).sort());
}
