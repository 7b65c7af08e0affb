/**
 * What a change of a text says beyond its lines: that the file moves, that it becomes executable. It goes along with
 * the first hunk of the file that is accepted; where there is no other hunk to go with, it is one of its own.
 */
import { type FileState, gitMode } from './file-state.ts';
import { hunkId } from './hunk-id.ts';
import type { ReviewFile, ReviewHunk } from './review-types.ts';

type Sides = Pick<ReviewFile, 'path' | 'from' | 'userPath' | 'base' | 'agent' | 'user'>;

export type TextState = Extract<FileState, { kind: 'text' }>;

/** `none`: there is no such change, or the user's file has it already. */
export function metadataStatus(file: Sides): 'none' | 'pending' | 'conflicting' {
  const { base, agent, user } = file;
  if (base === 'unknown' || base.kind !== 'text' || agent.kind !== 'text') return 'none';
  if (user.kind !== 'text') return file.from !== undefined || modeChange(base, agent) ? 'conflicting' : 'none';
  return movesStill(file) || (modeChange(base, agent) && gitMode(user.mode) === gitMode(base.mode))
    ? 'pending'
    : 'none';
}

/** Of that hunk: as long as the move and the modes are the same, whatever becomes of the text. */
export const metadataId = (path: string, from: string | undefined, base: TextState, agent: TextState): string =>
  hunkId(path, `\0${from ?? path} ${gitMode(base.mode)}`, String(gitMode(agent.mode)), 0);

/** Whether it is a rename that the user's files do not have yet. */
export const movesStill = ({ path, userPath }: Pick<Sides, 'path' | 'userPath'>): boolean => path !== userPath;

/** Where the file stands, and as what, after any of its other hunks is accepted: a move and a mode that were rejected are not made. */
export function metadataAfter(file: ReviewFile): { path: string; from?: string; mode: number | undefined } {
  const { path, from, userPath, base, agent, user, hunks } = file;
  if (base !== 'unknown' && base.kind === 'text' && agent.kind === 'text' && user.kind === 'text') {
    const id = metadataId(path, from, base, agent);
    const isRejected = hunks.some((hunk) => hunk.id === id && hunk.status === 'rejected');
    if (isRejected) return { path: userPath, mode: user.mode };
  }
  // Of a file that is gone nothing is left to move.
  return { path, ...(movesStill(file) && user.kind !== 'absent' ? { from: userPath } : {}), mode: modeAfter(file) };
}

/** The mode the user's file has after any of the pending hunks is accepted. */
export function modeAfter({ base, agent, user }: Sides): number | undefined {
  if (agent.kind !== 'text' && agent.kind !== 'binary') return undefined;
  if (base === 'unknown' || base.kind !== 'text' || agent.kind !== 'text' || user.kind !== 'text') return agent.mode;
  return modeChange(base, agent) ? agent.mode : user.mode;
}

const modeChange = (base: TextState, agent: TextState): boolean => gitMode(base.mode) !== gitMode(agent.mode);

/** A hunk of zero lines: the file as a whole, or what is beyond its lines. */
export const isWhole = (hunk: ReviewHunk): boolean => hunk.oldLines.length === 0 && hunk.newLines.length === 0;
