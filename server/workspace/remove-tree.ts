/** Deletes a folder whatever permissions are left in it: a command's, or the kernel's in an overlay's work folder. */
import { chmod, opendir, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Throws where something is still there afterwards. */
export async function removeTree(folder: string): Promise<void> {
  const remove = () => rm(folder, { recursive: true, force: true, maxRetries: 2 });
  await remove().catch(async () => {
    await makeWritable(folder);
    await remove();
  });
}

async function makeWritable(folder: string): Promise<void> {
  const folders = [folder];
  for (let next = folders.pop(); next !== undefined; next = folders.pop()) {
    await chmod(next, 0o700).catch(() => {});
    const directory = await opendir(next).catch(() => undefined);
    if (!directory) continue;
    for await (const entry of directory) if (entry.isDirectory()) folders.push(join(next, entry.name));
  }
}
