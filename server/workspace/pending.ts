/** The list of whiteouts still to be made, shared with the sandbox as a file. */
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { writeAtomically } from './atomic.ts';
import type { Layers } from './layers.ts';

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
