/** Copies one regular file between the layers of a copy: by reference where the file system can, and holes stay holes. */
import type { BigIntStats } from 'node:fs';
import { chmod, constants, copyFile, lutimes, open } from 'node:fs/promises';
import { give, type Owner } from './owner.ts';

/** Smaller files are not worth looking for holes. */
const sparseBytesMin = 1024 ** 2;
const blockBytes = 512n;
const chunkBytes = 64 * 1024;

/**
 * With its permissions and times; `status`: of `from`, a regular file. Throws where anything is at `to` already, also a
 * link that leads nowhere.
 */
export async function copyRegularFile(
  from: string,
  to: string,
  { status, owner }: { status: BigIntStats; owner?: Owner },
): Promise<void> {
  const isSparse = status.size >= sparseBytesMin && status.blocks * blockBytes < status.size;
  if (!isSparse) await copyFile(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  else if (!(await cloned(from, to))) await copyChunks(from, to, status);
  await give(to, owner);
  const mode = Number(status.mode & 0o777n);
  if (isSparse || (status.mode & 0o7000n) !== 0n) await chmod(to, mode);
  await lutimes(to, secondsOf(status.atimeNs), secondsOf(status.mtimeNs));
}

/** A double holds today's time to a quarter of a microsecond. */
const secondsOf = (nanoseconds: bigint): number => Number(nanoseconds) / 1e9;

const cloned = (from: string, to: string): Promise<boolean> =>
  copyFile(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE_FORCE).then(
    () => true,
    () => false,
  );

/** What holds only zeros is not written: a command makes terabytes of nothing at no cost, and so do we. */
async function copyChunks(from: string, to: string, { blocks, size }: BigIntStats): Promise<void> {
  const zeros = Buffer.alloc(chunkBytes);
  const source = await open(from, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const target = await open(to, 'wx', 0o600);
    try {
      const chunk = Buffer.alloc(chunkBytes);
      for (let at = 0; blocks > 0n && at < Number(size); ) {
        const { bytesRead } = await source.read(chunk, 0, chunkBytes, at);
        if (bytesRead === 0) break;
        const isHole = chunk.subarray(0, bytesRead).equals(zeros.subarray(0, bytesRead));
        if (!isHole) await target.write(chunk, 0, bytesRead, at);
        at += bytesRead;
      }
      await target.truncate(Number(size));
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}
