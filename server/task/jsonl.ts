/** An append-only file of JSON lines that can be read after a crash at any byte. One process at a time writes to it. */
import { appendFile, readFile, stat } from 'node:fs/promises';
import type * as z from 'zod';

export class JsonLines<T> {
  readonly path: string;
  readonly #schema: z.ZodType<T>;
  #queue: string[] = [];
  #last: Promise<unknown> = Promise.resolve();
  /** Bytes of the file that this process has written or taken in. */
  #bytes = 0;

  constructor(path: string, schema: z.ZodType<T>) {
    this.path = path;
    this.#schema = schema;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Queues a line; lines reach the file in order, and soon. */
  append(value: T): void {
    this.#queue.push(`${JSON.stringify(value)}\n`);
    // Nobody may be waiting; whoever waits for `flushed` sees the failure.
    if (this.#queue.length === 1) this.#next(() => this.#write()).catch(() => {});
  }

  /** Resolves when all that was appended is in the file; rejects where the last write failed. */
  async flushed(): Promise<void> {
    await this.#last;
  }

  /**
   * All lines. A torn last one, and those that nobody understands, are counted and left out. `takeIn`: what is read
   * counts as known from here on, for `changedByOthers`.
   */
  read(options: { takeIn: boolean } = { takeIn: false }): Promise<{ values: T[]; damaged: number }> {
    return this.#next(async () => {
      const text = await this.#text();
      if (options.takeIn) this.#bytes = Buffer.byteLength(text);
      const values: T[] = [];
      let damaged = 0;
      for (const line of text.split('\n')) {
        if (line === '') continue;
        const parsed = this.#schema.safeParse(parseJson(line));
        if (parsed.success) values.push(parsed.data);
        else damaged += 1;
      }
      return { values, damaged };
    });
  }

  /** For the writer, before it begins: after a torn line the next one must stand on a line of its own. */
  endTornLine(): Promise<void> {
    return this.#next(async () => {
      const text = await this.#text();
      if (text !== '' && !text.endsWith('\n')) await appendFile(this.path, '\n');
    });
  }

  /** Whether the file has other bytes than this process last took in or wrote. */
  changedByOthers(): Promise<boolean> {
    return this.#next(async () => (await sizeOf(this.path)) !== this.#bytes);
  }

  /** One after the other, so that nothing is measured in the middle of a write. */
  #next<R>(run: () => Promise<R>): Promise<R> {
    const result = this.#last.then(run, run);
    this.#last = result;
    result.catch(() => {});
    return result;
  }

  async #write(): Promise<void> {
    const lines = this.#queue.join('');
    this.#queue = [];
    await appendFile(this.path, lines, { mode: 0o600 });
    this.#bytes += Buffer.byteLength(lines);
  }

  #text(): Promise<string> {
    return readFile(this.path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '';
      throw error;
    });
  }
}

export const sizeOf = (path: string): Promise<number> =>
  stat(path).then(
    ({ size }) => size,
    () => 0,
  );

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
