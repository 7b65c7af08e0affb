/** Reads small files that anybody may have made: no links, pipes or devices, and no more than is wanted. */
import { constants, open } from 'node:fs/promises';

/** Nothing where it is no regular file, can't be read, or is larger. Never waits for a writer. */
export async function readSmallFile(path: string, bytesMax: number): Promise<Buffer | undefined> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    () => undefined,
  );
  try {
    const status = await handle?.stat();
    if (!handle || !status?.isFile() || status.size > bytesMax) return undefined;
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
