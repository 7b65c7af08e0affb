/** Opens a state folder: the implementation of `Tasks`, where rooms are joined and nothing is decided. */
import { reviewDocument } from '../changeset/review-document.ts';
import type { Review } from '../changeset/review-types.ts';
import { toChangeset } from '../changeset/unified-diff.ts';
import { foldersOf, type Workspace } from '../protocol/folders.ts';
import type { EventEnvelope } from '../protocol/thread.ts';
import { sandboxStatus } from '../sandbox/status.ts';
import { saidBefore } from '../thread/said-before.ts';
import { summaryOf } from '../thread/state.ts';
import { titleGiven, titleGivenCharsMax } from '../thread/title.ts';
import { Approvals, unknownApproval } from './approvals.ts';
import { BinaryContents } from './binary-contents.ts';
import { Decisions } from './decide.ts';
import { DocumentsOfAll } from './documents-of-all.ts';
import { type ForkPoint, forkPoint, writeFork } from './fork.ts';
import type { Overlap } from './overlap.ts';
import { OverlappingThreads } from './overlapping-threads.ts';
import { type Face, noDocuments, type OpenDocuments } from './ports.ts';
import { pruneArchived } from './prune.ts';
import { Questions } from './questions.ts';
import type { ThreadRecord } from './record.ts';
import { InvalidParams, turnRunning } from './refusal.ts';
import { Registry } from './registry.ts';
import { headingOf, publishChanges, reviewThread } from './review.ts';
import { assertWorkspace } from './root.ts';
import { RunningTurns } from './running-turns.ts';
import { openStateFolder } from './state-folder.ts';
import { assertStateVersion } from './state-version.ts';
import { Superseded } from './superseded.ts';
import type { Tasks } from './tasks.ts';
import { sweepDeleted } from './thread-folders.ts';
import { listThreads } from './thread-list.ts';

type Listener = (envelope: EventEnvelope, workspace: Workspace) => void;
/** Makes the folder where there is none. Throws where it cannot. */
export async function openTasks(options: { stateDir: string }): Promise<Tasks> {
  const stateDir = await openStateFolder(options.stateDir);
  await assertStateVersion(stateDir);
  return new OpenTasks(stateDir);
}

class OpenTasks implements Tasks {
  readonly #stateDir: string;
  /** Of what killed processes were deleting. */
  readonly #sweeping: Promise<void>;
  readonly #listeners = new Set<Listener>();
  readonly #approvals = new Approvals();
  readonly #superseded = new Superseded();
  readonly #documents = new DocumentsOfAll(this.#superseded);
  readonly #decisions = new Decisions(this.#approvals, this.#superseded);
  readonly #contents = new BinaryContents();
  /** Looks at reviews, which may write down what the user's typing has settled. */
  readonly #looks = new Set<Promise<unknown>>();
  readonly #registry: Registry;
  readonly #questions: Questions;
  readonly #overlapping: OverlappingThreads;
  readonly #turns: RunningTurns;

  constructor(stateDir: string) {
    this.#stateDir = stateDir;
    this.#sweeping = sweepDeleted(stateDir);
    this.#registry = new Registry(stateDir, {
      publish: (envelope, workspace) => {
        for (const listener of this.#listeners) listener(envelope, workspace);
      },
      recoverApply: (record) => this.#decisions.recover(record),
      recover: (record) => this.#recover(record),
    });
    this.#questions = new Questions(this.#registry);
    this.#overlapping = new OverlappingThreads(this.#registry);
    this.#turns = new RunningTurns({
      stateDir,
      registry: this.#registry,
      approvals: this.#approvals,
      decisions: this.#decisions,
      documents: this.#documents,
      overlapping: this.#overlapping,
    });
  }

  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  attach(documents: OpenDocuments): () => void {
    return this.#documents.attach(documents);
  }

  start: Tasks['start'] = (asked) => this.#turns.start(asked);
  steer: Tasks['steer'] = (threadId, text) => this.#turns.steer(threadId, text);
  cancel: Tasks['cancel'] = (threadId) => this.#turns.cancel(threadId);

  /** The record is held: no other process writes to it. */
  async #recover(record: ThreadRecord): Promise<void> {
    const turnId = record.state.turns.at(-1)?.turnId;
    // What its last command had done is found when the copy is opened; without a workspace nothing can be.
    const review = await reviewThread(record, noDocuments).catch(() => undefined);
    if (review) publishChanges(record, review, turnId);
    this.#approvals.withdrawAll(record);
    record.emit({ type: 'turnCompleted', status: 'interrupted' }, turnId);
    if (review) this.#decisions.askForWhole(record, review);
  }

  list: Tasks['list'] = async (query) => {
    const listed = await this.#registry.list();
    return listThreads(
      listed.map(({ summary, words }) => ({ summary: this.#turns.current(summary), words })),
      query,
    );
  };

  thread: Tasks['thread'] = async (threadId, since = 0) => {
    const record = await this.#registry.find(threadId);
    await record.flushed();
    return { thread: this.#turns.current(summaryOf(record.state)), events: await record.events(since) };
  };

  async rootOf(threadId: string): Promise<string> {
    return (await this.#registry.find(threadId)).root;
  }

  async workspaceOf(threadId: string): Promise<Workspace> {
    return (await this.#registry.find(threadId)).workspace;
  }

  async fork(threadId: string, turnId?: string): Promise<{ threadId: string }> {
    const record = await this.#registry.find(threadId);
    for (const folder of foldersOf(record.workspace)) await assertWorkspace(folder, this.#stateDir);
    const point = () => forkPoint(record, turnId, () => turnRunning(threadId));
    const { isLast } = point();
    // What was said and done before later turns stays as it is, whatever runs.
    if (!isLast) return this.#forked(record, point());
    this.#turns.assertNone(threadId);
    const letNextIn = await record.enter();
    try {
      return await record.held(() => this.#forked(record, point()));
    } finally {
      letNextIn();
    }
  }

  async #forked(from: ThreadRecord, point: ForkPoint): Promise<{ threadId: string }> {
    await from.flushed();
    const place = await this.#registry.newPlace();
    await writeFork(from, point, place);
    const record = await this.#registry.find(place.threadId);
    await record.held(async () => {
      record.emit({ type: 'forked', from: { threadId: from.threadId, turnId: point.turnId } });
      const review = await reviewThread(record, noDocuments);
      publishChanges(record, review);
      this.#decisions.askForWhole(record, review);
      await record.flushed();
    });
    return { threadId: record.threadId };
  }

  async rename(threadId: string, title: string): Promise<void> {
    const record = await this.#registry.find(threadId);
    const line = titleGiven(title);
    if (line === '') throw new InvalidParams('title: it is empty.');
    if ([...line].length > titleGivenCharsMax) {
      throw new InvalidParams(`title: it has more than ${titleGivenCharsMax} characters.`);
    }
    await record.held(async () => {
      record.emit({ type: 'renamed', title: line });
      await record.flushed();
    });
  }

  async archive(threadId: string, archived: boolean): Promise<void> {
    const record = await this.#registry.find(threadId);
    await record.held(async () => {
      if (record.state.archived === archived) return;
      record.emit({ type: 'archived', archived });
      await record.flushed();
    });
  }

  async delete(threadId: string): Promise<void> {
    const record = await this.#registry.find(threadId);
    await this.#turns.stop(threadId);
    const release = await record.hold('work');
    try {
      await this.#remove(record);
    } finally {
      await release();
    }
  }

  prune: Tasks['prune'] = async (retention) => {
    const removed = await pruneArchived(this.#registry, retention, (record) => this.#remove(record));
    return removed.map(({ threadId, workspace }) => ({ threadId, workspace }));
  };

  /** The record is held. */
  async #remove(record: ThreadRecord): Promise<void> {
    try {
      // From here on nobody finds it any more; who has found it before is waited for, for they write to its folder.
      const forgotten = this.#registry.forget(record.threadId);
      await this.#turns.stop(record.threadId);
      this.#approvals.withdrawAll(record);
      await forgotten;
      await Promise.allSettled(this.#looks);
      (await record.enter())();
      // The lock lies in the folder, and goes with it.
      await record.remove();
    } catch (error) {
      this.#registry.recall(record.threadId);
      throw error;
    }
  }

  approvals: Tasks['approvals'] = (of) => this.#questions.approvals(of);
  waiting: Tasks['waiting'] = (of) => this.#questions.waiting(of);
  grants: Tasks['grants'] = (of) => this.#questions.grants(of);
  revoke: Tasks['revoke'] = (grantId) => this.#questions.revoke(grantId);

  approve: Tasks['approve'] = async ({ approvalId, decision }, face) => {
    const record = await this.#registry.withApproval(approvalId);
    if (!record) throw unknownApproval(approvalId);
    const approval = record.state.approvals.get(approvalId);
    if (approval?.kind === 'question' && decision === 'acceptForThread') {
      throw new InvalidParams("decision: a question is answered by 'accept' with an answer, 'decline' or 'cancel'.");
    }
    if (approval?.kind !== 'changes') {
      await record.held(() => this.#approvals.answer(record, approvalId, decision));
      if (decision === 'cancel') await this.cancel(record.threadId);
      return { approvalId, decision };
    }
    if (decision === 'acceptForThread') {
      throw new InvalidParams("decision: a finished changeset is answered by 'accept', 'decline' or 'cancel'.");
    }
    // Settled when the last of its hunks is decided; whoever answers while that is done comes after it.
    const check = () => this.#approvals.assertPending(record, approvalId);
    if (decision === 'accept') await this.#decisions.accept(record, {}, this.#live(face), check);
    else await this.#decisions.reject(record, {}, this.#documents.seenBy(face.documents), { check, decision });
    return { approvalId, decision };
  };

  review: Tasks['review'] = (threadId, documents, only) => {
    const found = this.#registry.find(threadId);
    return this.#look(found.then((record) => this.#decisions.look(record, this.#documents.seenBy(documents), only)));
  };

  changeset: Tasks['changeset'] = async (threadId, documents) => {
    const review = await this.review(threadId, documents);
    const record = this.#registry.loaded(threadId);
    const overlaps = await this.#overlaps(record, review, documents);
    return toChangeset(threadId, review, await this.#contents.of(record, review), overlaps);
  };

  saidBefore: Tasks['saidBefore'] = async (threadId, paths) =>
    saidBefore((await this.#registry.find(threadId)).state, paths);

  async reviewDocument(threadId: string, documents: OpenDocuments): Promise<string> {
    const review = await this.review(threadId, documents);
    const record = this.#registry.loaded(threadId);
    const overlaps = await this.#overlaps(record, review, documents);
    return reviewDocument(review, { ...headingOf(record.state), overlaps }, await this.#contents.of(record, review));
  }

  folderOf(threadId: string): string {
    return this.#registry.folderOf(threadId);
  }

  accept: Tasks['accept'] = async (threadId, selection, face) =>
    this.#decisions.accept(await this.#idle(threadId), selection, this.#live(face));

  applyEdited: Tasks['applyEdited'] = async (threadId, edited, face) => {
    const record = await this.#idle(threadId);
    const contents = (review: Review) => this.#contents.of(record, review);
    return this.#decisions.applyEdited(record, edited, this.#live(face), contents);
  };

  reject: Tasks['reject'] = async (threadId, selection, documents) => {
    await this.#decisions.reject(await this.#idle(threadId), selection, this.#documents.seenBy(documents));
    return this.changeset(threadId, documents);
  };

  undo: Tasks['undo'] = async (threadId, face, { redo } = {}) =>
    this.#decisions.undo(await this.#idle(threadId), this.#live(face), redo ? 'redo' : 'undo');

  sandbox: Tasks['sandbox'] = (of) => sandboxStatus({ stateDir: this.#stateDir, ...of });

  runs(threadId: string): boolean {
    return this.#turns.has(threadId);
  }

  isBusy(): boolean {
    return this.#turns.size > 0 || this.#looks.size > 0 || this.#registry.all().some(({ isBusy }) => isBusy);
  }

  async close(): Promise<void> {
    await this.#turns.stopAll();
    await Promise.allSettled([...this.#looks, this.#sweeping]);
    // What is being decided is decided to its end.
    for (const record of this.#registry.all()) (await record.enter())();
    for (const record of this.#registry.all()) await record.taken();
    for (const record of this.#registry.all()) await record.flushed().catch(() => {});
  }

  #live(face: Face): Face {
    return { ...face, documents: this.#documents.seenBy(face.documents) };
  }

  #overlaps(record: ThreadRecord, review: Review, documents: OpenDocuments): Promise<Overlap[]> {
    return this.#look(this.#overlapping.of(record, review, this.#documents.seenBy(documents)));
  }

  #look<T>(begun: Promise<T>): Promise<T> {
    const look = begun.finally(() => this.#looks.delete(look));
    this.#looks.add(look);
    return look;
  }

  /** The thread, if no turn of this process runs in it: what runs may still change what would be decided. */
  async #idle(threadId: string): Promise<ThreadRecord> {
    const record = await this.#registry.find(threadId);
    this.#turns.assertNone(threadId);
    return record;
  }
}
