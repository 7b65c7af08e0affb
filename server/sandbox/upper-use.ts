/** How much the folders hold that a command writes to; the walk ends where the limit is passed. */
import { lstat, opendir } from 'node:fs/promises';

const filesAtOnce = 32;

/** Not `isWhole` where a folder could not be entered: closed, or so deep that no path reaches it. */
export type Use = { bytes: number; entries: number; isWhole: boolean };

export const nothing: Use = { bytes: 0, entries: 0, isWhole: true };

/**
 * Only where bytes are limited is each file looked at; a folder counts as one entry and no bytes. `fileSizes`: in bytes,
 * how long the files are that were looked at.
 */
export async function usedBy(
  uppers: string | readonly string[],
  { bytesMax, entriesMax, fileSizes }: { bytesMax?: number; entriesMax?: number; fileSizes?: Set<number> },
): Promise<Use> {
  const used = { bytes: 0, entries: 0, isWhole: true };
  const isOver = () => used.bytes > (bytesMax ?? Infinity) || used.entries > (entriesMax ?? Infinity);
  // Names need not be UTF-8: one character for each byte.
  const pathIn = (folder: Buffer, name: string) => Buffer.concat([folder, Buffer.from(`/${name}`, 'latin1')]);
  const folders = [uppers].flat().map((upper) => Buffer.from(upper));
  for (let folder = folders.pop(); folder !== undefined && !isOver(); folder = folders.pop()) {
    const files: Buffer[] = [];
    const directory = await opendir(folder, { bufferSize: 1024, encoding: 'latin1' }).catch(() => undefined);
    if (!directory) {
      used.isWhole = false;
      continue;
    }
    for await (const entry of directory) {
      used.entries++;
      if (entry.isDirectory()) folders.push(pathIn(folder, entry.name));
      else if (bytesMax !== undefined) files.push(pathIn(folder, entry.name));
      if (isOver()) break;
    }
    for (let at = 0; at < files.length && !isOver(); at += filesAtOnce) {
      const looks = files.slice(at, at + filesAtOnce).map(async (file) => lstat(file).catch(() => undefined));
      for (const file of await Promise.all(looks)) {
        used.bytes += (file?.blocks ?? 0) * 512;
        if (file === undefined) used.isWhole = false;
        else fileSizes?.add(file.size);
      }
    }
  }
  return used;
}
