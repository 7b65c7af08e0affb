/** Carries steps out so that a crash at any moment can be mended: journal first, then disk and editor, then the log. */
import { asShown } from '../changeset/applied.ts';
import type { FileOutcome } from '../changeset/review-types.ts';
import type { ApplyResult } from '../protocol/changeset.ts';
import type { DiskEntry } from '../workspace/disk.ts';
import { missingFolders } from '../workspace/disk-folders.ts';
import { type ApplyJournal, beginJournal, decidedBy, type Fate, logJournal, type Part } from './apply-journal.ts';
import { nextNumber } from './apply-log.ts';
import { type CarriedOut, carryOut } from './carry-out.ts';
import { isOnDisk, isSaved } from './on-disk.ts';
import type { Face } from './ports.ts';
import type { ThreadRecord } from './record.ts';
import { textsUnder } from './review.ts';
import type { Superseded } from './superseded.ts';

export type Applying = { record: ThreadRecord; applyId: string; face: Face; superseded: Superseded };

/** `outcome`: what it takes, if anything. `reason`: why something of it is left. */
export type Step = { part: Part; outcome?: FileOutcome; reason?: string };

/** The journal is still there: `endJournal` once the result is told. */
export type Applied = { result: ApplyResult; decided: ReturnType<typeof decidedBy> };

/** An editor that did not show the change in time may still make it. */
const unconfirmed = 'unconfirmed';
const becauseOfAnother = 'not done, because another file of the same change failed';

/**
 * An accept is done as a whole, as far as the disk goes. Of an undo or a redo, a file that can't be written is left out,
 * and the others are tried again.
 */
export async function perform(
  applying: Applying,
  { what, of, steps }: Pick<ApplyJournal, 'what' | 'of'> & { steps: readonly Step[] },
): Promise<Applied> {
  const { record, applyId } = applying;
  const stack = what === 'undo' ? 'undone' : 'applied';
  const to = { stack, number: await nextNumber(record.folder) } as const;
  let journal: ApplyJournal = {
    what,
    applyId,
    at: new Date().toISOString(),
    of,
    to,
    parts: [],
    writes: [],
    folders: [],
  };
  const begin = async (writes: readonly DiskEntry[], edited: ReadonlySet<string>) => {
    const parts = await Promise.all(
      tried.map(async ({ part, outcome }) => {
        const byEditor = outcome && edited.has(outcome.path);
        const isToBeSaved = byEditor && part.done && !(await isOnDisk(record, what, part.done));
        return { ...part, byEditor, isToBeSaved };
      }),
    );
    const folders = await missingFolders(
      record.root,
      writes.map(({ path }) => path),
    );
    journal = { ...journal, parts, writes: [...writes], folders };
    await beginJournal(record.folder, journal);
  };
  let tried = steps;
  for (;;) {
    const carried = await carryOut({ ...applying, outcomes: tried.flatMap(({ outcome }) => outcome ?? []), begin });
    const mayTryAgain =
      carried.leftOut.length > 0 && ![...carried.failures.values()].some(({ isWritten }) => isWritten);
    if (what === 'accept' || !mayTryAgain) {
      const fates = await Promise.all(
        tried.map(async (step, index) => {
          const fate = fateOf(step, carried);
          // An editor that went away before it said so may have made the change all the same, and saved it.
          const isDone = fate === 'unknown' && (await isSaved(record, what, journal.parts[index]));
          return isDone ? 'done' : fate;
        }),
      );
      journal = { ...journal, parts: shownParts(tried, fates, applying, what) };
      await logJournal(record.folder, journal, fates);
      return { result: resultOf(applyId, tried, fates, carried), decided: decidedBy(journal, fates) };
    }
    tried = tried.map((step) => {
      const failure = step.outcome && carried.failures.get(step.outcome.path);
      const { whole } = step.part;
      return failure ? { part: { whole, left: whole }, reason: failure.reason } : step;
    });
  }
}

/** As the open documents show it now, where all of a change is done. */
function shownParts(
  steps: readonly Step[],
  fates: readonly Fate[],
  { record, face }: Applying,
  what: ApplyJournal['what'],
): Part[] {
  const shown = textsUnder(face.documents, record.root);
  return steps.map(({ part, outcome }, index) => {
    if (fates[index] !== 'done' || !outcome || !part.done || part.left) return part;
    const side = what === 'undo' ? 'before' : 'after';
    const [whole, done] = [part.whole, part.done].map((change) => asShown(change, side, shown.get(outcome.path)));
    return whole && done ? { ...part, whole, done } : part;
  });
}

function fateOf({ part, outcome }: Step, { failures, leftOut }: CarriedOut): Fate {
  if (!outcome) return part.done ? 'done' : 'not';
  const failure = failures.get(outcome.path);
  if (failure) return failure.isWritten || failure.reason.startsWith(unconfirmed) ? 'unknown' : 'not';
  return leftOut.includes(outcome.path) ? 'not' : 'done';
}

function resultOf(
  applyId: string,
  steps: readonly Step[],
  fates: readonly Fate[],
  { failures, reload }: CarriedOut,
): ApplyResult {
  const result: ApplyResult = {
    applyId,
    applied: [],
    conflicts: [],
    failed: [],
    ...(reload.length > 0 ? { reload } : {}),
  };
  steps.forEach(({ part, outcome, reason }, index) => {
    const { path } = part.whole;
    if (fates[index] !== 'done') {
      const failure = outcome && (failures.get(outcome.path)?.reason ?? becauseOfAnother);
      result.failed.push({ path, reason: failure ?? reason ?? '' });
      return;
    }
    result.applied.push(path);
    if (!part.left) return;
    for (const { id } of part.left.hunks) result.conflicts.push({ path, hunk: id, reason: reason ?? '' });
    if (part.left.hunks.length === 0) result.failed.push({ path, reason: reason ?? '' });
  });
  return result;
}
