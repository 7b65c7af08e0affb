/** What commands wrote beyond what their items show: files beside the journal, which is kept small by it. */
import { copyFile, link, mkdir, open, readdir, stat, unlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { ItemOf } from '../protocol/thread.ts';
import { newId } from './ids.ts';

/** Of one output, from its beginning; the rest is counted. */
const fileBytesMax = 8 * 1024 ** 2;
/** Of one thread; the oldest go. */
const threadBytesMax = 64 * 1024 ** 2;

const folderOf = (threadFolder: string): string => join(threadFolder, 'outputs');

/** Takes the output as it comes, and makes a file of it once there is more than `shownBytes`. */
export class OutputFile {
  readonly #threadFolder: string;
  readonly #shownBytes: number;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #path: string | undefined;
  /** What was taken is in the file when it resolves. */
  #written: Promise<void> = Promise.resolve();

  constructor(threadFolder: string, shownBytes: number) {
    this.#threadFolder = threadFolder;
    this.#shownBytes = shownBytes;
  }

  /** At most `fileBytesMax` of it wait in memory, however slow the disk. */
  add(chunk: Buffer): void {
    const room = fileBytesMax - this.#bytes;
    this.#bytes += chunk.length;
    if (room > 0) this.#chunks.push(chunk.subarray(0, room));
    if (this.#bytes > this.#shownBytes && room > 0) this.#write();
  }

  /** Absolute; undefined where the item shows all. Rejects with what the disk says, and then there is no file. */
  async end(): Promise<string | undefined> {
    const leftOut = this.#bytes - fileBytesMax;
    if (leftOut > 0) {
      this.#chunks.push(Buffer.from(`\n[… ${leftOut} more bytes were written and are not kept …]\n`));
      this.#write();
    }
    const path = this.#path;
    try {
      await this.#written;
    } catch (error) {
      if (path !== undefined) await unlink(path).catch(() => {});
      throw error;
    }
    return path;
  }

  #write(): void {
    const isFirst = this.#path === undefined;
    this.#path ??= join(folderOf(this.#threadFolder), `${newId('o')}.txt`);
    const path = this.#path;
    this.#written = this.#written.then(async () => {
      const chunks = this.#chunks;
      this.#chunks = [];
      if (isFirst) await makeRoom(folderOf(this.#threadFolder));
      if (chunks.length > 0) await append(path, chunks);
    });
    // Told at the end.
    this.#written.catch(() => {});
  }
}

async function append(path: string, chunks: readonly Buffer[]): Promise<void> {
  const file = await open(path, 'a', 0o600);
  try {
    await file.appendFile(Buffer.concat(chunks));
  } finally {
    await file.close();
  }
}

/** For one more file. Names sort by the time they were made. */
async function makeRoom(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const paths = (await readdir(folder)).toSorted().map((name) => join(folder, name));
  const sizes = await Promise.all(
    paths.map((path) =>
      stat(path).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
  let bytes = sizes.reduce((sum, size) => sum + size, fileBytesMax);
  for (const [index, path] of paths.entries()) {
    if (bytes <= threadBytesMax) return;
    await unlink(path).catch(() => {});
    bytes -= sizes[index] ?? 0;
  }
}

/** For a fork: files of its own, of what its items name, so that the first thread may go. */
export async function forkOutputs(from: string, to: string, uris: readonly string[]): Promise<void> {
  if (uris.length === 0) return;
  await mkdir(folderOf(to), { recursive: true, mode: 0o700 });
  for (const uri of uris) {
    const name = basename(fileURLToPath(uri));
    const [source, target] = [join(folderOf(from), name), join(folderOf(to), name)];
    // What its item names is written to its end. The oldest may have gone.
    await link(source, target).catch(() => copyFile(source, target).catch(() => {}));
  }
}

/** The item of a command as the thread of another folder has it. */
export function withOutputIn(item: ItemOf<'command'>, from: string, to: string): ItemOf<'command'> {
  const folder = uriOf(folderOf(from));
  if (!item.outputFile?.startsWith(`${folder}/`)) return item;
  return { ...item, outputFile: uriOf(folderOf(to)) + item.outputFile.slice(folder.length) };
}

const uriOf = (path: string): string => pathToFileURL(path).href;
