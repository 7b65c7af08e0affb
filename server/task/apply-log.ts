/** What each accept did to the user's files, kept so that it can be taken back: before and after, file by file. */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import type { FileState } from '../changeset/file-state.ts';

const fileStateSchema: z.ZodType<FileState> = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('absent') }),
  z.object({ kind: z.literal('text'), text: z.string(), mode: z.number() }),
  z.object({ kind: z.literal('binary'), hash: z.string(), size: z.number(), mode: z.number() }),
  z.object({ kind: z.literal('symlink'), target: z.string() }),
  z.object({ kind: z.literal('other'), what: z.string() }),
]);

const appliedFileSchema = z.object({
  path: z.string(),
  from: z.string().optional(),
  before: fileStateSchema,
  after: fileStateSchema,
  hunks: z.array(z.object({ id: z.string(), path: z.string() })),
});
export type AppliedFile = z.infer<typeof appliedFileSchema>;

const entrySchema = z.object({
  applyId: z.string(),
  at: z.string(),
  /** Still applied: what an undo took back has left the list. */
  files: z.array(appliedFileSchema),
});
export type ApplyEntry = z.infer<typeof entrySchema>;

const folderOf = (threadFolder: string) => join(threadFolder, 'applies');

/** Where the bytes of binary files are kept, by hash. */
export const blobOf = (threadFolder: string, hash: string) => join(folderOf(threadFolder), `${hash}.bin`);

/** Throws where the bytes are not those that the hash was made of: nobody has reviewed them. */
export function assertHash(path: string, hash: string, bytes: Buffer): void {
  // A file too large to be read has no hash of its bytes.
  if (!/^[0-9a-f]{64}$/.test(hash) || createHash('sha256').update(bytes).digest('hex') === hash) return;
  throw new Error(`${path} has changed since it was shown; open the review again`);
}

export async function keepBlob(threadFolder: string, path: string, hash: string, bytes: Buffer): Promise<void> {
  assertHash(path, hash, bytes);
  await mkdir(folderOf(threadFolder), { recursive: true, mode: 0o700 });
  await writeFile(blobOf(threadFolder, hash), bytes, { mode: 0o600 });
}

export async function writeEntry(threadFolder: string, entry: ApplyEntry): Promise<void> {
  const folder = folderOf(threadFolder);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, `${entry.applyId}.json`);
  await writeFile(`${path}.new`, JSON.stringify(entry), { mode: 0o600 });
  await rename(`${path}.new`, path);
  await forgetOld(folder);
}

/** Applies that can still be undone. */
const entriesMax = 50;

async function forgetOld(folder: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.json')).sort();
  for (const name of names.slice(0, -entriesMax)) await rm(join(folder, name), { force: true });
}

/** The latest apply of which something is still applied. Ids sort by time. */
export async function latestEntry(threadFolder: string): Promise<ApplyEntry | undefined> {
  const names = (await readdir(folderOf(threadFolder)).catch(() => [])).filter((name) => name.endsWith('.json')).sort();
  for (const name of names.reverse()) {
    const entry = entrySchema.parse(JSON.parse(await readFile(join(folderOf(threadFolder), name), 'utf8')));
    if (entry.files.length > 0) return entry;
  }
  return undefined;
}
