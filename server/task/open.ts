/** Opens a state folder: the implementation of `Tasks`, where rooms are joined and nothing is decided. */
import { reviewDocument } from '../changeset/review-document.ts';
import type { Review } from '../changeset/review-types.ts';
import { toChangeset } from '../changeset/unified-diff.ts';
import type { EventEnvelope } from '../protocol/thread.ts';
import { probeSandbox } from '../sandbox/probe.ts';
import { summaryOf } from '../thread/state.ts';
import { applyHunks, undoApply, undoable } from './apply.ts';
import { Approvals, unknownApproval } from './approvals.ts';
import { newId } from './ids.ts';
import { lockHolder, takeLock } from './lock.ts';
import { noDocuments, type OpenDocuments, type TaskRequest } from './ports.ts';
import type { ThreadRecord } from './record.ts';
import { InvalidParams, Refusal } from './refusal.ts';
import { Registry } from './registry.ts';
import { headingOf, pendingHunks, publishChanges, reviewThread } from './review.ts';
import { assertWorkspace } from './root.ts';
import { selectHunks } from './selection.ts';
import { Slots } from './slots.ts';
import { openStateFolder } from './state-folder.ts';
import type { Tasks } from './tasks.ts';
import { listThreads } from './thread-list.ts';

type Listener = (envelope: EventEnvelope, root: string) => void;
type RunningTurn = { turnId: string; stop: AbortController; steering: string[]; ended: Promise<void> };

/** Makes the folder where there is none. Throws where it cannot. */
export async function openTasks(options: { stateDir: string }): Promise<Tasks> {
  return new OpenTasks(await openStateFolder(options.stateDir));
}

class OpenTasks implements Tasks {
  readonly #stateDir: string;
  readonly #listeners = new Set<Listener>();
  readonly #running = new Map<string, RunningTurn>();
  readonly #approvals = new Approvals();
  readonly #registry: Registry;
  readonly #slots = new Slots();

  constructor(stateDir: string) {
    this.#stateDir = stateDir;
    const publish: Listener = (envelope, root) => {
      for (const listener of this.#listeners) listener(envelope, root);
    };
    this.#registry = new Registry(stateDir, publish, async (record, turnId) => {
      publishChanges(record, await reviewThread(record, noDocuments), turnId);
    });
  }

  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async start(request: TaskRequest): Promise<{ threadId: string; turnId: string }> {
    assertWorkspace(request.root, this.#stateDir);
    const existing = request.threadId === undefined ? undefined : await this.#registry.find(request.threadId);
    if (existing && existing.root !== request.root) {
      throw new Refusal(
        'noWorkspace',
        `Thread ${existing.threadId} belongs to ${existing.root}, not to ${request.root}.`,
      );
    }
    const record = existing ?? (await this.#registry.create());
    if (this.#running.has(record.threadId)) throw turnRunning(record.threadId);
    const lock = await takeLock(record.lockPath);
    if ('heldBy' in lock) throw turnRunning(record.threadId, lock.heldBy);
    const turnId = newId('u');
    const turn: RunningTurn = { turnId, stop: new AbortController(), steering: [], ended: Promise.resolve() };
    this.#running.set(record.threadId, turn);
    const leave = () => {
      this.#running.delete(record.threadId);
      lock.release();
    };
    turn.ended = new Promise((resolve) => {
      // A later macrotask: the answer to the request goes out before the turn's first event.
      setImmediate(() => void this.#run(record, request, turn, leave).then(resolve));
    });
    return { threadId: record.threadId, turnId };
  }

  /** Never rejects: however a turn ends, it is told in `turnCompleted`. */
  async #run(record: ThreadRecord, request: TaskRequest, turn: RunningTurn, leave: () => void): Promise<void> {
    // Agent, model and sandbox are loaded with the first turn, not with the server.
    const { runTask } = await import('./run.ts');
    await runTask({
      record,
      request,
      turnId: turn.turnId,
      signal: turn.stop.signal,
      approvals: this.#approvals,
      slots: this.#slots,
      steering: () => turn.steering.splice(0),
      leave,
    });
  }

  steer(threadId: string, text: string): { turnId: string } {
    const turn = this.#running.get(this.#registry.loaded(threadId).threadId);
    if (!turn) throw new Refusal('noTurnRunning', `No turn runs in thread ${threadId}; start one with codex/runTask.`);
    turn.steering.push(text);
    return { turnId: turn.turnId };
  }

  cancel(threadId: string): { status: 'interrupted' | 'idle' } {
    const turn = this.#running.get(this.#registry.loaded(threadId).threadId);
    turn?.stop.abort();
    return { status: turn ? 'interrupted' : 'idle' };
  }

  list: Tasks['list'] = async (query) => listThreads(await this.#registry.loadAll(), query);

  thread: Tasks['thread'] = async (threadId, since = 0) => {
    const record = await this.#registry.find(threadId);
    await record.flushed();
    return { thread: summaryOf(record.state), events: await record.events(since) };
  };

  async rootOf(threadId: string): Promise<string> {
    return (await this.#registry.find(threadId)).root;
  }

  async rename(threadId: string, title: string): Promise<void> {
    (await this.#registry.find(threadId)).emit({ type: 'renamed', title });
  }

  async archive(threadId: string, archived: boolean): Promise<void> {
    const record = await this.#registry.find(threadId);
    if (record.state.archived !== archived) record.emit({ type: 'archived', archived });
    await record.flushed();
  }

  async delete(threadId: string): Promise<void> {
    const record = await this.#registry.find(threadId);
    const turn = this.#running.get(threadId);
    const elsewhere = turn ? undefined : await lockHolder(record.lockPath);
    if (elsewhere !== undefined) throw turnRunning(threadId, elsewhere);
    turn?.stop.abort();
    await turn?.ended;
    this.#approvals.withdrawAll(record);
    this.#registry.forget(threadId);
    await record.remove();
  }

  approvals: Tasks['approvals'] = ({ threadId, root }) => {
    const records = threadId === undefined ? this.#registry.all() : [this.#registry.loaded(threadId)];
    return records
      .filter((record) => root === undefined || record.root === root)
      .flatMap((record) => [...record.state.approvals.values()]);
  };

  approve: Tasks['approve'] = async ({ approvalId, decision }, face) => {
    const has = ({ state }: ThreadRecord) => state.approvals.has(approvalId) || state.settled.has(approvalId);
    const record = this.#registry.all().find(has) ?? (await this.#registry.loadAll()).find(has);
    if (!record) throw unknownApproval(approvalId);
    const approval = record.state.approvals.get(approvalId);
    if (approval?.kind === 'changes') {
      if (decision === 'acceptForThread') {
        throw new InvalidParams("decision: a finished changeset is answered by 'accept', 'decline' or 'cancel'.");
      }
      // Settled by the decision on its hunks, the approval must be so at once for whoever answers next.
      this.#approvals.settle(record, approvalId, decision);
      if (decision === 'accept') void (await this.accept(record.threadId, {}, face)).result;
      else await this.reject(record.threadId, {}, face.documents);
      return { approvalId, decision };
    }
    this.#approvals.settle(record, approvalId, decision);
    if (decision === 'cancel') this.cancel(record.threadId);
    return { approvalId, decision };
  };

  async review(threadId: string, documents: OpenDocuments): Promise<Review> {
    return reviewThread(await this.#registry.find(threadId), documents);
  }

  changeset: Tasks['changeset'] = async (threadId, documents) =>
    toChangeset(threadId, await this.review(threadId, documents));

  async reviewDocument(threadId: string, documents: OpenDocuments): Promise<string> {
    const record = await this.#registry.find(threadId);
    return reviewDocument(await reviewThread(record, documents), headingOf(record.state));
  }

  folderOf(threadId: string): string {
    return this.#registry.folderOf(threadId);
  }

  accept: Tasks['accept'] = async (threadId, selection, face) => {
    const record = await this.#idle(threadId);
    const review = await reviewThread(record, face.documents);
    const ids = selectHunks(review, selection, record.applying);
    const applyId = newId('p');
    for (const id of ids) record.applying.add(id);
    const result = (async () => {
      const { result, accepted } = await applyHunks(record, review, ids, applyId, face);
      for (const id of ids) record.applying.delete(id);
      if (accepted.length > 0) {
        record.emit({
          type: 'hunksDecided',
          hunks: accepted.map((hunk) => ({ ...hunk, status: 'accepted' as const })),
        });
      }
      record.emit({ type: 'applied', result });
      await this.#decided(record, face.documents);
      return result;
    })();
    return { applyId, result };
  };

  reject: Tasks['reject'] = async (threadId, selection, documents) => {
    const record = await this.#idle(threadId);
    const review = await reviewThread(record, documents);
    const ids = selectHunks(review, selection, record.applying, { conflicting: true });
    const hunks = review.files.flatMap(({ path, hunks }) =>
      hunks.filter(({ id }) => ids.has(id)).map(({ id }) => ({ id, path, status: 'rejected' as const })),
    );
    if (hunks.length > 0 || selection.comment) {
      record.emit({ type: 'hunksDecided', hunks, ...(selection.comment ? { comment: selection.comment } : {}) });
    }
    await this.#decided(record, documents);
    return this.changeset(threadId, documents);
  };

  undo: Tasks['undo'] = async (threadId, face) => {
    const record = await this.#idle(threadId);
    const entry = await undoable(record);
    const applyId = newId('p');
    const result = (async () => {
      const { result, pending } = await undoApply(record, entry, applyId, face);
      if (pending.length > 0) {
        record.emit({ type: 'hunksDecided', hunks: pending.map((hunk) => ({ ...hunk, status: 'pending' as const })) });
      }
      record.emit({ type: 'undone', result });
      await this.#decided(record, face.documents);
      return result;
    })();
    return { applyId, result };
  };

  sandbox: Tasks['sandbox'] = () => probeSandbox(this.#stateDir);

  async close(): Promise<void> {
    const turns = [...this.#running.values()];
    for (const { stop } of turns) stop.abort();
    await Promise.all(turns.map(({ ended }) => ended));
    for (const record of this.#registry.all()) await record.flushed().catch(() => {});
  }

  /** The thread, if no turn runs in it: what runs may still change what would be decided. */
  async #idle(threadId: string): Promise<ThreadRecord> {
    const record = await this.#registry.find(threadId);
    if (this.#running.has(threadId)) throw turnRunning(threadId);
    return record;
  }

  /** After a decision: says what is left, and settles or asks again for the whole. */
  async #decided(record: ThreadRecord, documents: OpenDocuments): Promise<void> {
    const review = await reviewThread(record, documents);
    publishChanges(record, review);
    const left = pendingHunks(review).length;
    const asked = [...record.state.approvals.values()].find(({ kind }) => kind === 'changes');
    if (asked && left === 0) {
      const accepted = [...record.state.decided.values()].some(({ status }) => status === 'accepted');
      this.#approvals.settle(record, asked.approvalId, accepted ? 'accept' : 'decline');
    }
    await record.flushed();
  }
}

const turnRunning = (threadId: string, pid?: number) =>
  new Refusal(
    'turnRunning',
    `A turn runs in thread ${threadId}${pid ? ` (process ${pid})` : ''}; cancel it with codex/cancel, or wait for it.`,
    { threadId },
  );
