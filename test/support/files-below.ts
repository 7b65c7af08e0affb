/** What a folder holds, whoever looks: the kernel's own folders of an overlay can be listed by nobody but root. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Absolute, of everything that is no folder. Throws where a folder that is not an overlay's cannot be listed. */
export function filesBelow(folder: string): string[] {
  return entriesOf(folder).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesBelow(path) : [path];
  });
}

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if (folder.endsWith('/work/work') && error instanceof Error && 'code' in error && error.code === 'EACCES')
      return [];
    throw error;
  }
}
