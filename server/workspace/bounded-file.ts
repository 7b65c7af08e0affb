/** Reads small files that anybody may have made: no links, pipes or devices, and no more than is wanted. */
import { constants, open } from 'node:fs/promises';
import { assertPlace } from './owner.ts';

/**
 * Nothing where it is no regular file, can't be read, or is larger. Never waits for a writer. `isTheirs`: a real path, of
 * which somebody else may replace any part meanwhile.
 */
export async function readSmallFile(
  path: string,
  bytesMax: number,
  { isTheirs = false } = {},
): Promise<Buffer | undefined> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    () => undefined,
  );
  try {
    const status = await handle?.stat();
    if (!handle || !status?.isFile() || status.size > bytesMax) return undefined;
    if (isTheirs) await assertPlace(handle, path);
    const bytes = Buffer.alloc(status.size);
    let length = 0;
    while (length < bytes.length) {
      const { bytesRead } = await handle.read(bytes, length, bytes.length - length, length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    return bytes.subarray(0, length);
  } catch {
    return undefined;
  } finally {
    await handle?.close();
  }
}
