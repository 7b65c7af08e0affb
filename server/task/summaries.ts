/**
 * The summaries of threads, kept as long as their journals stand still: a list looks at each journal, and reads nothing.
 * What a process has read is kept for the next one in a file, worth as much as the journals say.
 */
import { readdir, readFile, rename, stat, unlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import * as z from 'zod';
import { journalName, type Listed, listedSchema, readSummary } from './summary-file.ts';

type Kept = { bytes: number; changedAtMs: number; listed: Listed };

/** By thread id. */
const fileSchema = z.record(z.string(), z.object({ bytes: z.number(), changedAtMs: z.number(), listed: listedSchema }));
const fileBytesMax = 32 * 1024 ** 2;
/** Fewer are read again in no time. */
const worthKeeping = 50;

export class Summaries {
  /** Absolute, of all threads. */
  readonly #folder: string;
  readonly #path: string;
  readonly #kept = new Map<string, Kept>();
  #recalled: Promise<void> | undefined;
  /** Summaries that are not in the file. */
  #unkept = 0;
  #drops = 0;

  constructor(folder: string) {
    this.#folder = folder;
    this.#path = join(dirname(folder), 'summaries.json');
  }

  /** Undefined where a thread has none, or its journal has gone on since it was written. */
  async of(threadId: string): Promise<Listed | undefined> {
    await this.#recall();
    const folder = join(this.#folder, threadId);
    const journal = await stat(`${folder}/${journalName}`).catch(() => undefined);
    if (!journal) return this.forget(threadId);
    const { size: bytes, mtimeMs: changedAtMs } = journal;
    const kept = this.#kept.get(threadId);
    if (kept?.bytes === bytes && kept.changedAtMs === changedAtMs) return kept.listed;
    const listed = await readSummary(folder, bytes);
    if (!listed) return this.forget(threadId);
    this.#kept.set(threadId, { bytes, changedAtMs, listed });
    this.#unkept += 1;
    return listed;
  }

  /** Of threads that are gone nothing is kept. */
  keepOnly(threadIds: ReadonlySet<string>): void {
    for (const threadId of this.#kept.keys()) if (!threadIds.has(threadId)) this.#kept.delete(threadId);
  }

  forget(threadId: string): undefined {
    this.#kept.delete(threadId);
  }

  /** For the next process, where that saves it much. Never rejects. */
  async keep(): Promise<void> {
    if (this.#unkept < worthKeeping) return;
    this.#unkept = 0;
    const drops = this.#drops;
    const text = JSON.stringify(Object.fromEntries(this.#kept));
    if (text.length > fileBytesMax) return;
    try {
      await writeFile(`${this.#path}.new`, text, { mode: 0o600 });
      await rename(`${this.#path}.new`, this.#path);
      const there = new Set(await readdir(this.#folder));
      // Of a thread that was deleted meanwhile, by whomever, nothing stays on disk.
      const isAllThere = [...this.#kept.keys()].every((threadId) => there.has(threadId));
      if (drops !== this.#drops || !isAllThere) await this.drop();
    } catch {
      // It is read from the threads themselves next time.
    }
  }

  /** From the disk: a thread of it is to be deleted. */
  async drop(): Promise<void> {
    this.#drops += 1;
    this.#unkept = this.#kept.size;
    // Also what a process that was killed had written of it.
    for (const path of [this.#path, `${this.#path}.new`]) await unlink(path).catch(() => {});
  }

  #recall(): Promise<void> {
    this.#recalled ??= this.#read();
    return this.#recalled;
  }

  async #read(): Promise<void> {
    try {
      if ((await stat(this.#path)).size > fileBytesMax) return;
      const file = fileSchema.parse(JSON.parse(await readFile(this.#path, 'utf8')));
      for (const [threadId, kept] of Object.entries(file)) this.#kept.set(threadId, kept);
    } catch {
      // None yet, or of another version.
    }
  }
}
