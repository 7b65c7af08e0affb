/** The summaries of threads that were read before: a journal only grows, so one of the same length says the same. */
import { join } from 'node:path';
import { sizeOf } from './jsonl.ts';
import { type Listed, readSummary } from './summary-file.ts';

export class KnownSummaries {
  readonly #known = new Map<string, { bytes: number; listed: Listed }>();

  /** As `readSummary`; costs one look at the journal where nothing has changed. */
  async read(threadId: string, folder: string): Promise<Listed | undefined> {
    const bytes = await sizeOf(join(folder, 'journal.jsonl'));
    const known = this.#known.get(threadId);
    if (known?.bytes === bytes) return known.listed;
    const listed = await readSummary(folder);
    if (listed) this.#known.set(threadId, { bytes, listed });
    else this.#known.delete(threadId);
    return listed;
  }

  /** What is there no more is forgotten. */
  keepOnly(threadIds: ReadonlySet<string>): void {
    for (const threadId of this.#known.keys()) if (!threadIds.has(threadId)) this.#known.delete(threadId);
  }
}
