/** Which paths count as the project's: not `.git`, not our own folder, not what is ignored and untracked. */
import { opendir } from 'node:fs/promises';
import type { Tracked } from './git-index.ts';
import type { IsIgnored } from './ignore.ts';
import type { Layers } from './layers.ts';
import { isHidden, joined } from './paths.ts';

/** Files listed below a deleted folder. */
const listedFilesMax = 20_000;

export type Counted = {
  /** Of a file. */
  file(path: string): Promise<boolean>;
  /** Whether anything below a folder can count. */
  folder(path: string): Promise<boolean>;
};

export function counted(isIgnored: IsIgnored, tracked: Tracked): Counted {
  const counts = async (path: string) =>
    !isHidden(path) && (!(await isIgnored(path)) || (await tracked([path])).size > 0);
  return { file: counts, folder: (path) => counts(`${path}/`) };
}

/** Every file below a folder of the user's workspace that counts, at most 20,000; symbolic links are files. */
export async function listLower(layers: Layers, folder: string, counts: Counted): Promise<string[]> {
  const files: string[] = [];
  const folders = [folder];
  for (let next = folders.pop(); next !== undefined; next = folders.pop()) {
    const directory = await opendir(layers.lower(next)).catch(() => undefined);
    if (!directory) continue;
    for await (const entry of directory) {
      const path = joined(next, entry.name);
      if (entry.isDirectory()) {
        if (await counts.folder(path)) folders.push(path);
      } else if (await counts.file(path)) files.push(path);
      if (files.length >= listedFilesMax) return files;
    }
  }
  return files;
}
