/** The names in a folder as the kernel has them: bytes, which need not be UTF-8. */
import { opendir } from 'node:fs/promises';

/** `text` is missing where the bytes are not UTF-8: such a name can be in no changeset. */
export type Name = { bytes: Buffer; text?: string };

/** Read by one call. */
const entriesAtOnce = 512;

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** At most `max` and a few. Throws what the file system says. */
export async function namesIn(folder: string | Buffer, max = Number.POSITIVE_INFINITY): Promise<Name[]> {
  const names: Name[] = [];
  // One character for each byte.
  for await (const entry of await opendir(folder, { encoding: 'latin1', bufferSize: entriesAtOnce })) {
    const bytes = Buffer.from(entry.name, 'latin1');
    names.push({ bytes, text: textOf(bytes) });
    if (names.length > max) break;
  }
  return names;
}

/** The path of a name in a folder; no string could hold it. */
export const pathIn = (folder: string | Buffer, name: Buffer | string): Buffer =>
  Buffer.concat([Buffer.from(folder), Buffer.from('/'), Buffer.from(name)]);

function textOf(bytes: Buffer): string | undefined {
  try {
    return strictUtf8.decode(bytes);
  } catch {
    return undefined;
  }
}
