/** An append-only file of JSON lines that can be read after a crash at any byte. One process at a time writes to it. */
import { type FileHandle, open, readFile, stat } from 'node:fs/promises';
import type * as z from 'zod';
import { InvalidLines, isHeader, linesIn, versionLine } from './json-lines.ts';

/** What waits in memory while the disk takes nothing. */
const heldCharsMax = 64 * 1024 * 1024;

export class JsonLines<T> {
  readonly path: string;
  readonly #schema: z.ZodType<T>;
  #queue: string[] = [];
  #queuedChars = 0;
  #isDurable = false;
  /** The write to come, of all that is queued. */
  #scheduled: Promise<void> | undefined;
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

  /**
   * Queues a line; lines reach the file in order, and soon. `durable`: the disk itself has it when it is flushed, and all
   * before it. Settles when that was tried; nobody needs to wait. Throws where too much waits, because the file cannot be written.
   */
  append(value: T, { durable = false } = {}): Promise<void> {
    const line = `${JSON.stringify(value)}\n`;
    if (this.#queuedChars + line.length > heldCharsMax)
      throw new InvalidLines(this.path, 'too much waits to be written');
    this.#queue.push(line);
    this.#queuedChars += line.length;
    this.#isDurable ||= durable;
    this.#scheduled ??= this.#next(() => this.#write());
    return this.#scheduled;
  }

  /** Resolves when all that was appended is in the file; tries again what failed, and rejects where that fails too. */
  async flushed(): Promise<void> {
    await this.#last.catch(() => {});
    if (this.#queue.length > 0) await this.#next(() => this.#write());
  }

  /**
   * All lines. A torn last one is left out; those that nobody understands are counted, and left out too. `takeIn`: what is
   * read counts as known from here on, for `changedByOthers`. Throws `InvalidLines` where a newer version wrote it.
   */
  read(options: { takeIn: boolean } = { takeIn: false }): Promise<{ values: T[]; damaged: number }> {
    return this.#next(async () => {
      const content = await this.#content();
      const { lines, isTorn } = linesIn(this.path, content.toString());
      if (options.takeIn) this.#bytes = content.length;
      const values: T[] = [];
      let damaged = 0;
      for (const [index, line] of lines.entries()) {
        const parsed = this.#schema.safeParse(line);
        if (parsed.success) values.push(parsed.data);
        else if (!(isTorn && index === lines.length - 1) && !isHeader(line)) damaged += 1;
      }
      return { values, damaged };
    });
  }

  /** For the writer, before it begins: what a killed process had half written goes, and a whole line gets its end. */
  endTornLine(): Promise<void> {
    return this.#next(async () => {
      if (await endsWithLine(this.path)) return;
      const content = await this.#content();
      const keptBytes = content.lastIndexOf(0x0a) + 1;
      const isWhole = this.#schema.safeParse(linesIn(this.path, content.toString()).lines.at(-1)).success;
      await withFile(this.path, async (file) => {
        if (isWhole) await file.appendFile('\n');
        else await file.truncate(keptBytes);
      });
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

  /** As a whole, or not at all: what the disk does not take stays in the queue. */
  async #write(): Promise<void> {
    this.#scheduled = undefined;
    if (this.#queue.length === 0) return;
    const [lines, isDurable] = [this.#queue, this.#isDurable];
    this.#queue = [];
    this.#isDurable = false;
    try {
      this.#bytes += await withFile(this.path, (file) => append(file, lines.join(''), isDurable));
      this.#queuedChars = this.#queue.reduce((sum, { length }) => sum + length, 0);
    } catch (error) {
      this.#queue = [...lines, ...this.#queue];
      this.#isDurable ||= isDurable;
      throw new InvalidLines(this.path, 'cannot be written', error);
    }
  }

  /** Not as text: of damaged bytes, text has another length. */
  #content(): Promise<Buffer> {
    return readFile(this.path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return Buffer.alloc(0);
      throw new InvalidLines(this.path, 'cannot be read', error);
    });
  }
}

export const sizeOf = (path: string): Promise<number> =>
  stat(path).then(
    ({ size }) => size,
    () => 0,
  );

/** Answers how many bytes the file has more. */
async function append(file: FileHandle, lines: string, isDurable: boolean): Promise<number> {
  const { size } = await file.stat();
  const text = size === 0 ? `${versionLine}${lines}` : lines;
  try {
    await file.appendFile(text);
    if (isDurable) await file.datasync();
  } catch (error) {
    // Half a line would part what comes later from what was before.
    await file.truncate(size).catch(() => {});
    throw error;
  }
  return Buffer.byteLength(text);
}

async function withFile<R>(path: string, use: (file: FileHandle) => Promise<R>): Promise<R> {
  const file = await open(path, 'a', 0o600);
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}

/** Also where there is none yet, or it is empty. */
async function endsWithLine(path: string): Promise<boolean> {
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new InvalidLines(path, 'cannot be read', error);
  });
  if (!file) return true;
  try {
    const { size } = await file.stat();
    if (size === 0) return true;
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
    return buffer[0] === 0x0a;
  } finally {
    await file.close();
  }
}
