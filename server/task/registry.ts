/** The threads in a state folder: listed by their summaries, loaded when one is asked for. */
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Workspace } from '../protocol/folders.ts';
import { inBatches } from '../workspace/batches.ts';
import { newId } from './ids.ts';
import { type Around, ThreadRecord } from './record.ts';
import { Refusal } from './refusal.ts';
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
    if (!record) throw unknown(threadId);
    await record.refresh();
    return record;
  }

  /** The same for a thread this process has already seen. Throws `unknownThread`. */
  loaded(threadId: string): ThreadRecord {
    const record = this.#loaded.get(threadId);
    if (!record) throw unknown(threadId);
    return record;
  }

  all(): readonly ThreadRecord[] {
    return [...this.#loaded.values()];
  }

  /** Every thread of the state folder. One that can't be read is left out: it must not hide the others. */
  async list(): Promise<readonly Listed[]> {
    const threadIds = await readdir(this.#folder).catch(() => []);
    this.#summaries.keepOnly(new Set(threadIds));
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
  withApproval(approvalId: string): Promise<ThreadRecord | undefined> {
    return this.#with(({ state }) => state.approvals.has(approvalId) || state.settled.has(approvalId));
  }

  /** Which thread has a grant that was not taken back. */
  withGrant(grantId: string): Promise<ThreadRecord | undefined> {
    return this.#with(({ state }) => state.grants.some((grant) => grant.grantId === grantId));
  }

  async #with(has: (record: ThreadRecord) => boolean): Promise<ThreadRecord | undefined> {
    const known = this.all().find(has);
    if (known) return this.find(known.threadId);
    for (const threadId of await readdir(this.#folder).catch(() => [])) {
      const record = await this.find(threadId).catch(() => undefined);
      if (record && has(record)) return record;
    }
    return undefined;
  }

  /** It is being deleted: from now on it is found no more, whatever is still on disk; that is less when this resolves. */
  async forget(threadId: string): Promise<void> {
    this.#forgotten.add(threadId);
    this.#records.delete(threadId);
    this.#loaded.delete(threadId);
    this.#summaries.forget(threadId);
    await this.#summaries.drop();
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

const unknown = (threadId: string) =>
  new Refusal('unknownThread', `There is no thread ${threadId}; 'codex-lsp threads' lists them.`, { threadId });
