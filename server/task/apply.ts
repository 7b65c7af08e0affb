/** Accept, undo and redo: what each of them makes of every file. */
import { join } from 'node:path';
import { appliedChange, carry, type Direction, placesOf } from '../changeset/applied.ts';
import type { EditedOutcomes } from '../changeset/edited-outcome.ts';
import { absent } from '../changeset/file-state.ts';
import { acceptOutcomes } from '../changeset/outcome.ts';
import type { FileOutcome, Review } from '../changeset/review-types.ts';
import type { ApplyResult } from '../protocol/changeset.ts';
import { readBytesAt, userState } from '../workspace/snapshot.ts';
import { type ApplyEntry, keepBlob, type Place, placesIn, readEntry } from './apply-log.ts';
import { type Applied, type Applying, perform, type Step } from './perform.ts';
import type { OpenDocuments } from './ports.ts';
import type { ThreadRecord } from './record.ts';
import { Refusal } from './refusal.ts';
import { textsUnder } from './review.ts';

/** Carries out accepted hunks. What went wrong is in the result, by path. */
export async function applyHunks(
  options: Applying & {
    review: Review;
    ids: ReadonlySet<string>;
    concerns: (path: string) => boolean;
    /** Of an edited review, in the place of what accepting these ids would make. */
    made?: EditedOutcomes;
    overMine?: boolean;
  },
): Promise<Applied> {
  const { record, review, ids, concerns, made, overMine = false } = options;
  const outcomes = made?.outcomes ?? acceptOutcomes(review, ids, { overMine });
  await keepBinaries(record, outcomes);
  const steps = outcomes.map((outcome): Step => {
    const change = appliedChange(outcome);
    return { part: { whole: change, done: change }, outcome };
  });
  const { result, decided } = await perform(options, { what: 'accept', steps });
  const taken = new Set(outcomes.flatMap(({ hunks }) => hunks));
  const inTheWay = review.files.flatMap(({ path, hunks }) =>
    (concerns(path) ? hunks : [])
      .filter(({ id, status }) => status === 'conflicting' && !taken.has(id))
      .map(({ id }) => ({ path, hunk: id, reason: 'the same lines were changed meanwhile; your text was kept' })),
  );
  const conflicts = made?.conflicts ?? inTheWay;
  const failed = [...(made?.failed ?? []), ...result.failed];
  return { result: { ...result, conflicts, failed }, decided };
}

/** Throws `nothingToUndo` or `nothingToRedo`. */
export async function assertCarried(record: ThreadRecord, what: 'undo' | 'redo'): Promise<void> {
  if ((await placesIn(record.folder, stackOf(what))).length > 0) return;
  if (what === 'undo') {
    throw new Refusal('nothingToUndo', 'Nothing of this thread is applied, so there is nothing to undo.');
  }
  throw new Refusal(
    'nothingToRedo',
    'Nothing was undone in this thread since the last accept, so there is nothing to redo.',
  );
}

/**
 * Takes back what the latest apply changed, or does again what the latest undo took back; where the user has changed the
 * same lines since, their text stays, and what is left is named. What an earlier undo had to leave is tried again, and
 * passed over where it has to be left once more.
 */
export async function carryApply(options: Applying & { what: 'undo' | 'redo' }): Promise<Applied> {
  const { record, what, face, applyId } = options;
  const passedOver: ApplyResult['failed'] = [];
  for (const place of await placesIn(record.folder, stackOf(what))) {
    const entry = await readEntry(record.folder, place);
    if (!entry) continue;
    const steps = await stepsOf(record, entry, what === 'undo' ? 'back' : 'forth', face.documents);
    if (entry.leftBy !== undefined && steps.every(({ part }) => !part.done)) {
      passedOver.push(...steps.map(({ part, reason = '' }) => ({ path: part.whole.path, reason })));
      continue;
    }
    const { result, decided } = await perform(options, { what, of: ofEntry(place, entry), steps });
    return { result: { ...result, failed: [...result.failed, ...passedOver] }, decided };
  }
  const status = what === 'undo' ? 'pending' : 'accepted';
  return { result: { applyId, applied: [], conflicts: [], failed: passedOver }, decided: { hunks: [], status } };
}

const stackOf = (what: 'undo' | 'redo') => (what === 'undo' ? 'applied' : 'undone');

const ofEntry = (place: Place, { applyId, at }: ApplyEntry) => ({ place, applyId, at });

async function stepsOf(
  record: ThreadRecord,
  { files }: ApplyEntry,
  direction: Direction,
  documents: OpenDocuments,
): Promise<Step[]> {
  const buffers = textsUnder(documents, record.root);
  const steps: Step[] = [];
  for (const change of files) {
    const { source, goal } = placesOf(change, direction);
    const now = await userState(record.root, source, buffers);
    const there = source === goal ? absent : await userState(record.root, goal, buffers);
    const { outcome, done, left, reason } = carry(change, direction, now, there);
    steps.push({ part: { whole: change, done, left }, outcome, reason });
  }
  return steps;
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
