/** Whether a file of the user's holds a state, at this moment and on disk. */
import type { AppliedChange } from '../changeset/applied.ts';
import { type FileState, sameState } from '../changeset/file-state.ts';
import { readingLike, readState } from '../workspace/snapshot.ts';
import type { ApplyJournal, Part } from './apply-journal.ts';
import type { ThreadRecord } from './record.ts';

export const isAt = async ({ root }: ThreadRecord, path: string, state: FileState): Promise<boolean> =>
  sameState(await readState(root, path, readingLike(state)), state);

/** The whole of a change, or, for an undo, of its way back; never so of a rename, which no editor makes. */
export const isOnDisk = async (
  record: ThreadRecord,
  what: ApplyJournal['what'],
  { path, from, before, after }: AppliedChange,
): Promise<boolean> => from === undefined && isAt(record, path, what === 'undo' ? before : after);

/** The editor has made its part, and saved it since: the file holds what was to come of it, and held something else before. */
export const isSaved = async (
  record: ThreadRecord,
  what: ApplyJournal['what'],
  part: Part | undefined,
): Promise<boolean> =>
  part?.byEditor === true && part.isToBeSaved === true && part.done !== undefined && isOnDisk(record, what, part.done);
