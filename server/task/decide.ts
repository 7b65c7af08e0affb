/** Decisions on a review: accept, reject, undo, and the approval that stands for the whole of it. One at a time. */

import { dirname } from 'node:path';
import type { Contents } from '../changeset/binary-patch.ts';
import { type EditedReview, editedOutcomes } from '../changeset/edited-outcome.ts';
import { countChanges } from '../changeset/review.ts';
import type { Review } from '../changeset/review-types.ts';
import type { ApplyResult } from '../protocol/changeset.ts';
import type { Decision } from '../protocol/thread.ts';
import { isRunning } from '../thread/state.ts';
import { applyHunks, assertCarried, carryApply } from './apply.ts';
import { type ApplyJournal, endJournal, isUnfinished } from './apply-journal.ts';
import { recoverApply } from './apply-recovery.ts';
import type { Approvals, Settled } from './approvals.ts';
import { newId } from './ids.ts';
import type { Applied } from './perform.ts';
import { type Face, noDocuments, type OpenDocuments, type Selection } from './ports.ts';
import type { ThreadRecord } from './record.ts';
import { pendingHunks, publishChanges, reviewThread } from './review.ts';
import { selectHunks } from './selection.ts';
import { stateFault } from './state-fault.ts';
import type { Superseded } from './superseded.ts';

export type Applying = { applyId: string; result: Promise<ApplyResult> };

export class Decisions {
  readonly #approvals: Approvals;
  readonly #superseded: Superseded;

  constructor(approvals: Approvals, superseded: Superseded) {
    this.#approvals = approvals;
    this.#superseded = superseded;
  }

  /** `check` may refuse once it is this decision's turn. Refuses by `selectHunks`; `result` never rejects. */
  async accept(
    record: ThreadRecord,
    selection: Selection,
    face: Face,
    check: () => void = () => {},
  ): Promise<Applying> {
    return this.#entered(record, async (done) => {
      check();
      const review = await reviewThread(record, face.documents);
      const ids = selectHunks(review, selection);
      return carriedOut(record, done, async (applyId) => {
        const concerns = concernedBy(selection, review, ids);
        const overMine = selection.overMine ?? false;
        return this.#apply({ record, review, ids, concerns, overMine, applyId, face });
      });
    });
  }

  /** What an edited review document says, as far as it fits; `result` never rejects. */
  async applyEdited(
    record: ThreadRecord,
    edited: EditedReview,
    face: Face,
    contentsOf: (review: Review) => Promise<Contents>,
  ): Promise<Applying> {
    return this.#entered(record, async (done) => {
      const review = await reviewThread(record, face.documents);
      const made = editedOutcomes(review, edited, await contentsOf(review));
      return carriedOut(record, done, (applyId) =>
        this.#apply({ record, review, ids: new Set(), concerns: () => false, made, applyId, face }),
      );
    });
  }

  /** `decision`: how the approval of the whole ends, if nothing is left afterwards. */
  async reject(
    record: ThreadRecord,
    selection: Selection & { comment?: string },
    documents: OpenDocuments,
    options: { check?: () => void; decision?: Decision } = {},
  ): Promise<void> {
    await this.#entered(record, async (done) => {
      options.check?.();
      const review = await reviewThread(record, documents);
      const ids = selectHunks(review, selection, { conflicting: true });
      const hunks = review.files.flatMap(({ path, hunks }) =>
        hunks.filter(({ id }) => ids.has(id)).map(({ id }) => ({ id, path })),
      );
      if (hunks.length > 0 || selection.comment) decide(record, hunks, 'rejected', selection.comment);
      await this.#balance(record, documents, options.decision ?? 'decline');
      await done();
    });
  }

  /** Throws `nothingToUndo` or `nothingToRedo`; `result` never rejects. */
  async undo(record: ThreadRecord, face: Face, what: 'undo' | 'redo'): Promise<Applying> {
    return this.#entered(record, async (done) => {
      await assertCarried(record, what);
      return carriedOut(record, done, async (applyId) => {
        const applying = { record, applyId, face, superseded: this.#superseded };
        const applied = await carryApply({ ...applying, what }).catch((error) =>
          mended(record, broken(record, applyId, [], error)),
        );
        return this.#told(record, what, applied, face.documents);
      });
    });
  }

  /** Ends what a process that is gone has left in the middle. The record is held. */
  async recover(record: ThreadRecord): Promise<void> {
    const recovered = await recoverApply(record);
    if (recovered) await this.#told(record, recovered.what, recovered, noDocuments);
  }

  /** A look at the review; where the user's own typing has settled something meanwhile, that is told first. */
  async look(record: ThreadRecord, documents: OpenDocuments, only?: ReadonlySet<string>): Promise<Review> {
    return record.held(async () => {
      const review = await reviewThread(record, documents, { only });
      const isQuiet = !record.isBusy && !isRunning(record.state);
      if (isQuiet && countChanges(review).files !== record.state.pendingFiles) this.#tell(record, review, 'withdrawn');
      return review;
    });
  }

  /** Asks for the whole of a review where something is pending and nobody has asked. */
  askForWhole(record: ThreadRecord, review: Review): void {
    if (pendingHunks(review).length === 0 || askedOf(record)) return;
    const { files, additions, deletions } = countChanges(review);
    this.#approvals.request(record, {
      turnId: record.state.turns.at(-1)?.turnId ?? '',
      kind: 'changes',
      title: `Apply the changes to ${files} ${files === 1 ? 'file' : 'files'} (+${additions} -${deletions})`,
      paths: review.files.map(({ path }) => path),
    });
  }

  async #apply(options: Omit<Parameters<typeof applyHunks>[0], 'superseded'>): Promise<ApplyResult> {
    const { record, applyId, review, ids, made, face } = options;
    const applied = await applyHunks({ ...options, superseded: this.#superseded }).catch((error: unknown) => {
      const chosen = made?.outcomes ?? review.files.filter(({ hunks }) => hunks.some(({ id }) => ids.has(id)));
      return mended(record, broken(record, applyId, chosen, error));
    });
    return this.#told(record, 'accept', applied, face.documents);
  }

  /** What was carried out is decided and told, and only then nobody's to finish any more. */
  async #told(
    record: ThreadRecord,
    what: ApplyJournal['what'],
    { result, decided, isBroken }: Applied & { isBroken?: true },
    documents: OpenDocuments,
  ): Promise<ApplyResult> {
    if (decided.hunks.length > 0) decide(record, decided.hunks, decided.status);
    record.emit({ type: what === 'undo' ? 'undone' : 'applied', result });
    // What is left to review may be impossible to say, as in a folder that can't be read; it is said at the next look.
    await this.#balance(record, documents, what === 'undo' ? 'decline' : 'accept').catch(() => {});
    // What is done is done, whether it could be written down or not.
    await record.flushed().catch(() => {});
    if (!isBroken) await endJournal(record.folder).catch(() => {});
    return result;
  }

  /** After a decision: says what is left, and settles the approval of the whole or asks for it again. */
  async #balance(record: ThreadRecord, documents: OpenDocuments, settled: Settled): Promise<void> {
    this.#tell(record, await reviewThread(record, documents), settled);
    await record.flushed();
  }

  #tell(record: ThreadRecord, review: Review, settled: Settled): void {
    publishChanges(record, review);
    const asked = askedOf(record);
    if (asked && pendingHunks(review).length === 0) this.#approvals.settle(record, asked.approvalId, settled);
    else this.askForWhole(record, review);
  }

  /** `run` gets the function that ends the decision; where it fails before, the decision is ended for it. */
  async #entered<T>(record: ThreadRecord, run: (done: () => Promise<void>) => Promise<T>): Promise<T> {
    const leave = await record.enter();
    let release: (() => Promise<void>) | undefined;
    const done = async () => {
      await release?.();
      leave();
    };
    try {
      release = await record.hold('work');
      // What could not be mended when it broke off.
      if (await isUnfinished(record.folder)) await this.recover(record);
      return await run(done);
    } catch (error) {
      await done();
      throw error;
    }
  }
}

/** Answers at once; what follows is ended whatever becomes of it. */
function carriedOut(
  record: ThreadRecord,
  done: () => Promise<void>,
  run: (applyId: string) => Promise<ApplyResult>,
): Applying {
  const applyId = newId('p');
  const result = run(applyId)
    .catch((error: unknown): ApplyResult => {
      return { applyId, applied: [], conflicts: [], failed: [{ path: '', reason: reasonOf(error, record) }] };
    })
    .finally(done);
  return { applyId, result };
}

type Broken = Applied & { isBroken: true };

/** What has come as far as its journal is mended at once; where that fails too, by whoever holds the thread next. */
async function mended(record: ThreadRecord, { isBroken, ...applied }: Broken): Promise<Applied & { isBroken?: true }> {
  const [{ reason } = { reason: '' }] = applied.result.failed;
  return (await recoverApply(record, reason).catch(() => undefined)) ?? { ...applied, isBroken };
}

const reasonOf = (error: unknown, { folder }: ThreadRecord): string => {
  const fault = stateFault(error, dirname(dirname(folder)));
  return fault instanceof Error ? fault.message : String(fault);
};

/** Its journal, if it has come that far, is still there. */
function broken(record: ThreadRecord, applyId: string, files: readonly { path: string }[], error: unknown): Broken {
  const reason = reasonOf(error, record);
  const paths = files.length > 0 ? files.map(({ path }) => path) : [''];
  const result = { applyId, applied: [], conflicts: [], failed: paths.map((path) => ({ path, reason })) };
  return { result, decided: { hunks: [], status: 'pending' }, isBroken: true };
}

/** Which files a selection is about; without a choice, all. */
function concernedBy({ hunks, files }: Selection, review: Review, ids: ReadonlySet<string>): (path: string) => boolean {
  if (!hunks && !files) return () => true;
  const chosen = review.files.filter((file) => file.hunks.some(({ id }) => ids.has(id))).map(({ path }) => path);
  return (path) => chosen.includes(path) || (files ?? []).includes(path);
}

const askedOf = ({ state }: ThreadRecord) => [...state.approvals.values()].find(({ kind }) => kind === 'changes');

function decide(
  record: ThreadRecord,
  hunks: readonly { id: string; path: string }[],
  status: 'accepted' | 'rejected' | 'pending',
  comment?: string,
): void {
  const decided = hunks.map((hunk) => ({ ...hunk, status }));
  record.emit({ type: 'hunksDecided', hunks: decided, ...(comment ? { comment } : {}) });
}
