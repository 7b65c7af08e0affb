/**
 * What an apply, an undo or a redo is about to do, on disk before it does any of it: a process that is killed in the
 * middle leaves it for the next one (`apply-recovery.ts`). One a thread, in the same folder as the log of its applies.
 */
import { readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { appliedChangeSchema, diskEntrySchema, dropStack, folderOf, putEntry } from './apply-log.ts';
import { writeDurably } from './durable.ts';

const placeSchema = z.object({ stack: z.enum(['applied', 'undone']), number: z.number() });

const journalSchema = z.object({
  what: z.enum(['accept', 'undo', 'redo']),
  applyId: z.string(),
  at: z.string(),
  /** Of an undo or redo: which entry of the log it carries, and its id. */
  of: z.object({ place: placeSchema, applyId: z.string(), at: z.string() }).optional(),
  /** Where what it does is logged. */
  to: placeSchema,
  /** Each change of the entry as a whole, the part that is done with this, and the part that is not. */
  parts: z.array(
    z.object({
      whole: appliedChangeSchema,
      done: appliedChangeSchema.optional(),
      left: appliedChangeSchema.optional(),
      /** The editor has a share in it. */
      byEditor: z.boolean().optional(),
      /** On disk there was something else, so that it is known by the file when the editor has made and saved it. */
      isToBeSaved: z.boolean().optional(),
    }),
  ),
  /** What the server writes itself; the rest is the editor's. */
  writes: z.array(diskEntrySchema),
  /** Folders that are made for it. */
  folders: z.array(z.string()),
});
export type ApplyJournal = z.infer<typeof journalSchema>;
export type Part = ApplyJournal['parts'][number];

const pathOf = (threadFolder: string): string => join(folderOf(threadFolder), 'unfinished.json');

/** It is on the disk itself when this resolves. */
export const beginJournal = (threadFolder: string, journal: ApplyJournal): Promise<void> =>
  writeDurably(pathOf(threadFolder), JSON.stringify(journal));

export async function endJournal(threadFolder: string): Promise<void> {
  await rm(pathOf(threadFolder), { force: true });
}

export const isUnfinished = (threadFolder: string): Promise<boolean> =>
  stat(pathOf(threadFolder)).then(
    () => true,
    () => false,
  );

/** Undefined where there is none; throws where it can't be read. One that nobody understands is none of ours, for ours are whole. */
export async function readJournal(threadFolder: string): Promise<ApplyJournal | undefined> {
  const text = await readFile(pathOf(threadFolder), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  try {
    return journalSchema.parse(JSON.parse(text));
  } catch {
    await endJournal(threadFolder);
    return undefined;
  }
}

/** `unknown`: an editor may have done it, or may still do it. */
export type Fate = 'done' | 'unknown' | 'not';

/**
 * The log as it is after this; doing it twice does no harm. What nobody knows counts as applied: an undo of what never
 * arrived finds nothing to do.
 */
export async function logJournal(threadFolder: string, journal: ApplyJournal, fates: readonly Fate[]): Promise<void> {
  const { what, applyId, at, of, to, parts } = journal;
  const isCarried = (index: number) => fates[index] === 'done' || (fates[index] === 'unknown' && what !== 'undo');
  const carried = parts.flatMap(({ done }, index) => (done && isCarried(index) ? [done] : []));
  await putEntry(threadFolder, to, { applyId: of?.applyId ?? applyId, at: of?.at ?? at, files: carried });
  if (of) {
    const left = parts.flatMap(({ whole, left }, index) => (!isCarried(index) ? [whole] : left ? [left] : []));
    await putEntry(threadFolder, of.place, { applyId: of.applyId, at: of.at, files: left, leftBy: applyId });
  } else if (fates.includes('done')) {
    await dropStack(threadFolder, 'undone');
  }
}

/** What of a thread's hunks is decided by it, and how. */
export function decidedBy(
  { what, parts }: ApplyJournal,
  fates: readonly Fate[],
): { hunks: { id: string; path: string }[]; status: 'accepted' | 'pending' } {
  const hunks = parts.flatMap(({ done }, index) => (fates[index] === 'done' ? (done?.hunks ?? []) : []));
  return { hunks: [...hunks], status: what === 'undo' ? 'pending' : 'accepted' };
}
