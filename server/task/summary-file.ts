/** What a list shows of a thread, beside its journal: worth as much as the journal's length says. */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import {
  type Approval,
  approvalSchema,
  type Grant,
  grantSchema,
  type ThreadSummary,
  threadSummarySchema,
} from '../protocol/thread.ts';
import { wordsOf } from '../thread/search.ts';
import { isRunning, summaryOf, type ThreadState } from '../thread/state.ts';

export const journalName = 'journal.jsonl';

/** `words`: of its prompts, to be searched by. */
export type Listed = {
  summary: ThreadSummary;
  words: string;
  approvals: readonly Approval[];
  grants: readonly Grant[];
};

export const listedSchema = z.object({
  summary: threadSummarySchema,
  words: z.string().default(''),
  approvals: z.array(approvalSchema),
  grants: z.array(grantSchema),
});
const schema = listedSchema.extend({ bytes: z.number() });

export const listedOf = (state: ThreadState): Listed => ({
  summary: summaryOf(state),
  words: wordsOf(state),
  approvals: [...state.approvals.values()],
  grants: state.grants,
});

/** `bytes`: the journal's length. Of a running thread none is kept: how it ended is for its journal to say. */
export async function writeSummary(folder: string, bytes: number, state: ThreadState): Promise<void> {
  if (isRunning(state) || state.seq === 0) return;
  const path = join(folder, 'summary.json');
  await writeFile(`${path}.new`, JSON.stringify({ bytes, ...listedOf(state) }), { mode: 0o600 });
  await rename(`${path}.new`, path);
}

/** `journalBytes`: the journal's length now. Undefined where there is none, or the journal has gone on since. */
export async function readSummary(folder: string, journalBytes: number): Promise<Listed | undefined> {
  try {
    const { bytes, ...listed } = schema.parse(JSON.parse(await readFile(join(folder, 'summary.json'), 'utf8')));
    return bytes === journalBytes ? listed : undefined;
  } catch {
    return undefined;
  }
}

/** What the summary says of a thread's beginning, however far its journal has gone on since. */
export async function beginningOf(
  folder: string,
): Promise<Pick<ThreadState, 'title' | 'root' | 'folders' | 'createdAt'> | undefined> {
  try {
    const { summary } = schema.parse(JSON.parse(await readFile(join(folder, 'summary.json'), 'utf8')));
    const { title, root, folders, createdAt } = summary;
    return { title, root, folders, createdAt };
  } catch {
    return undefined;
  }
}
