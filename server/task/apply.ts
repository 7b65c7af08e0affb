/** Accept and undo: a plan is made, carried out by the editor and the disk, verified, and written down. */
import { join } from 'node:path';
import { type FileState, sameState } from '../changeset/file-state.ts';
import { acceptOutcomes, lineEdits } from '../changeset/outcome.ts';
import type { FileOutcome, Review } from '../changeset/review-types.ts';
import type { ApplyResult } from '../protocol/changeset.ts';
import { readBytesAt, userState } from '../workspace/snapshot.ts';
import { type AppliedFile, type ApplyEntry, keepBlob, latestEntry, writeEntry } from './apply-log.ts';
import { carryOut } from './carry-out.ts';
import type { Face } from './ports.ts';
import type { ThreadRecord } from './record.ts';
import { Refusal } from './refusal.ts';
import { textsUnder } from './review.ts';
import type { Superseded } from './superseded.ts';

type Applying = { record: ThreadRecord; applyId: string; face: Face; superseded: Superseded };

/** An editor that did not show the change in time may still make it. */
const unconfirmed = 'unconfirmed';

/** Carries out accepted hunks. Never rejects: what went wrong is in the result, by path. */
export async function applyHunks(
  options: Applying & {
    review: Review;
    ids: ReadonlySet<string>;
    concerns: (path: string) => boolean;
    overMine: boolean;
  },
): Promise<{ result: ApplyResult; accepted: { id: string; path: string }[] }> {
  const { record, applyId, review, ids, concerns, overMine } = options;
  const outcomes = acceptOutcomes(review, ids, { overMine });
  const taken = new Set(outcomes.flatMap(({ hunks }) => hunks));
  const conflicts = review.files.flatMap(({ path, hunks }) =>
    (concerns(path) ? hunks : [])
      .filter(({ id, status }) => status === 'conflicting' && !taken.has(id))
      .map(({ id }) => ({ path, hunk: id, reason: 'the same lines were changed meanwhile; your text was kept' })),
  );
  const files: AppliedFile[] = outcomes.map(({ path, from, before, after, hunks }) => ({
    path,
    from,
    before,
    after,
    hunks: hunks.map((id) => ({ id, path })),
  }));
  try {
    await keepBinaries(record, outcomes);
    // Written before anything is done: whatever happens then can be taken back.
    await writeEntry(record.folder, { applyId, at: new Date().toISOString(), files });
    const failures = await carryOut({ ...options, outcomes });
    const done = files.filter(({ path }) => !failures.has(path));
    const kept = files.filter(({ path }) => (failures.get(path) ?? unconfirmed) === unconfirmed);
    if (failures.size > 0) await writeEntry(record.folder, { applyId, at: new Date().toISOString(), files: kept });
    const failed = [...failures].map(([path, reason]) => ({ path, reason }));
    return {
      result: { applyId, applied: done.map(({ path }) => path), conflicts, failed },
      accepted: done.flatMap(({ hunks }) => hunks),
    };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const failed = outcomes.map(({ path }) => ({ path, reason }));
    return { result: { applyId, applied: [], conflicts, failed }, accepted: [] };
  }
}

/** Which apply `codex/undo` would take back. Throws `nothingToUndo`. */
export async function undoable(record: ThreadRecord): Promise<ApplyEntry> {
  const entry = await latestEntry(record.folder);
  if (!entry) throw new Refusal('nothingToUndo', 'Nothing of this thread is applied, so there is nothing to undo.');
  return entry;
}

/** Brings back what an apply changed; a file that was changed since is left alone and named. Never rejects. */
export async function undoApply(
  options: Applying & { entry: ApplyEntry },
): Promise<{ result: ApplyResult; pending: { id: string; path: string }[] }> {
  const { record, entry, applyId, face } = options;
  const failures = new Map<string, string>();
  try {
    const outcomes: FileOutcome[] = [];
    const buffers = textsUnder(face.documents, record.root);
    for (const { path, from, before, after } of entry.files) {
      const now = await userState(record.root, path, buffers);
      // Never arrived, or taken back by the user: there is nothing left to do.
      if (from === undefined && sameState(now, before)) continue;
      if (!sameState(now, after)) failures.set(path, 'changed since it was applied');
      else outcomes.push(...reversed(path, from, now, before));
    }
    for (const [path, reason] of await carryOut({ ...options, outcomes })) failures.set(path, reason);
  } catch (error) {
    for (const { path } of entry.files) failures.set(path, error instanceof Error ? error.message : String(error));
  }
  const failedOf = ({ path, from }: AppliedFile) => failures.get(path) ?? (from ? failures.get(from) : undefined);
  const undone = entry.files.filter((file) => failedOf(file) === undefined);
  const kept = entry.files.filter((file) => failedOf(file) !== undefined);
  await writeEntry(record.folder, { ...entry, files: kept }).catch(() => {});
  const result: ApplyResult = {
    applyId,
    applied: undone.map(({ path }) => path),
    conflicts: [],
    failed: kept.map((file) => ({ path: file.path, reason: failedOf(file) ?? '' })),
  };
  return { result, pending: undone.flatMap(({ hunks }) => hunks) };
}

/** The way back of one file; of a rename, from its new path to its old one. */
function reversed(path: string, from: string | undefined, now: FileState, before: FileState): FileOutcome[] {
  const edits = now.kind === 'text' && before.kind === 'text' ? lineEdits(now.text, before.text) : [];
  if (from === undefined) return [{ path, before: now, after: before, edits, hunks: [] }];
  return [{ path: from, from: path, before: now, after: before, edits, hunks: [] }];
}

async function keepBinaries(record: ThreadRecord, outcomes: readonly FileOutcome[]): Promise<void> {
  const copy = await record.copy();
  for (const { path, from, before, after } of outcomes) {
    if (after.kind === 'binary') await keepBlob(record.folder, path, after.hash, await copy.readBytes(path));
    if (before.kind === 'binary') {
      const file = from ?? path;
      await keepBlob(record.folder, file, before.hash, await readBytesAt(join(record.root, file)));
    }
  }
}
