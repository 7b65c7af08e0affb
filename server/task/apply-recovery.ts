/**
 * What a process that was killed in the middle of an apply, an undo or a redo has left: where all of its files were
 * written, it counts as done; else those that were are taken back. Only files that are exactly as the journal says are
 * touched; the others are named.
 */
import { stat } from 'node:fs/promises';
import { absent } from '../changeset/file-state.ts';
import type { ApplyResult } from '../protocol/changeset.ts';
import { type DiskEntry, writeToDisk } from '../workspace/disk.ts';
import { removeRemains } from '../workspace/disk-folders.ts';
import { type ApplyJournal, decidedBy, endJournal, type Fate, logJournal, readJournal } from './apply-journal.ts';
import { binariesOf } from './carry-out.ts';
import { isAt, isSaved } from './on-disk.ts';
import type { Applied } from './perform.ts';
import type { ThreadRecord } from './record.ts';

/**
 * Nothing where there is nothing to mend, or no workspace to mend it in. The record is held. `endJournal` once the
 * result is told. `because`: why what is not done is not.
 */
export async function recoverApply(
  record: ThreadRecord,
  because = interrupted,
): Promise<(Applied & Pick<ApplyJournal, 'what'>) | undefined> {
  const journal = await readJournal(record.folder);
  if (!journal || !(await stat(record.root).catch(() => undefined))?.isDirectory()) return undefined;
  const { applyId, what, folders } = journal;
  const changes = journal.writes.flatMap(changesOf);
  // One that broke off is told as well, and that nothing is done; it is still to be mended.
  const isTold = (await record.events(0)).some(
    ({ event }) => 'result' in event && event.result.applyId === applyId && event.result.applied.length > 0,
  );
  if (isTold) {
    await endJournal(record.folder);
    return undefined;
  }
  const { written, failed } = await mended(record, changes, applyId, because);
  await removeRemains(record.root, {
    kept: record.workspace.folders,
    paths: changes.map(({ path }) => path),
    folders: written ? [] : folders,
    gone: written ? changes.filter(({ after }) => after.kind === 'absent').map(({ path }) => path) : [],
    tag: applyId,
  });
  const isNamed = (path: string | undefined) => failed.some((one) => one.path === path);
  const saved = await Promise.all(journal.parts.map((part) => isSaved(record, journal.what, part)));
  const fates = journal.parts.map(({ whole, byEditor, done }, index): Fate => {
    if (isNamed(whole.path) || isNamed(whole.from)) return 'unknown';
    // The editor's turn comes when all is written.
    if (!written || !done) return 'not';
    return byEditor && !saved[index] ? 'unknown' : 'done';
  });
  await logJournal(record.folder, journal, fates);
  const result: ApplyResult = { applyId, applied: [], conflicts: [], failed: [...failed] };
  journal.parts.forEach(({ whole: { path }, done }, index) => {
    if (fates[index] === 'done') result.applied.push(path);
    else if (done && !isNamed(path)) result.failed.push({ path, reason: because });
  });
  return { what, result, decided: decidedBy(journal, fates) };
}

const interrupted = 'codex-lsp was ended in the middle of it, so it is not done';

type Change = Pick<DiskEntry, 'path' | 'before' | 'after'>;

/** A rename is two of them. */
const changesOf = ({ path, from, before, after }: DiskEntry): Change[] =>
  from === undefined
    ? [{ path, before, after }]
    : [
        { path, before: absent, after },
        { path: from, before, after: absent },
      ];

/** `written`: all of them are. */
async function mended(
  record: ThreadRecord,
  changes: readonly Change[],
  applyId: string,
  because: string,
): Promise<{ written: boolean; failed: ApplyResult['failed'] }> {
  const done: Change[] = [];
  const unclear: ApplyResult['failed'] = [];
  for (const change of changes) {
    if (await isAt(record, change.path, change.after)) done.push(change);
    else if (!(await isAt(record, change.path, change.before)))
      unclear.push({ path: change.path, reason: `${because}; it was changed since, so look at it` });
  }
  if (done.length === changes.length) return { written: true, failed: [] };
  const back = done.map(
    ({ path, before, after }): DiskEntry => ({ path, before: after, after: before, restores: true }),
  );
  const { failed } = await writeToDisk(record.root, back, binariesOf(record), {
    tag: applyId,
    folders: record.workspace.folders,
  });
  const stuck = failed.length > 0 ? back.map(({ path }) => path) : [];
  return {
    written: false,
    failed: [
      ...unclear,
      ...stuck.map((path) => {
        const why = failed.find((one) => one.path === path)?.reason ?? 'another file of it could not be taken back';
        return { path, reason: `${because}, and could not be taken back: ${why}` };
      }),
    ],
  };
}
