/** The summaries of threads, kept as long as their journals stand still: a list looks at each journal, and reads nothing. */
import { stat } from 'node:fs/promises';
import { journalName, type Listed, readSummary } from './summary-file.ts';

type Kept = { bytes: number; changedAtMs: number; listed: Listed };

export class Summaries {
  readonly #kept = new Map<string, Kept>();

  /** `folder`: of a thread. Undefined where it has none, or its journal has gone on since it was written. */
  async of(folder: string): Promise<Listed | undefined> {
    const journal = await stat(`${folder}/${journalName}`).catch(() => undefined);
    if (!journal) return this.forget(folder);
    const { size: bytes, mtimeMs: changedAtMs } = journal;
    const kept = this.#kept.get(folder);
    if (kept?.bytes === bytes && kept.changedAtMs === changedAtMs) return kept.listed;
    const listed = await readSummary(folder, bytes);
    if (!listed) return this.forget(folder);
    this.#kept.set(folder, { bytes, changedAtMs, listed });
    return listed;
  }

  /** Of threads that are gone nothing is kept. */
  keepOnly(folders: ReadonlySet<string>): void {
    for (const folder of this.#kept.keys()) if (!folders.has(folder)) this.#kept.delete(folder);
  }

  forget(folder: string): undefined {
    this.#kept.delete(folder);
  }
}
