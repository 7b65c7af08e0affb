/** How much the threads of a state folder take, and whose workspace is gone. Read only, and bounded whatever is there. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { usedBy } from '../sandbox/upper-use.ts';
import { inBatches } from '../workspace/batches.ts';
import { sizeOf } from './jsonl.ts';
import { ThreadRecord } from './record.ts';
import { journalName, listedOf, readSummary } from './summary-file.ts';
import { isThreadId, threadsFolderOf } from './thread-folders.ts';

export type ThreadSize = {
  threadId: string;
  /** Undefined where nobody understands its journal. */
  title: string | undefined;
  archived: boolean;
  /** Workspace folders that are not there any more; absolute. */
  goneFolders: string[];
  bytes: number;
  copyBytes: number;
};

const filesMaxDefault = 100_000;

/**
 * The largest first. `filesMax`: looked at, in all threads together; where there are more it is not `isWhole`, and sizes
 * are at least these.
 */
export async function threadSizes(
  stateDir: string,
  { filesMax = filesMaxDefault }: { filesMax?: number } = {},
): Promise<{ threads: ThreadSize[]; isWhole: boolean }> {
  const folder = threadsFolderOf(stateDir);
  const threads: ThreadSize[] = [];
  let filesLeft = filesMax;
  let isWhole = true;
  const sizeOf = async (path: string): Promise<number> => {
    if (filesLeft <= 0) {
      isWhole = false;
      return 0;
    }
    const used = await usedBy(path, { bytesMax: Infinity, entriesMax: filesLeft });
    filesLeft -= used.entries;
    if (filesLeft < 0) isWhole = false;
    return used.bytes;
  };
  const names = (await readdir(folder).catch(() => [])).filter(isThreadId);
  // The journals first: they are few files, and the copies may be many.
  await inBatches(names, async (threadId) => {
    const known = await knownOf(join(folder, threadId), threadId).catch(() => undefined);
    const entries: string[] = await readdir(join(folder, threadId)).catch(() => []);
    // A folder of locks alone is no thread yet.
    if (!known && !entries.includes('journal.jsonl')) return;
    let bytes = 0;
    for (const name of entries) if (name !== 'copy') bytes += await sizeOfFile(join(folder, threadId, name), sizeOf);
    const goneFolders: string[] = [];
    for (const path of known?.folders ?? []) if (!(await isFolder(path))) goneFolders.push(path);
    threads.push({
      threadId,
      title: known?.title,
      archived: known?.archived ?? false,
      goneFolders,
      bytes,
      copyBytes: 0,
    });
  });
  for (const thread of threads) {
    thread.copyBytes = await sizeOf(join(folder, thread.threadId, 'copy'));
    thread.bytes += thread.copyBytes;
  }
  return { threads: threads.toSorted((a, b) => b.bytes - a.bytes), isWhole };
}

async function sizeOfFile(path: string, sizeOf: (folder: string) => Promise<number>): Promise<number> {
  const status = await stat(path).catch(() => undefined);
  return status?.isDirectory() ? sizeOf(path) : (status?.blocks ?? 0) * 512;
}

/** By its summary, else by its journal, which is only read. */
async function knownOf(folder: string, threadId: string) {
  const nobody = { publish: () => {}, recoverApply: async () => {}, recover: async () => {} };
  const summary = await readSummary(folder, await sizeOf(join(folder, journalName)));
  const record = summary ? undefined : await ThreadRecord.load(folder, threadId, nobody);
  const known = summary ?? (record && listedOf(record.state));
  if (!known) return undefined;
  const { title, archived, root, folders = [root] } = known.summary;
  return { title, archived, folders: folders.map((uri) => fileURLToPath(uri)) };
}

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (status) => status.isDirectory(),
    () => false,
  );
