/** What a whole copy holds and what each of it was made from, on disk beside it: read by the next process. */
import { dirname } from 'node:path';
import { setImmediate as breathe } from 'node:timers/promises';
import * as z from 'zod';
import { writeAtomically } from './atomic.ts';
import { readSmallFile } from './bounded-file.ts';

const manifestBytesMax = 512 * 1024 ** 2;
/** Lines read or written before others get their turn. */
const linesAtOnce = 5_000;

/** How a large folder that is not copied stands in the tree: as an empty folder to mount it on, or as a link to it. */
const standIn = z.enum(['mountPoints', 'symlinks']);

/**
 * One path of the tree. `source`: stamp of the file it was copied from, and of which layer; '' where that may have
 * changed since without a trace. `stamp`: of the file in the tree. `heldBytes`: on disk, of what
 * is the user's; without it, it is the agent's.
 */
const item = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('folder'), mode: z.number(), heldBytes: z.number().optional() }),
  z.object({
    kind: z.enum(['file', 'symlink']),
    source: z.string(),
    stamp: z.string(),
    heldBytes: z.number().optional(),
  }),
  z.object({ kind: z.literal('link'), as: standIn }),
  // A file of ours in place of one of the user's: whatever becomes of it, it is never taken in.
  z.object({ kind: z.literal('pointer'), text: z.string() }),
]);

const line = z.tuple([z.string(), item]);

const head = z.object({
  version: z.literal(2),
  count: z.number(),
  /** Whether the tree holds more than the items: what no copy can hold, left there by a command. */
  hasExtras: z.boolean(),
  /** Unix times of folders deleted: files that the user makes there later are not meant. */
  deletedAtMs: z.record(z.string(), z.number()),
});

export type TreeItem = z.infer<typeof item>;

export type TreeManifest = { items: Map<string, TreeItem> } & Pick<z.infer<typeof head>, 'hasExtras' | 'deletedAtMs'>;

export const emptyManifest = (): TreeManifest => ({
  items: new Map(),
  hasExtras: false,
  deletedAtMs: {},
});

/** What the tree holds that no command has written. */
export function heldBy({ items }: TreeManifest): { bytes: number; entries: number } {
  const held = { bytes: 0, entries: 0 };
  for (const item of items.values()) {
    const bytes = item.kind === 'link' || item.kind === 'pointer' ? 0 : item.heldBytes;
    if (bytes === undefined) continue;
    held.bytes += bytes;
    held.entries += 1;
  }
  return held;
}

/** Nothing where it is missing, damaged or of another version: the tree is made anew then. */
export async function readManifest(file: string): Promise<TreeManifest | undefined> {
  const text = (await readSmallFile(file, manifestBytesMax))?.toString('utf8');
  if (text === undefined) return undefined;
  try {
    const lines = text.split('\n');
    const { count, hasExtras, deletedAtMs } = head.parse(JSON.parse(lines[0] ?? ''));
    const items = new Map<string, TreeItem>();
    for (let at = 1; at <= count; at++) {
      if (at % linesAtOnce === 0) await breathe();
      const [path, known] = line.parse(JSON.parse(lines[at] ?? ''));
      items.set(path, known);
    }
    return { items, hasExtras, deletedAtMs };
  } catch {
    return undefined;
  }
}

export async function writeManifest(file: string, { items, ...rest }: TreeManifest): Promise<void> {
  const first: z.infer<typeof head> = { version: 2, count: items.size, ...rest };
  const lines = [JSON.stringify(first)];
  for (const entry of items) {
    if (lines.length % linesAtOnce === 0) await breathe();
    lines.push(JSON.stringify(entry));
  }
  await writeAtomically(file, lines.join('\n'), { mode: 0o600, beside: dirname(file) });
}
