/** What each accept did to the user's files, kept so that it can be taken back and done again: two stacks in a folder. */
import { createHash } from 'node:crypto';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import type { AppliedChange } from '../changeset/applied.ts';
import type { FileState } from '../changeset/file-state.ts';
import { writeDurably } from './durable.ts';

const fileStateSchema: z.ZodType<FileState> = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('absent') }),
  z.object({ kind: z.literal('text'), text: z.string(), mode: z.number() }),
  z.object({ kind: z.literal('binary'), hash: z.string(), size: z.number(), mode: z.number() }),
  z.object({ kind: z.literal('symlink'), target: z.string() }),
  z.object({ kind: z.literal('other'), what: z.string() }),
]);

const blockSchema = z.object({
  oldLine: z.number(),
  oldCount: z.number(),
  newLine: z.number(),
  newCount: z.number(),
  hunk: z.string().optional(),
});

export const appliedChangeSchema: z.ZodType<AppliedChange> = z.object({
  path: z.string(),
  from: z.string().optional(),
  before: fileStateSchema,
  after: fileStateSchema,
  hunks: z.array(z.object({ id: z.string(), path: z.string() })),
  blocks: z.array(blockSchema).optional(),
});

/** As it is written to disk. */
export const diskEntrySchema = z.object({
  path: z.string(),
  from: z.string().optional(),
  before: fileStateSchema,
  after: fileStateSchema,
});

const entrySchema = z.object({
  applyId: z.string(),
  at: z.string(),
  files: z.array(appliedChangeSchema),
  /** The undo or redo that could not take these along. */
  leftBy: z.string().optional(),
});
export type ApplyEntry = z.infer<typeof entrySchema>;

export type Stack = 'applied' | 'undone';
/** Where an entry lies: the higher its number, the later it came there. */
export type Place = { stack: Stack; number: number };

const letters: Record<Stack, string> = { applied: 'a', undone: 'u' };

export const folderOf = (threadFolder: string) => join(threadFolder, 'applies');

const fileOf = (threadFolder: string, { stack, number }: Place): string =>
  join(folderOf(threadFolder), `${letters[stack]}${String(number).padStart(9, '0')}.json`);

/** Of one stack, the latest first. */
export async function placesIn(threadFolder: string, stack: Stack): Promise<Place[]> {
  const names = await readdir(folderOf(threadFolder)).catch(() => []);
  return names
    .flatMap((name) => {
      const [, letter, digits] = /^([au])(\d{9})\.json$/.exec(name) ?? [];
      return letter === letters[stack] ? [{ stack, number: Number(digits) }] : [];
    })
    .sort((a, b) => b.number - a.number);
}

/** Undefined where there is none, or none that can be understood. */
export async function readEntry(threadFolder: string, place: Place): Promise<ApplyEntry | undefined> {
  const text = await readFile(fileOf(threadFolder, place), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return entrySchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Where the next entry goes, on either stack. */
export async function nextNumber(threadFolder: string): Promise<number> {
  const places = [...(await placesIn(threadFolder, 'applied')), ...(await placesIn(threadFolder, 'undone'))];
  return Math.max(0, ...places.map(({ number }) => number)) + 1;
}

/** One without files is none. */
export async function putEntry(threadFolder: string, place: Place, entry: ApplyEntry): Promise<void> {
  const path = fileOf(threadFolder, place);
  if (entry.files.length === 0) {
    await rm(path, { force: true });
    return;
  }
  await writeDurably(path, JSON.stringify(entry));
  await drop(threadFolder, (await placesIn(threadFolder, place.stack)).slice(entriesMax));
}

/** Of each stack: applies that can still be undone, and undos that can be done again. */
const entriesMax = 50;

export async function dropStack(threadFolder: string, stack: Stack): Promise<void> {
  await drop(threadFolder, await placesIn(threadFolder, stack));
}

/** With the bytes of binary files that no other entry needs. */
async function drop(threadFolder: string, places: readonly Place[]): Promise<void> {
  for (const place of places) await rm(fileOf(threadFolder, place), { force: true });
  const blobs = (await readdir(folderOf(threadFolder)).catch(() => [])).filter((name) => name.endsWith('.bin'));
  if (places.length === 0 || blobs.length === 0) return;
  const needed = new Set<string>();
  for (const stack of ['applied', 'undone'] as const) {
    for (const place of await placesIn(threadFolder, stack)) {
      const files = (await readEntry(threadFolder, place))?.files ?? [];
      for (const state of files.flatMap(({ before, after }) => [before, after])) {
        if (state.kind === 'binary') needed.add(`${state.hash}.bin`);
      }
    }
  }
  for (const name of blobs) if (!needed.has(name)) await rm(join(folderOf(threadFolder), name), { force: true });
}

/** Where the bytes of binary files are kept, by hash. */
export const blobOf = (threadFolder: string, hash: string) => join(folderOf(threadFolder), `${hash}.bin`);

/** Throws where the bytes are not those that the hash was made of: nobody has reviewed them. */
export function assertHash(path: string, hash: string, bytes: Buffer): void {
  // A file too large to be read has no hash of its bytes.
  if (!/^[0-9a-f]{64}$/.test(hash) || createHash('sha256').update(bytes).digest('hex') === hash) return;
  throw new Error(`${path} has changed since it was shown; open the review again`);
}

/** Before anything is replaced: what a file held is kept here and nowhere else. */
export async function keepBlob(threadFolder: string, path: string, hash: string, bytes: Buffer): Promise<void> {
  assertHash(path, hash, bytes);
  await writeDurably(blobOf(threadFolder, hash), bytes);
}
