/** A file of the state folder that a crash must not cost: whole, and on the disk itself when this resolves. */
import { mkdir, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Its folder is made where it is missing. One writer at a time. */
export async function writeDurably(path: string, content: string | Uint8Array): Promise<void> {
  const folder = dirname(path);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const file = await open(`${path}.new`, 'w', 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
  const parent = await open(folder, 'r');
  try {
    await parent.sync();
  } finally {
    await parent.close();
  }
}
