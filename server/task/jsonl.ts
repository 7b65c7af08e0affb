/** An append-only file of JSON lines that can be read after a crash at any byte. */
import { appendFile, open, readFile, stat } from 'node:fs/promises';
import type * as z from 'zod';

export class JsonLines<T> {
  readonly path: string;
  readonly #schema: z.ZodType<T>;
  #queue: string[] = [];
  #writing: Promise<void> = Promise.resolve();
  /** Bytes of the file that this process has written or read. */
  #bytes = 0;

  constructor(path: string, schema: z.ZodType<T>) {
    this.path = path;
    this.#schema = schema;
  }

  /** Queues a line; lines reach the file in order, and soon. A failure is thrown by `flushed`. */
  append(value: T): void {
    this.#queue.push(`${JSON.stringify(value)}\n`);
    if (this.#queue.length > 1) return;
    const previous = this.#writing;
    this.#writing = previous.then(() => this.#write());
    // Nobody may be waiting; whoever does wait sees the failure.
    this.#writing.catch(() => {});
  }

  /** Resolves when all that was appended is in the file. */
  flushed(): Promise<void> {
    return this.#writing;
  }

  /** All lines. A torn last one, and those that nobody understands, are counted and left out. */
  async read(): Promise<{ values: T[]; damaged: number }> {
    await this.#writing;
    const text = await readFile(this.path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '';
      throw error;
    });
    if (text !== '' && !text.endsWith('\n')) await this.#endLine();
    const values: T[] = [];
    let damaged = 0;
    for (const line of text.split('\n')) {
      if (line === '') continue;
      const parsed = this.#schema.safeParse(parseJson(line));
      if (parsed.success) values.push(parsed.data);
      else damaged += 1;
    }
    this.#bytes = (await size(this.path)) ?? 0;
    return { values, damaged };
  }

  /** Whether another process has written since this one last read or wrote. */
  async changedByOthers(): Promise<boolean> {
    await this.#writing;
    return ((await size(this.path)) ?? 0) !== this.#bytes;
  }

  async #write(): Promise<void> {
    const lines = this.#queue.join('');
    this.#queue = [];
    await appendFile(this.path, lines, { mode: 0o600 });
    this.#bytes += Buffer.byteLength(lines);
  }

  /** After a torn line the next one must begin on a line of its own. */
  async #endLine(): Promise<void> {
    await using file = await open(this.path, 'a');
    await file.appendFile('\n');
  }
}

async function size(path: string): Promise<number | undefined> {
  return stat(path).then(
    (stats) => stats.size,
    () => undefined,
  );
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
