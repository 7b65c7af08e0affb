/** The threads in a state folder: listed by their summaries, loaded when one is asked for. */
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Workspace } from '../protocol/folders.ts';
import type { Grant } from '../protocol/thread.ts';
import { inBatches } from '../workspace/batches.ts';
import { newId } from './ids.ts';
import { type Around, ThreadRecord } from './record.ts';
import { unknownThread } from './refusal.ts';
import { Summaries } from './summaries.ts';
import { type Listed, listedOf } from './summary-file.ts';
import { isThreadId } from './thread-folders.ts';

/** Threads of a list, of which mostly no more is asked than how long their journals are. */
const lookedAtAtOnce = 128;

export class Registry {
  readonly #folder: string;
  readonly #around: Around;
  readonly #records = new Map<string, Promise<ThreadRecord | undefined>>();
  readonly #summaries: Summaries;
  /** Those that are loaded, for synchronous look-ups. */
  readonly #loaded = new Map<string, ThreadRecord>();
  readonly #forgotten = new Set<string>();

  constructor(stateDir: string, around: Around) {
    this.#folder = join(stateDir, 'threads');
    this.#summaries = new Summaries(this.#folder);
    this.#around = around;
  }

  folderOf(threadId: string): string {
    return join(this.#folder, threadId);
  }

  async create(workspace: Workspace): Promise<ThreadRecord> {
    const { threadId, folder } = await this.newPlace();
    const record = await ThreadRecord.create(folder, threadId, workspace, this.#around);
    this.#records.set(threadId, Promise.resolve(record));
    this.#loaded.set(threadId, record);
    return record;
  }

  /** Of a thread to come. */
  async newPlace(): Promise<{ threadId: string; folder: string }> {
    // Where nothing can be written, a recursive one says only that something is missing.
    await mkdir(this.#folder, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
    const threadId = newId('t');
    return { threadId, folder: this.folderOf(threadId) };
  }

  /** As it is now, whoever wrote to it. Throws `unknownThread`. */
  async find(threadId: string): Promise<ThreadRecord> {
    const record = await this.#load(threadId);
    if (!record) throw unknownThread(threadId);
    await record.refresh();
    if (!record.isGone) return record;
    // By another process.
    this.#letGo(threadId);
    throw unknownThread(threadId);
  }

  /** The same for a thread this process has already seen. Throws `unknownThread`. */
  loaded(threadId: string): ThreadRecord {
    const record = this.#loaded.get(threadId);
    if (!record) throw unknownThread(threadId);
    return record;
  }

  all(): readonly ThreadRecord[] {
    return [...this.#loaded.values()];
  }

  /** Every thread of the state folder. One that can't be read is left out: it must not hide the others. */
  async list(): Promise<readonly Listed[]> {
    const threadIds = await readdir(this.#folder).catch(() => []);
    const there = new Set(threadIds);
    this.#summaries.keepOnly(there);
    // Deleted by another process, or not found for another reason: then they are loaded again.
    for (const [threadId, { isBusy }] of this.#loaded) if (!there.has(threadId) && !isBusy) this.#letGo(threadId);
    const listed: Listed[] = [];
    const look = async (threadId: string): Promise<void> => {
      const one = await this.#listed(threadId).catch(() => undefined);
      if (one) listed.push(one);
    };
    await inBatches(threadIds, look, { size: lookedAtAtOnce });
    void this.#summaries.keep();
    return listed;
  }

  /** Which thread an approval belongs to, pending or settled. */
  async withApproval(approvalId: string): Promise<ThreadRecord | undefined> {
    const has = ({ state }: ThreadRecord): boolean => state.approvals.has(approvalId) || state.settled.has(approvalId);
    const known = this.all().find(has);
    if (known) return this.find(known.threadId);
    const listed = await this.list();
    const pending = listed.find(({ approvals }) => approvals.some((one) => one.approvalId === approvalId));
    if (pending) return this.find(pending.summary.threadId);
    // How one was settled stands in journals alone. They are many, and none of them is kept.
    for (const { summary } of listed) {
      const { threadId } = summary;
      if (this.#loaded.has(threadId)) continue;
      const record = await ThreadRecord.load(this.folderOf(threadId), threadId, this.#around).catch(() => undefined);
      if (record && has(record)) return this.find(threadId);
    }
    return undefined;
  }

  /** Which thread has a grant that was not taken back. */
  async withGrant(grantId: string): Promise<ThreadRecord | undefined> {
    const isIt = (grant: Grant): boolean => grant.grantId === grantId;
    const known = this.all().find(({ state }) => state.grants.some(isIt));
    if (known) return this.find(known.threadId);
    const found = (await this.list()).find(({ grants }) => grants.some(isIt));
    return found && this.find(found.summary.threadId);
  }

  /** Whether it is being deleted, or was, by this process. */
  isForgotten(threadId: string): boolean {
    return this.#forgotten.has(threadId);
  }

  /** It is being deleted: from now on it is found no more, whatever is still on disk; that is less when this resolves. */
  async forget(threadId: string): Promise<void> {
    this.#forgotten.add(threadId);
    this.#letGo(threadId);
    await this.#summaries.drop();
  }

  #letGo(threadId: string): void {
    this.#records.delete(threadId);
    this.#loaded.delete(threadId);
    this.#summaries.forget(threadId);
  }

  /** It could not be deleted. */
  recall(threadId: string): void {
    this.#forgotten.delete(threadId);
  }

  async #listed(threadId: string): Promise<Listed | undefined> {
    if (!isThreadId(threadId) || this.#forgotten.has(threadId)) return undefined;
    const summary = this.#loaded.has(threadId) ? undefined : await this.#summaries.of(threadId);
    return summary ?? listedOf((await this.find(threadId)).state);
  }

  #load(threadId: string): Promise<ThreadRecord | undefined> {
    let record = this.#records.get(threadId);
    if (record) return record;
    record = this.#read(threadId);
    this.#records.set(threadId, record);
    // Neither a failure nor an absence is for ever.
    record.then(
      (found) => found ?? this.#records.delete(threadId),
      () => this.#records.delete(threadId),
    );
    return record;
  }

  async #read(threadId: string): Promise<ThreadRecord | undefined> {
    // An id is a name that we made, never a path.
    if (!isThreadId(threadId) || this.#forgotten.has(threadId)) return undefined;
    const record = await ThreadRecord.load(this.folderOf(threadId), threadId, this.#around);
    if (this.#forgotten.has(threadId)) return undefined;
    if (record) this.#loaded.set(threadId, record);
    return record;
  }
}
