/** Which thread a request means when it does not say. */
import type { Approval, ThreadStatus, ThreadSummary } from '../protocol/thread.ts';
import { Refusal } from '../task/refusal.ts';
import type { Session } from './session.ts';

const undecided: readonly ThreadStatus[] = ['inReview', 'waitingForApproval'];
const active: readonly ThreadStatus[] = ['running', 'waitingForApproval'];

/**
 * The thread named, else the one this connection last started or opened, else the only one of the workspace with
 * something pending (`what: 'active'`: with a running turn). Throws `ambiguousThread`, with the candidates, or `unknownThread`.
 */
export async function threadOf(
  session: Session,
  { threadId }: { threadId?: string },
  what: 'undecided' | 'active' = 'undecided',
): Promise<string> {
  const known = threadId || session.lastThread;
  if (known) return known;
  const statuses = what === 'active' ? active : undecided;
  const candidates = (await threadsOfWorkspace(session)).filter(({ status }) => statuses.includes(status));
  const [only] = candidates;
  if (candidates.length > 1) {
    const threads = candidates.map(({ threadId, title, status }) => ({ threadId, title, status }));
    const names = threads.map(({ threadId, title }) => `${threadId} (${title})`).join(', ');
    throw new Refusal('ambiguousThread', `Several tasks are meant by this; name one by its threadId: ${names}.`, {
      threads,
    });
  }
  if (!only) {
    const missing = what === 'active' ? 'No task is running' : 'No task has anything to review or to answer';
    throw new Refusal('unknownThread', `${missing} in this workspace; name a threadId.`);
  }
  return only.threadId;
}

/** Not archived, newest first. A folder whose threads can't be listed is left out, and logged. */
export async function threadsOfWorkspace(session: Session, limit = 200): Promise<ThreadSummary[]> {
  await session.folders.settled();
  const lists = session.folders.roots().map(async (root) => {
    try {
      return (await session.tasks.list({ root, limit })).threads;
    } catch (error) {
      session.skipped(`the threads of ${root}`, error);
      return [];
    }
  });
  const threads = distinct((await Promise.all(lists)).flat(), ({ threadId }) => threadId);
  return threads.toSorted((a, b) => b.updatedAt.localeCompare(a.updatedAt));
}

/** Pending, of the threads of this workspace that are known by now. */
export const approvalsHere = (session: Session): Approval[] =>
  distinct(
    session.folders.roots().flatMap((root) => approvalsIn(session, root)),
    ({ approvalId }) => approvalId,
  );

/** Each once: what belongs to a thread of several folders is found with each of them. */
export const distinct = <T>(all: readonly T[], idOf: (one: T) => string): T[] => [
  ...new Map(all.map((one) => [idOf(one), one])).values(),
];

/** None, and a line in the log, where they can't be looked up. */
function approvalsIn(session: Session, root: string): Approval[] {
  try {
    return session.tasks.approvals({ root });
  } catch (error) {
    session.skipped(`the approvals of ${root}`, error);
    return [];
  }
}
