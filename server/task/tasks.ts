/** The door to everything a face can ask for: threads and turns, approvals, review, apply and undo. */
import type { EditedReview } from '../changeset/edited-outcome.ts';
import type { Review } from '../changeset/review-types.ts';
import type { ApplyResult, Changeset } from '../protocol/changeset.ts';
import type { Workspace } from '../protocol/folders.ts';
import type { Params, Result } from '../protocol/methods.ts';
import type { Settings } from '../protocol/settings.ts';
import type { Approval, EventEnvelope, Grant, ThreadSummary } from '../protocol/thread.ts';
import type { SandboxStatus } from '../sandbox/types.ts';
import type { Face, OpenDocuments, Selection, TaskRequest } from './ports.ts';

/**
 * Every method that names a thread throws `Refusal('unknownThread')` where there is none. What cannot be done now is a
 * `Refusal` with its reason. Listeners are called in the order of events, never from inside the method that caused
 * the first event of a turn.
 */
export interface Tasks {
  /** `workspace`: the thread's. Returns the function that unsubscribes. */
  subscribe(listener: (envelope: EventEnvelope, workspace: Workspace) => void): () => void;

  /**
   * A connection's documents, for as long as it is there: turns of others read what only it has open and has not saved,
   * and their decisions never write over that. Returns the function that detaches them.
   */
  attach(documents: OpenDocuments): () => void;

  /** Answers at once; the turn's first event comes in a later macrotask. */
  start(request: TaskRequest): Promise<{ threadId: string; turnId: string }>;
  /** Throws `noTurnRunning`, or `turnRunning` where another process runs it. */
  steer(threadId: string, text: string): Promise<{ turnId: string }>;
  /** Throws `turnRunning` where another process runs it. */
  cancel(threadId: string): Promise<{ status: 'interrupted' | 'idle' }>;

  list(query: Omit<Params<'codex/threads'>, 'root'> & { root?: string }): Promise<Result<'codex/threads'>>;
  thread(threadId: string, since?: number): Promise<{ thread: ThreadSummary; events: EventEnvelope[] }>;
  /** What the thread's paths are relative to: the workspace folder, or the closest one around several; absolute. */
  rootOf(threadId: string): Promise<string>;
  workspaceOf(threadId: string): Promise<Workspace>;
  /** Throws `turnRunning` where the turn to fork at runs, `InvalidParams` for one that is none of the thread's. */
  fork(threadId: string, turnId?: string): Promise<{ threadId: string }>;
  rename(threadId: string, title: string): Promise<void>;
  archive(threadId: string, archived: boolean): Promise<void>;
  delete(threadId: string): Promise<void>;

  /** Removes archived threads beyond these limits that nobody is at. Answers which, with the folders they belonged to. */
  prune(retention: Settings['retention']): Promise<{ threadId: string; workspace: Workspace }[]>;

  /** Pending, in threads that this process has looked at: of one thread, of one workspace folder, or all. */
  approvals(of: { threadId?: string; root?: string }): Approval[];
  /** Pending, in all threads of a workspace, or of the state folder. */
  waiting(of: { root?: string }): Promise<Approval[]>;
  /** Settles exactly once; a second answer is `alreadySettled`, naming the first. Kind `changes` accepts or rejects all. */
  approve(params: Params<'codex/approve'>, face: Face): Promise<Result<'codex/approve'>>;

  /** Of one thread, or of all of a workspace, in the order in which they were given. */
  grants(of: { threadId: string } | { root: string }): Promise<Grant[]>;
  /** Throws `unknownGrant`, also where it was taken back before, and `turnRunning` where another process runs the thread. */
  revoke(grantId: string): Promise<void>;

  /** `only`: files of the user that are looked at again; of the others, what was seen last is shown. */
  review(threadId: string, documents: OpenDocuments, only?: ReadonlySet<string>): Promise<Review>;
  changeset(threadId: string, documents: OpenDocuments): Promise<Changeset>;
  /** What the agent said before its last patch of a file, which may be named by several paths. */
  saidBefore(threadId: string, paths: readonly string[]): Promise<string | undefined>;
  /** The text of `review.diff`. */
  reviewDocument(threadId: string, documents: OpenDocuments): Promise<string>;
  /** The thread's folder, for its `review.diff` and other documents; absolute. */
  folderOf(threadId: string): string;
  /** Throws `unknownHunk`, `alreadyDecided`, `stale`, `turnRunning` before it answers; `result` never rejects. */
  accept(
    threadId: string,
    selection: Selection,
    face: Face,
  ): Promise<{ applyId: string; result: Promise<ApplyResult> }>;
  /** Applies what an edited review document says; what does not fit is in the result. Throws and answers as `accept`. */
  applyEdited(
    threadId: string,
    edited: EditedReview,
    face: Face,
  ): Promise<{ applyId: string; result: Promise<ApplyResult> }>;
  reject(threadId: string, selection: Selection & { comment?: string }, documents: OpenDocuments): Promise<Changeset>;
  /** `redo`: the latest undo, back again. Throws `nothingToUndo` or `nothingToRedo`; `result` never rejects. */
  undo(
    threadId: string,
    face: Face,
    options?: { redo?: boolean },
  ): Promise<{ applyId: string; result: Promise<ApplyResult> }>;

  /** How commands run, in this workspace where one is named: its folders are `root` and `others`. `unsandboxed`: `sandbox.dangerouslyUnsandboxed` of the face. */
  sandbox(of: { root?: string; others?: readonly string[]; unsandboxed: boolean }): Promise<SandboxStatus>;
  /** A turn of this process runs in the thread: what happens in it is told to subscribers. */
  runs(threadId: string): boolean;
  /** A turn runs, or a decision is being carried out. */
  isBusy(): boolean;
  /** Stops every running turn (`interrupted`), withdraws its approvals, and waits until no process of ours lives. */
  close(): Promise<void>;
}
