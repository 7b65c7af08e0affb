/** The threads in a state folder, each loaded once and looked at again when another process has written to it. */
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { newId } from './ids.ts';
import { type Publish, ThreadRecord } from './record.ts';
import { Refusal } from './refusal.ts';

type Tell = (record: ThreadRecord, turnId: string | undefined) => Promise<void>;

export class Registry {
  readonly #folder: string;
  readonly #publish: Publish;
  readonly #tell: Tell;
  readonly #records = new Map<string, Promise<ThreadRecord | undefined>>();
  /** Those that are loaded, for synchronous look-ups. */
  readonly #loaded = new Map<string, ThreadRecord>();

  /** `tell` is called for a thread whose process is gone, before its turn ends as interrupted. */
  constructor(stateDir: string, publish: Publish, tell: Tell) {
    this.#folder = join(stateDir, 'threads');
    this.#publish = publish;
    this.#tell = tell;
  }

  folderOf(threadId: string): string {
    return join(this.#folder, threadId);
  }

  async create(): Promise<ThreadRecord> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    const threadId = newId('t');
    const record = await ThreadRecord.create(this.folderOf(threadId), threadId, this.#publish);
    this.#records.set(threadId, Promise.resolve(record));
    this.#loaded.set(threadId, record);
    return record;
  }

  /** Throws `unknownThread`. */
  async find(threadId: string): Promise<ThreadRecord> {
    const record = await this.#load(threadId);
    if (!record) throw unknown(threadId);
    await record.refresh();
    await record.recover(this.#tell);
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

  /** Every thread of the state folder. */
  async loadAll(): Promise<readonly ThreadRecord[]> {
    const names = await readdir(this.#folder).catch(() => []);
    const records: ThreadRecord[] = [];
    for (const name of names) {
      const record = await this.#load(name);
      if (!record) continue;
      records.push(await this.find(name));
    }
    return records;
  }

  forget(threadId: string): void {
    this.#records.delete(threadId);
    this.#loaded.delete(threadId);
  }

  #load(threadId: string): Promise<ThreadRecord | undefined> {
    let record = this.#records.get(threadId);
    if (record) return record;
    record = this.#read(threadId);
    this.#records.set(threadId, record);
    return record;
  }

  async #read(threadId: string): Promise<ThreadRecord | undefined> {
    // An id is a name that we made, never a path.
    if (!/^[a-z0-9]+$/.test(threadId)) return undefined;
    const record = await ThreadRecord.load(this.folderOf(threadId), threadId, this.#publish);
    if (!record) {
      this.#records.delete(threadId);
      return undefined;
    }
    await record.recover(this.#tell);
    this.#loaded.set(threadId, record);
    return record;
  }
}

const unknown = (threadId: string) =>
  new Refusal('unknownThread', `There is no thread ${threadId}; 'codex-lsp threads' lists them.`, { threadId });
