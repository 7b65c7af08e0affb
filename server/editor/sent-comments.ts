/** Which comments of a thread's `review.diff` were sent, beside the texts they were written into: a restart forgets none. */
import { appendFile, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { versionsIn } from './review-versions.ts';

/** Of thousands of comments. After that it begins anew: the texts that the old ones stood in are long gone. */
const sentBytesMax = 64 * 1024;

const pathIn = (threadFolder: string): string => join(versionsIn(threadFolder), 'sent');

/** The keys of `changeset/sent-comments`. */
export async function sentComments(threadFolder: string): Promise<ReadonlySet<string>> {
  const text = await readFile(pathIn(threadFolder), 'utf8').catch(() => '');
  return new Set(text.split('\n').filter((key) => key !== ''));
}

/** Throws where the thread is gone: it keeps nothing. */
export async function keepSent(threadFolder: string, keys: readonly string[]): Promise<void> {
  const path = pathIn(threadFolder);
  // Not its parents: what is deleted is not made anew. It is there already where the text was not too large to keep.
  await mkdir(versionsIn(threadFolder), { mode: 0o700 }).catch(() => {});
  const lines = keys.map((key) => `${key}\n`).join('');
  const bytes = await stat(path).then(
    ({ size }) => size,
    () => 0,
  );
  const write = bytes > sentBytesMax ? writeFile : appendFile;
  await write(path, lines, { mode: 0o600 });
}
