/** `Tasks` without an agent: threads, reviews and events are what a test says they are. Calls that it did not prepare fail. */
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { EditedReview } from '../../server/changeset/edited-outcome.ts';
import { reviewDocument } from '../../server/changeset/review-document.ts';
import type { Review, ReviewFile, ReviewHunk } from '../../server/changeset/review-types.ts';
import { toChangeset } from '../../server/changeset/unified-diff.ts';
import type { ApplyResult } from '../../server/protocol/changeset.ts';
import { foldersOf, type Workspace } from '../../server/protocol/folders.ts';
import type {
  Approval,
  Decision,
  EventEnvelope,
  Grant,
  ThreadEvent,
  ThreadStatus,
  ThreadSummary,
} from '../../server/protocol/thread.ts';
import { unsandboxedNotice } from '../../server/sandbox/status.ts';
import type { SandboxStatus } from '../../server/sandbox/types.ts';
import type { Face, OpenDocuments, Selection, TaskRequest } from '../../server/task/ports.ts';
import { Refusal } from '../../server/task/refusal.ts';
import type { Tasks } from '../../server/task/tasks.ts';

type Thread = {
  summary: ThreadSummary;
  root: string;
  folders?: readonly string[];
  events: EventEnvelope[];
  review: (documents: OpenDocuments) => Review;
};

const noUsage = { inputTokens: 0, cachedInputTokens: 0, outputTokens: 0, reasoningTokens: 0, requests: 0 };
const at = '2026-01-02T03:04:05.000Z';

export class FakeTasks implements Tasks {
  readonly started: TaskRequest[] = [];
  readonly accepted: { threadId: string; selection: Selection; face: Face }[] = [];
  readonly appliedEdited: { threadId: string; edited: EditedReview }[] = [];
  readonly rejected: { threadId: string; selection: Selection & { comment?: string } }[] = [];
  readonly undone: string[] = [];
  readonly redone: string[] = [];
  readonly cancelled: string[] = [];
  readonly steered: string[] = [];
  readonly answered: { approvalId: string; decision: Decision; answer?: string }[] = [];
  readonly deleted: string[] = [];
  readonly forked: string[] = [];
  given: Grant[] = [];
  pending: (Approval & { root: string })[] = [];
  sandboxStatus: SandboxStatus = { kind: 'overlay', bwrapVersion: '0.11.0' };
  reviewsRead = 0;
  /** By path. */
  readonly said = new Map<string, string>();
  /** What an accept or undo does with the face that asked. */
  apply: (threadId: string, face: Face) => Promise<ApplyResult> = async () => ({
    applyId: 'a1',
    applied: [],
    conflicts: [],
    failed: [],
  });
  /** Thrown by the next call of `start`. */
  startError: Error | undefined;
  readonly #threads = new Map<string, Thread>();
  readonly #listeners = new Set<(envelope: EventEnvelope, workspace: Workspace) => void>();
  readonly #stateFolder: string;
  readonly #isOwn: boolean;

  /** `stateFolder`: by default one of its own, gone when this is closed. */
  constructor(stateFolder?: string) {
    this.#stateFolder = stateFolder ?? mkdtempSync(join(tmpdir(), 'codex-lsp-fake-'));
    this.#isOwn = stateFolder === undefined;
  }

  /** A thread that is there already. */
  add(threadId: string, root: string, status: ThreadStatus = 'idle', title = `title of ${threadId}`): void {
    const summary: ThreadSummary = {
      threadId,
      title,
      root: pathToFileURL(root).href,
      status,
      createdAt: at,
      updatedAt: at,
      archived: false,
      usage: noUsage,
    };
    this.#threads.set(threadId, { summary, root, events: [], review: () => ({ files: [] }) });
  }

  setReview(threadId: string, review: Review | ((documents: OpenDocuments) => Review)): void {
    this.#thread(threadId).review = typeof review === 'function' ? review : () => review;
  }

  setStatus(threadId: string, status: ThreadStatus): void {
    this.#thread(threadId).summary.status = status;
  }

  emit(threadId: string, event: ThreadEvent, turnId = 'u1'): void {
    const thread = this.#thread(threadId);
    const seq = event.type === 'itemDelta' ? undefined : thread.events.length + 1;
    const envelope: EventEnvelope = { threadId, turnId, seq, at, event };
    if (seq !== undefined) thread.events.push(envelope);
    for (const listener of this.#listeners) listener(envelope, { root: thread.root, folders: thread.folders });
  }

  attach(): () => void {
    return () => {};
  }

  subscribe(listener: (envelope: EventEnvelope, workspace: Workspace) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async start(request: TaskRequest): Promise<{ threadId: string; turnId: string }> {
    if (this.startError) throw this.startError;
    this.started.push(request);
    const threadId = request.threadId ?? `t${this.started.length}`;
    if (!request.threadId) {
      this.add(threadId, request.root, 'running', request.prompt);
      this.#thread(threadId).folders = request.folders;
    }
    setImmediate(() => {
      const { mode, prompt, origin } = request;
      this.emit(threadId, { type: 'turnStarted', prompt, model: 'fake', mode, origin });
    });
    return { threadId, turnId: 'u1' };
  }

  async steer(_threadId: string, text: string): Promise<{ turnId: string }> {
    this.steered.push(text);
    return { turnId: 'u1' };
  }

  async cancel(threadId: string): Promise<{ status: 'interrupted' | 'idle' }> {
    this.cancelled.push(threadId);
    return { status: 'interrupted' };
  }

  list: Tasks['list'] = async ({ root }) => {
    const threads = [...this.#threads.values()].filter(
      (thread) => root === undefined || foldersOf(thread).includes(root),
    );
    return { threads: threads.map(({ summary }) => summary) };
  };

  async thread(threadId: string, since = 0): Promise<{ thread: ThreadSummary; events: EventEnvelope[] }> {
    const { summary, events } = this.#thread(threadId);
    return { thread: summary, events: events.filter(({ seq = 0 }) => seq > since) };
  }

  async rootOf(threadId: string): Promise<string> {
    return this.#thread(threadId).root;
  }

  async workspaceOf(threadId: string): Promise<Workspace> {
    const { root, folders } = this.#thread(threadId);
    return folders ? { root, folders } : { root };
  }

  async fork(threadId: string): Promise<{ threadId: string }> {
    this.#thread(threadId);
    const forked = { threadId: `${threadId}fork` };
    this.forked.push(forked.threadId);
    return forked;
  }

  async prune(): Promise<[]> {
    return [];
  }

  async rename(threadId: string, title: string): Promise<void> {
    this.#thread(threadId).summary.title = title;
  }

  async archive(threadId: string, archived: boolean): Promise<void> {
    this.#thread(threadId).summary.archived = archived;
  }

  async delete(threadId: string): Promise<void> {
    this.#thread(threadId);
    this.#threads.delete(threadId);
    this.deleted.push(threadId);
  }

  async waiting({ root }: { root?: string }): Promise<Approval[]> {
    return this.approvals({ root });
  }

  approvals({ threadId, root }: { threadId?: string; root?: string }): Approval[] {
    return this.pending
      .filter(
        (one) => (threadId === undefined || one.threadId === threadId) && (root === undefined || one.root === root),
      )
      .map(({ root: _, ...approval }) => approval);
  }

  approve: Tasks['approve'] = async ({ approvalId, decision, answer }) => {
    const approval = this.pending.find((one) => one.approvalId === approvalId);
    if (!approval) throw new Refusal('unknownApproval', `There is no approval ${approvalId}.`);
    this.answered.push({ approvalId, decision, answer });
    this.pending = this.pending.filter((one) => one !== approval);
    this.emit(approval.threadId, { type: 'approvalResolved', approvalId, decision });
    return { approvalId, decision };
  };

  grants: Tasks['grants'] = async (of) =>
    this.given.filter(({ threadId }) =>
      'threadId' in of ? threadId === of.threadId : this.#thread(threadId).root === of.root,
    );

  async revoke(grantId: string): Promise<void> {
    if (!this.given.some((grant) => grant.grantId === grantId)) {
      throw new Refusal('unknownGrant', `There is no grant ${grantId}.`);
    }
    this.given = this.given.filter((grant) => grant.grantId !== grantId);
  }

  async review(threadId: string, documents: OpenDocuments): Promise<Review> {
    this.reviewsRead += 1;
    return this.#thread(threadId).review(documents);
  }

  changeset: Tasks['changeset'] = async (threadId, documents) =>
    toChangeset(threadId, await this.review(threadId, documents));

  async saidBefore(threadId: string, [path = '']: readonly string[]): Promise<string | undefined> {
    this.#thread(threadId);
    return this.said.get(path);
  }

  async reviewDocument(threadId: string, documents: OpenDocuments): Promise<string> {
    const { summary, review } = this.#thread(threadId);
    return reviewDocument(review(documents), { title: summary.title, threadId });
  }

  folderOf(threadId: string): string {
    return join(this.#stateFolder, 'threads', threadId);
  }

  accept: Tasks['accept'] = async (threadId, selection, face) => {
    this.#thread(threadId);
    this.accepted.push({ threadId, selection, face });
    const result = this.apply(threadId, face).then((done) => {
      this.emit(threadId, { type: 'applied', result: done });
      return done;
    });
    return { applyId: 'a1', result };
  };

  applyEdited: Tasks['applyEdited'] = async (threadId, edited, face) => {
    this.#thread(threadId);
    this.appliedEdited.push({ threadId, edited });
    const result = this.apply(threadId, face).then((done) => {
      this.emit(threadId, { type: 'applied', result: done });
      return done;
    });
    return { applyId: 'a1', result };
  };

  reject: Tasks['reject'] = async (threadId, selection, documents) => {
    this.rejected.push({ threadId, selection });
    return this.changeset(threadId, documents);
  };

  undo: Tasks['undo'] = async (threadId, face, { redo } = {}) => {
    (redo ? this.redone : this.undone).push(threadId);
    const result = this.apply(threadId, face).then((done) => {
      this.emit(threadId, { type: redo ? 'applied' : 'undone', result: done });
      return done;
    });
    return { applyId: 'a2', result };
  };

  async sandbox({ unsandboxed }: { unsandboxed: boolean }): Promise<SandboxStatus> {
    if (unsandboxed) return { kind: 'none', reason: unsandboxedNotice, remedy: 'Take it out.' };
    return this.sandboxStatus;
  }

  runs = (threadId: string): boolean =>
    ['running', 'waitingForApproval'].includes(this.#thread(threadId).summary.status);

  isBusy = (): boolean => false;

  async close(): Promise<void> {
    if (this.#isOwn) await rm(this.#stateFolder, { recursive: true, force: true });
  }

  #thread(threadId: string): Thread {
    const thread = this.#threads.get(threadId);
    if (!thread) throw new Refusal('unknownThread', `There is no thread ${threadId}.`);
    return thread;
  }
}

/** A modified file with hunks given as `[line, old lines, new lines]`. */
export function fileInReview(
  path: string,
  user: string,
  hunks: readonly (Omit<Partial<ReviewHunk>, 'line'> & { line: number })[],
): ReviewFile {
  return {
    path,
    kind: 'modify',
    userPath: path,
    base: { kind: 'text', text: user, mode: 0o644 },
    agent: { kind: 'text', text: user, mode: 0o644 },
    user: { kind: 'text', text: user, mode: 0o644 },
    hunks: hunks.map((hunk, index) => ({
      id: `h${index + 1}`,
      status: 'pending',
      oldLines: [],
      newLines: [],
      ...hunk,
    })),
  };
}
