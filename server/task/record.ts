/** One thread on disk and in memory: its journal, the state folded from it, the model's conversation, its copy. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import * as z from 'zod';
import { repairConversation } from '../agent/repair.ts';
import type { ConversationItem } from '../model/model.ts';
import type { Workspace } from '../protocol/folders.ts';
import { type EventEnvelope, eventEnvelopeSchema, type ThreadEvent } from '../protocol/thread.ts';
import { fold, isRunning, newThread, type ThreadState } from '../thread/state.ts';
import { openCopy } from '../workspace/folder-copies.ts';
import type { ThreadCopy } from '../workspace/thread-copy.ts';
import { isUnfinished } from './apply-journal.ts';
import { isDurable } from './durable-events.ts';
import { JsonLines } from './jsonl.ts';
import { type Lock, type Purpose, takeLock } from './lock.ts';
import { turnRunning, unknownThread } from './refusal.ts';
import { beginningOf, journalName, writeSummary } from './summary-file.ts';
import { Telling } from './telling.ts';
import { removeThreadFolder } from './thread-folders.ts';
import { turnMark, withoutMarks } from './turn-marks.ts';

const uriOf = (path: string): string => pathToFileURL(path).href;

const conversationItemSchema = z.looseObject({ type: z.string() });

const isMissing = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ENOENT';

export type Around = {
  publish(envelope: EventEnvelope, workspace: Workspace): void;
  /** Ends what a process that is gone was applying. The record is held. */
  recoverApply(record: ThreadRecord): Promise<void>;
  /** Ends the turn of a process that is gone. The record is held. */
  recover(record: ThreadRecord): Promise<void>;
};

export class ThreadRecord {
  readonly threadId: string;
  readonly folder: string;
  /** Replaced by each event; never changed in place. */
  state: ThreadState;
  /** Its journal was there, and is not any more: another process has deleted it. */
  isGone = false;
  /** Warnings of this process that are said once in a thread. */
  readonly toldOnce = new Set<string>();
  readonly #journal: JsonLines<EventEnvelope>;
  readonly #conversation: JsonLines<ConversationItem>;
  readonly #around: Around;
  readonly #telling: Telling<EventEnvelope>;
  #copy: Promise<ThreadCopy> | undefined;
  #holds = 0;
  #lock: Lock | undefined;
  /** Taking and giving back the lock, and reading anew, never overlap. */
  #gate: Promise<unknown> = Promise.resolve();
  /** Lines of the journal that nobody understands. */
  #damaged = 0;
  #turnstile: Promise<void> = Promise.resolve();
  #inside = 0;

  private constructor(folder: string, threadId: string, around: Around) {
    this.folder = folder;
    this.threadId = threadId;
    this.state = newThread(threadId);
    this.#journal = new JsonLines(join(folder, journalName), eventEnvelopeSchema);
    this.#conversation = new JsonLines<ConversationItem>(join(folder, 'conversation.jsonl'), conversationItemSchema);
    this.#around = around;
    this.#telling = new Telling((envelope) => around.publish(envelope, this.workspace));
  }

  /** A new thread: it has its workspace from the start, its journal begins with its first turn. */
  static async create(folder: string, threadId: string, workspace: Workspace, around: Around): Promise<ThreadRecord> {
    await mkdir(folder, { mode: 0o700 });
    const record = new ThreadRecord(folder, threadId, around);
    const now = new Date().toISOString();
    const root = uriOf(workspace.root);
    const folders = workspace.folders?.map(uriOf);
    record.state = { ...record.state, root, folders, createdAt: now, updatedAt: now };
    return record;
  }

  /** Reads what is on disk. Undefined where there is no thread, or none that can be understood. */
  static async load(folder: string, threadId: string, around: Around): Promise<ThreadRecord | undefined> {
    const record = new ThreadRecord(folder, threadId, around);
    await record.#read();
    return record.state.root === '' ? undefined : record;
  }

  /** What paths are relative to, absolute: the workspace folder, or the closest folder around several. */
  get root(): string {
    return fileURLToPath(this.state.root);
  }

  get workspace(): Workspace {
    const { folders } = this.state;
    return folders === undefined
      ? { root: this.root }
      : { root: this.root, folders: folders.map((uri) => fileURLToPath(uri)) };
  }

  /** A turn is in it, or a decision is being carried out. */
  get isBusy(): boolean {
    return this.#inside > 0;
  }

  /**
   * Numbers an event, folds it into the state, queues it for the journal and tells whoever listens once the journal has it:
   * no kill takes back what somebody has heard. Only while held.
   */
  emit(event: ThreadEvent, turnId?: string): void {
    if (this.#holds === 0) throw new Error(`thread ${this.threadId} is written to without being held`);
    const live = event.type === 'itemDelta';
    const envelope: EventEnvelope = {
      threadId: this.threadId,
      ...(turnId === undefined ? {} : { turnId }),
      ...(live ? {} : { seq: this.state.seq + 1 }),
      at: new Date().toISOString(),
      event,
    };
    this.state = fold(this.state, envelope);
    const written = live ? undefined : this.#journal.append(envelope, { durable: isDurable(event) });
    this.#telling.tell(envelope, written);
  }

  /** Until the returned function is called, what is emitted is folded and journalled, and told to nobody. */
  holdBackEvents(): () => void {
    return this.#telling.holdBack();
  }

  /**
   * Makes this process the only writer of the thread until the returned function is called; what others have written
   * is taken in first, and a turn whose process is gone is ended. Holds of one process add up. Throws `turnRunning`.
   */
  async hold(purpose: Purpose, options: { waitMs?: number } = {}): Promise<() => Promise<void>> {
    await this.#gated(() => this.#take(purpose, options));
    let isReleased = false;
    return async () => {
      if (isReleased) return;
      isReleased = true;
      await this.#gated(() => this.#giveBack());
    };
  }

  /** Runs while the thread is held. Throws `turnRunning`. */
  async held<T>(run: () => Promise<T>): Promise<T> {
    const release = await this.hold('work');
    try {
      return await run();
    } finally {
      await release();
    }
  }

  /** One turn or decision after the other; resolves, in order, with the function that lets the next one in. */
  async enter(): Promise<() => void> {
    const before = this.#turnstile;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#turnstile = before.then(() => promise);
    this.#inside += 1;
    await before;
    let isInside = true;
    return () => {
      if (isInside) this.#inside -= 1;
      isInside = false;
      resolve();
    };
  }

  /** Takes in what another process has written, unless this one is the writer; then nobody else is. */
  async refresh(): Promise<void> {
    await this.#gated(async () => {
      if (this.#holds === 0) await this.#readIfChanged();
    });
    if (this.#holds > 0 || !(isRunning(this.state) || (await isUnfinished(this.folder)))) return;
    // Whoever is at it has the lock. If that can be had, nobody is, and taking it ends what was begun.
    const release = await this.hold('work', { waitMs: 0 }).catch(() => undefined);
    await release?.();
  }

  /** Events after `since`, as they are on disk. */
  async events(since: number): Promise<EventEnvelope[]> {
    const { values } = await this.#journal.read();
    return values.filter(({ seq }) => (seq ?? 0) > since);
  }

  /** What the model was told and said, valid to be sent again: every call has its output. */
  async conversation(): Promise<ConversationItem[]> {
    await this.#conversation.endTornLine();
    const { values } = await this.#conversation.read();
    return repairConversation(withoutMarks(values));
  }

  /** The same with the marks of where turns begin, not repaired. */
  async markedConversation(): Promise<ConversationItem[]> {
    return (await this.#conversation.read()).values;
  }

  /** `turnId`: of a turn that begins with these. */
  async remember(items: readonly ConversationItem[], turnId?: string): Promise<void> {
    if (turnId !== undefined) this.#conversation.append(turnMark(turnId));
    for (const item of items) this.#conversation.append(item);
    await this.#conversation.flushed();
  }

  flushed(): Promise<void> {
    return this.#journal.flushed();
  }

  /** Whoever was taking the thread has it, with what a process that is gone has left brought to its end. */
  async taken(): Promise<void> {
    await this.#gate;
  }

  /** Only while held: opening it finishes what a process that is gone has left unfinished. */
  copy(): Promise<ThreadCopy> {
    this.#copy ??= openCopy(join(this.folder, 'copy'), this.workspace);
    // A failure is not for ever: its cause, such as a missing workspace, may be.
    this.#copy.catch(() => {
      this.#copy = undefined;
    });
    return this.#copy;
  }

  /** Removes everything of it from disk. */
  async remove(): Promise<void> {
    await this.#journal.flushed().catch(() => {});
    await this.#conversation.flushed().catch(() => {});
    await removeThreadFolder(this.folder);
  }

  async #take(purpose: Purpose, options: { waitMs?: number }): Promise<void> {
    if (this.#holds === 0) {
      const lock = await takeLock(join(this.folder, 'writer.lock'), purpose, options).catch((error: unknown) => {
        throw isMissing(error) ? unknownThread(this.threadId) : error;
      });
      if ('heldBy' in lock) throw turnRunning(this.threadId, lock.heldBy);
      this.#lock = lock;
      this.#holds = 1;
      try {
        await this.#journal.endTornLine();
        await this.#readIfChanged();
        if (await isUnfinished(this.folder)) await this.#around.recoverApply(this);
        if (isRunning(this.state)) await this.#around.recover(this);
        this.#tellDamage();
      } catch (error) {
        await this.#giveBack();
        throw error;
      }
      return;
    }
    this.#holds += 1;
  }

  /** Once in a process: what is left of the thread is used, and the user knows that it is not all. */
  #tellDamage(): void {
    if (this.#damaged === 0 || this.toldOnce.has('damage')) return;
    this.toldOnce.add('damage');
    const lines = this.#damaged === 1 ? 'A line' : `${this.#damaged} lines`;
    this.emit({
      type: 'warning',
      message: `${lines} of this thread's journal cannot be read and are left out: ${this.#journal.path}`,
    });
  }

  async #giveBack(): Promise<void> {
    this.#holds -= 1;
    if (this.#holds > 0) return;
    // Others may read and write from here on, so that all of ours must be there.
    const isWritten = await this.#journal.flushed().then(
      () => true,
      () => false,
    );
    // A list shows what the journal has.
    if (isWritten) await writeSummary(this.folder, this.#journal.bytes, this.state).catch(() => {});
    this.#lock?.release();
    this.#lock = undefined;
  }

  #gated<T>(run: () => Promise<T>): Promise<T> {
    const result = this.#gate.then(run);
    this.#gate = result.catch(() => {});
    return result;
  }

  async #readIfChanged(): Promise<void> {
    if (await this.#journal.changedByOthers()) await this.#read();
  }

  async #read(): Promise<void> {
    this.#copy = undefined;
    const { values, damaged } = await this.#journal.read({ takeIn: true });
    if (values.length > 0) this.state = values.reduce(fold, newThread(this.threadId));
    this.#damaged = damaged;
    this.isGone = this.state.seq > 0 && this.#journal.bytes === 0;
    // What a damaged first line has said stands in the summary too.
    if (damaged > 0 && this.state.root === '') this.state = { ...this.state, ...(await beginningOf(this.folder)) };
  }
}
