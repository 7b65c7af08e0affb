/** A thread's review at this moment: what its copy changed, against the text as the user has it now. */

import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { absent, type FileState, sameState } from '../changeset/file-state.ts';
import { withLinksInside } from '../changeset/folder-links.ts';
import { countChanges, reviewInSteps } from '../changeset/review.ts';
import { ReviewMemory } from '../changeset/review-memory.ts';
import type { CopyChange, Decisions, Review } from '../changeset/review-types.ts';
import { planOf, type ThreadState } from '../thread/state.ts';
import { SeenFiles } from '../workspace/seen-files.ts';
import type { ThreadCopy } from '../workspace/thread-copy.ts';
import { inSlices } from './in-slices.ts';
import type { OpenDocuments } from './ports.ts';
import type { ThreadRecord } from './record.ts';

/** Texts of open documents by path, without their versions. */
export function textsUnder(documents: OpenDocuments, root: string): ReadonlyMap<string, string> {
  return new Map([...documents.under(root)].map(([path, { text }]) => [path, text]));
}

/** What the reviews of one copy go by again: the user's files as they were seen last, and what was made of them. */
const sources = new WeakMap<ThreadCopy, { files: SeenFiles; memory: ReviewMemory }>();

function sourcesOf(root: string, copy: ThreadCopy): { files: SeenFiles; memory: ReviewMemory } {
  const known = sources.get(copy);
  if (known) return known;
  const made = { files: new SeenFiles(root), memory: new ReviewMemory() };
  sources.set(copy, made);
  return made;
}

/** `only`: paths of the user's files that are looked at again; of all others, what was seen last is good enough. */
export async function reviewThread(
  record: ThreadRecord,
  documents: OpenDocuments,
  { state = record.state, only }: { state?: ThreadState; only?: ReadonlySet<string> } = {},
): Promise<Review> {
  const copy = await record.copy();
  const changes = copy.changes();
  const { files, memory } = sourcesOf(record.root, copy);
  const user = await userStates(files, copy, changes, textsUnder(documents, record.root), only);
  const review = await inSlices(reviewInSteps(changes, user, decisionsOf(state), memory));
  return withLinksInside(review, foldersIn(record));
}

/** As the root sees them; nothing where there is one. */
const foldersIn = ({ root, workspace }: ThreadRecord): string[] | undefined =>
  workspace.folders?.map((folder) => relative(root, folder));

/** Shown nowhere: the agent has made a file of its own in the place of one that it has never seen. */
const hiddenSecret: FileState = { kind: 'other', what: 'hidden secret file' };

async function userStates(
  files: SeenFiles,
  copy: ThreadCopy,
  changes: readonly CopyChange[],
  buffers: ReadonlyMap<string, string>,
  only: ReadonlySet<string> | undefined,
): Promise<ReadonlyMap<string, FileState>> {
  const paths = changes.map(({ path }) => path);
  const states = await files.look(paths, buffers, only);
  for (const { path, base, agent } of changes) {
    const state = states.get(path) ?? absent;
    const wasSeen =
      (base !== 'unknown' && base.kind !== 'absent') || state.kind === 'absent' || sameState(state, agent);
    if (!wasSeen && (await copy.hides(path, buffers.get(path)))) states.set(path, hiddenSecret);
  }
  return states;
}

function decisionsOf(state: ThreadState): Decisions {
  const decisions = new Map<string, 'accepted' | 'rejected'>();
  for (const [id, { status }] of state.decided) {
    if (status === 'accepted' || status === 'rejected') decisions.set(id, status);
  }
  return decisions;
}

/** Says how much is pending, where that differs from what was said last, or always at the end of a turn. */
export function publishChanges(record: ThreadRecord, review: Review, turnId?: string): void {
  record.emit({ type: 'changesetUpdated', ...countChanges(review) }, turnId);
}

/** Everything that may be decided now, without what needs to be named. */
export const pendingHunks = (review: Review): string[] =>
  review.files.flatMap(({ sensitive, hunks }) =>
    sensitive === undefined ? hunks.filter(({ status }) => status === 'pending').map(({ id }) => id) : [],
  );

/** What the head of `review.diff` tells of the last turn. */
export function headingOf(state: ThreadState) {
  const turn = state.turns.at(-1);
  const commands = (turn?.items ?? [])
    .filter((item) => item.type === 'command')
    .map((item) => ({ command: item.command, outcome: outcomeOf(item) + whereAllIs(item.outputFile) }));
  return {
    threadId: state.threadId,
    title: state.title,
    unsandboxed: state.turns.some((earlier) => earlier.unsandboxed),
    summary: turn?.summary ?? turn?.error?.message,
    plan: [...planOf(state)],
    commands,
  };
}

const whereAllIs = (outputFile: string | undefined): string =>
  outputFile === undefined ? '' : `; its output: ${fileURLToPath(outputFile)}`;

function outcomeOf(item: { status: string; exitCode?: number; limit?: string; durationMs?: number }): string {
  const seconds = item.durationMs === undefined ? '' : `, ${(item.durationMs / 1000).toFixed(1)} s`;
  if (item.status === 'killed') return `stopped${item.limit ? ` (limit: ${item.limit})` : ''}${seconds}`;
  // What is left out of a long output hinders no command.
  const held = item.limit === undefined || item.limit === 'output' ? '' : ` (limit: ${item.limit})`;
  if (item.status === 'completed' || item.status === 'failed') return `exit ${item.exitCode ?? '?'}${held}${seconds}`;
  return item.status;
}
