/** The list of whiteouts still to be made, shared with the sandbox as a file. */
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { writeAtomically } from './atomic.ts';
import type { Layers } from './layers.ts';
import { parentOf } from './paths.ts';
import { statusOf } from './snapshot.ts';

/** The sandbox empties the file when it has made them. */
export async function readPending({ paths, pending }: Layers): Promise<void> {
  const text = await readFile(paths.whiteouts, 'utf8').catch(() => '');
  pending.clear();
  for (const path of text.split('\0')) if (path !== '') pending.add(path);
}

export async function writePending({ paths, pending }: Layers): Promise<void> {
  const text = [...pending].map((path) => `${path}\0`).join('');
  if (text === (await readFile(paths.whiteouts, 'utf8').catch(() => undefined))) return;
  await writeAtomically(paths.whiteouts, text, { mode: 0o600, beside: dirname(paths.whiteouts) });
}

/** What lies below something deleted, or below a file, needs no whiteout, and there is no place for one. */
export async function prunePending(layers: Layers): Promise<void> {
  const { pending, deletedAtMs } = layers;
  const places = new Map<string, boolean>();
  const isPlace = async (folder: string): Promise<boolean> => {
    const known = folder === '' ? true : places.get(folder);
    if (known !== undefined) return known;
    const isShown = !pending.has(folder) && (await isPlace(parentOf(folder)));
    const result = isShown && ((await statusOf(layers.upper(folder)))?.isDirectory() ?? false);
    places.set(folder, result);
    return result;
  };
  for (const path of pending) if (!(await isPlace(parentOf(path)))) pending.delete(path);
  for (const path of deletedAtMs.keys()) if (!pending.has(path)) deletedAtMs.delete(path);
}
