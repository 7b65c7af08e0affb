/** One thread on disk and in memory: its journal, the state folded from it, the model's conversation, its copy. */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import * as z from 'zod';
import { repairConversation } from '../agent/repair.ts';
import type { ConversationItem } from '../model/model.ts';
import { type EventEnvelope, eventEnvelopeSchema, type ThreadEvent } from '../protocol/thread.ts';
import { fold, isRunning, newThread, type ThreadState } from '../thread/state.ts';
import { Copy } from '../workspace/copy.ts';
import { JsonLines } from './jsonl.ts';
import { takeLock } from './lock.ts';

const conversationItemSchema = z.looseObject({ type: z.string() });

export type Publish = (envelope: EventEnvelope, root: string) => void;

export class ThreadRecord {
  readonly threadId: string;
  readonly folder: string;
  /** Replaced by each event; never changed in place. */
  state: ThreadState;
  /** Hunks that an accept is applying just now. */
  readonly applying = new Set<string>();
  readonly #journal: JsonLines<EventEnvelope>;
  readonly #conversation: JsonLines<ConversationItem>;
  readonly #publish: Publish;
  #copy: Promise<Copy> | undefined;

  private constructor(folder: string, threadId: string, publish: Publish) {
    this.folder = folder;
    this.threadId = threadId;
    this.state = newThread(threadId);
    this.#journal = new JsonLines(join(folder, 'journal.jsonl'), eventEnvelopeSchema);
    this.#conversation = new JsonLines<ConversationItem>(join(folder, 'conversation.jsonl'), conversationItemSchema);
    this.#publish = publish;
  }

  static async create(folder: string, threadId: string, publish: Publish): Promise<ThreadRecord> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return new ThreadRecord(folder, threadId, publish);
  }

  /** Reads what is on disk. Undefined where there is no thread. */
  static async load(folder: string, threadId: string, publish: Publish): Promise<ThreadRecord | undefined> {
    const record = new ThreadRecord(folder, threadId, publish);
    await record.#read();
    return record.state.seq > 0 ? record : undefined;
  }

  get lockPath(): string {
    return join(this.folder, 'turn.lock');
  }

  /** The workspace folder, absolute. */
  get root(): string {
    return fileURLToPath(this.state.root);
  }

  static rootUri(root: string): string {
    return pathToFileURL(root).href;
  }

  /** Numbers an event, folds it into the state, queues it for the journal and tells whoever listens. */
  emit(event: ThreadEvent, turnId?: string): void {
    const live = event.type === 'itemDelta';
    const envelope: EventEnvelope = {
      threadId: this.threadId,
      ...(turnId === undefined ? {} : { turnId }),
      ...(live ? {} : { seq: this.state.seq + 1 }),
      at: new Date().toISOString(),
      event,
    };
    this.state = fold(this.state, envelope);
    if (!live) this.#journal.append(envelope);
    this.#publish(envelope, this.root);
  }

  /** Events after `since`, as they are on disk. */
  async events(since: number): Promise<EventEnvelope[]> {
    const { values } = await this.#journal.read();
    return values.filter(({ seq }) => (seq ?? 0) > since);
  }

  /** What the model was told and said, valid to be sent again: every call has its output. */
  async conversation(): Promise<ConversationItem[]> {
    const { values } = await this.#conversation.read();
    return repairConversation(values);
  }

  async remember(items: readonly ConversationItem[]): Promise<void> {
    for (const item of items) this.#conversation.append(item);
    await this.#conversation.flushed();
  }

  flushed(): Promise<void> {
    return this.#journal.flushed();
  }

  copy(): Promise<Copy> {
    this.#copy ??= Copy.open({ dir: join(this.folder, 'copy'), root: this.root });
    return this.#copy;
  }

  /** Takes in what another process has written to this thread since. */
  async refresh(): Promise<void> {
    if (!(await this.#journal.changedByOthers())) return;
    this.#copy = undefined;
    await this.#read();
  }

  /**
   * What was running in a process that is gone ends as `interrupted`; nobody waits for its questions any more.
   * `tell` is called before: what the last command had done was found when the copy was opened.
   */
  async recover(tell: (record: ThreadRecord, turnId: string | undefined) => Promise<void>): Promise<void> {
    if (!isRunning(this.state)) return;
    const lock = await takeLock(this.lockPath);
    if ('heldBy' in lock) return;
    try {
      const turnId = this.state.turns.at(-1)?.turnId;
      await tell(this, turnId);
      this.withdrawApprovals(turnId);
      this.emit({ type: 'turnCompleted', status: 'interrupted' }, turnId);
      await this.flushed();
    } finally {
      lock.release();
    }
  }

  withdrawApprovals(turnId?: string): void {
    for (const approvalId of this.state.approvals.keys()) {
      this.emit({ type: 'approvalResolved', approvalId, decision: 'withdrawn' }, turnId);
    }
  }

  async remove(): Promise<void> {
    await this.#journal.flushed().catch(() => {});
    await this.#conversation.flushed().catch(() => {});
    await (await this.copy()).remove();
    await rm(this.folder, { recursive: true, force: true });
  }

  async #read(): Promise<void> {
    const { values, damaged } = await this.#journal.read();
    this.state = values.reduce(fold, newThread(this.threadId));
    if (damaged > 0 && this.state.seq === 0) this.state = newThread(this.threadId);
  }
}
