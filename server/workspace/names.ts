/** The names in a folder as the kernel has them: bytes, which need not be UTF-8. */
import { opendir, readdir } from 'node:fs/promises';

/** `text` is missing where the bytes are not UTF-8: such a name can be in no changeset. */
export type Name = { bytes: Buffer; text?: string };

/** Read by one call. */
const entriesAtOnce = 512;
/** On most file systems that is at most some thousand names. */
const smallFolderBytes = 16_384n;

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Of one look at many folders, in all; below zero where there were more. */
export type NamesLeft = { names: number };

/** At most `max` and a few. Throws what the file system says. */
export async function namesIn(folder: string | Buffer, max = Number.POSITIVE_INFINITY): Promise<Name[]> {
  return namesLeftIn(folder, { names: max });
}

/** `bytes`: the folder's own size, where it is known; a small one is read by a single call. */
export async function namesLeftIn(folder: string | Buffer, left: NamesLeft, bytes?: bigint): Promise<Name[]> {
  const names: Name[] = [];
  // One character for each byte.
  const add = (name: string) => {
    left.names -= 1;
    names.push(nameOf(Buffer.from(name, 'latin1')));
    return left.names >= 0;
  };
  if (bytes !== undefined && bytes <= smallFolderBytes) {
    for (const name of await readdir(folder, 'latin1')) if (!add(name)) break;
    return names;
  }
  for await (const { name } of await opendir(folder, { encoding: 'latin1', bufferSize: entriesAtOnce }))
    if (!add(name)) break;
  return names;
}

/** The path of a name in a folder; no string could hold it. */
export const pathIn = (folder: string | Buffer, name: Buffer | string): Buffer =>
  Buffer.concat([Buffer.from(folder), Buffer.from('/'), Buffer.from(name)]);

const nameOf = (bytes: Buffer): Name => ({ bytes, text: textOf(bytes) });

function textOf(bytes: Buffer): string | undefined {
  try {
    return strictUtf8.decode(bytes);
  } catch {
    return undefined;
  }
}
