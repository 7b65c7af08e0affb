/** Accept and undo: a plan is made, carried out by the editor and the disk, verified, and written down. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { planApply } from '../changeset/apply-plan.ts';
import { type FileState, sameState } from '../changeset/file-state.ts';
import { acceptOutcomes, lineEdits } from '../changeset/outcome.ts';
import type { ApplyPlan, FileOutcome, Review } from '../changeset/review-types.ts';
import type { ApplyResult } from '../protocol/changeset.ts';
import { writeToDisk } from '../workspace/disk.ts';
import { readState, userState } from '../workspace/snapshot.ts';
import { type AppliedFile, type ApplyEntry, blobOf, keepBlob, latestEntry, writeEntry } from './apply-log.ts';
import type { Face } from './ports.ts';
import type { ThreadRecord } from './record.ts';
import { Refusal } from './refusal.ts';
import { textsUnder } from './review.ts';

type DiskEntry = ApplyPlan['disk'][number];

/** Carries out accepted hunks. Never rejects: what went wrong is in the result, by path. */
export async function applyHunks(
  record: ThreadRecord,
  review: Review,
  ids: ReadonlySet<string>,
  applyId: string,
  face: Face,
): Promise<{ result: ApplyResult; accepted: { id: string; path: string }[] }> {
  const outcomes = acceptOutcomes(review, ids);
  const conflicts = review.files.flatMap(({ path, hunks }) =>
    hunks
      .filter(({ status }) => status === 'conflicting')
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
    const failures = await carryOut(record, outcomes, face);
    const done = files.filter(({ path }) => !failures.has(path));
    if (failures.size > 0) await writeEntry(record.folder, { applyId, at: new Date().toISOString(), files: done });
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
  record: ThreadRecord,
  entry: ApplyEntry,
  applyId: string,
  face: Face,
): Promise<{ result: ApplyResult; pending: { id: string; path: string }[] }> {
  const failures = new Map<string, string>();
  try {
    const outcomes: FileOutcome[] = [];
    const buffers = textsUnder(face.documents, record.root);
    for (const { path, from, before, after } of entry.files) {
      const now = await userState(record.root, path, buffers);
      if (!sameState(now, after)) failures.set(path, 'changed since it was applied');
      else outcomes.push(...reversed(path, from, now, before));
    }
    for (const [path, reason] of await carryOut(record, outcomes, face)) failures.set(path, reason);
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

/** Why a path failed, for those that did. The disk comes first: it is checked as a whole before anything is sent. */
async function carryOut(
  record: ThreadRecord,
  outcomes: readonly FileOutcome[],
  face: Face,
): Promise<Map<string, string>> {
  const open = new Map([...face.documents.under(record.root)].map(([path, { version }]) => [path, version]));
  const plan = planApply(outcomes, open, face.profile);
  const failures = new Map<string, string>();
  if (plan.disk.length > 0) {
    const entries = await Promise.all(plan.disk.map((entry) => againstDisk(record.root, entry, open)));
    const { failed } = await writeToDisk(record.root, entries, (path, hash) => readBinary(record, path, hash));
    for (const { path, reason } of failed) failures.set(path, reason);
    if (failures.size > 0) {
      for (const { path } of [...plan.disk, ...plan.editor]) {
        if (!failures.has(path)) failures.set(path, 'not applied, because another file of the same change failed');
      }
      return failures;
    }
  }
  if (plan.editor.length > 0) {
    for (const [path, reason] of await face.applyEdits(record.root, plan.editor)) {
      if (reason !== undefined) failures.set(path, reason);
    }
  }
  return failures;
}

/**
 * Of a document that is open, the file may hold an older text than the buffer that the plan was made for: then it is
 * the file as it is now that must not change before it is written.
 */
async function againstDisk(root: string, entry: DiskEntry, open: ReadonlyMap<string, number>): Promise<DiskEntry> {
  const path = entry.from ?? entry.path;
  if (!open.has(path)) return entry;
  const { before, after } = entry;
  const now = await readState(root, path);
  const isMode = before.kind === 'text' && after.kind === 'text' && before.text === after.text && !entry.from;
  return { ...entry, before: now, after: isMode && now.kind === 'text' ? { ...now, mode: after.mode } : after };
}

async function readBinary(record: ThreadRecord, path: string, hash: string): Promise<Buffer> {
  return readFile(blobOf(record.folder, hash)).catch(async () => (await record.copy()).readBytes(path));
}

async function keepBinaries(record: ThreadRecord, outcomes: readonly FileOutcome[]): Promise<void> {
  const copy = await record.copy();
  for (const { path, from, before, after } of outcomes) {
    if (after.kind === 'binary') await keepBlob(record.folder, after.hash, await copy.readBytes(path));
    if (before.kind === 'binary') {
      await keepBlob(record.folder, before.hash, await readFile(join(record.root, from ?? path)));
    }
  }
}
