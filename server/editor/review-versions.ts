/** The texts of `review.diff` as the server wrote them, by their mark: what the user's edits in one are told from. */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isAsWritten, markOf } from '../changeset/review-mark.ts';

const versionsMax = 10;
/** Of a larger one, lines of context can't be edited. */
const versionCharsMax = 8 * 1024 ** 2;

/** The folder of these texts. */
export const versionsIn = (threadFolder: string): string => join(threadFolder, 'reviews');
const nameOf = (mark: string): string => `${mark}.diff`;

/** `threadFolder`: in the state folder. A thread that is gone keeps nothing. */
export async function keepVersion(threadFolder: string, text: string): Promise<void> {
  const mark = markOf(text);
  if (mark === undefined || text.length > versionCharsMax) return;
  const folder = versionsIn(threadFolder);
  try {
    // Not its parents: what is deleted is not made anew.
    await mkdir(folder, { mode: 0o700 }).catch(ignoreExisting);
    const path = join(folder, nameOf(mark));
    const now = new Date();
    const isThere = await utimes(path, now, now).then(
      () => true,
      () => false,
    );
    if (isThere) return;
    const temporary = `${path}.${randomUUID()}.tmp`;
    await writeFile(temporary, text, { mode: 0o600 });
    await rename(temporary, path);
    await forgetOld(folder);
  } catch {
    // Then edited context is refused by name.
  }
}

/** The text that this one, which the user may have edited, was made from. */
export async function versionOf(threadFolder: string, text: string): Promise<string | undefined> {
  const mark = markOf(text);
  if (mark === undefined) return undefined;
  const written = await readFile(join(versionsIn(threadFolder), nameOf(mark)), 'utf8').catch(() => undefined);
  return written !== undefined && isAsWritten(written) ? written : undefined;
}

async function forgetOld(folder: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.diff'));
  if (names.length <= versionsMax) return;
  const aged = await Promise.all(
    names.map(async (name) => ({ name, atMs: (await stat(join(folder, name)).catch(() => undefined))?.mtimeMs ?? 0 })),
  );
  aged.sort((a, b) => b.atMs - a.atMs);
  for (const { name } of aged.slice(versionsMax)) await rm(join(folder, name), { force: true });
}

function ignoreExisting(error: unknown): void {
  if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
}
