/**
 * Which limit a command ran into, after its end. Not every limit kills: the kernel refuses a process or the rest of a
 * file, and the command goes on, ends by itself, or waits until its time is over.
 */
import { constants } from 'node:os';
import type { CommandLimit } from '../protocol/thread.ts';
import type { Cgroup } from './cgroup.ts';
import type { Output } from './output.ts';
import { usedBy } from './upper-use.ts';
import type { Watching } from './watchdog.ts';

export type Stopped = { limit?: CommandLimit };

/** Files looked at for one that is as long as may be. */
const lookedAtEntriesMax = 200_000;
/** What programs say who were refused the rest of a file: a reason to look, not an answer. */
const saysFileTooLarge = /File size limit exceeded|File too large/;

/** `stopped`: why we ended it. `uppers`: where its writes went. At most one walk of them, where something speaks for it. */
export async function limitOf(ended: {
  stopped: Stopped | undefined;
  exitCode: number | undefined;
  output: Output;
  outputBytesMax: number;
  watching: Pick<Watching, 'hadAllProcesses' | 'lostBytes'>;
  cgroup: Pick<Cgroup, 'hasRefusedProcesses'> | undefined;
  uppers: readonly string[];
  /** Bytes, as the kernel was told. */
  fileBytesMax: number;
}): Promise<CommandLimit | undefined> {
  const { stopped, exitCode, output, outputBytesMax, watching, cgroup } = ended;
  // Asked in any case: what is not asked for now would be the next command's.
  const lacksProcesses = (await cgroup?.hasRefusedProcesses()) || watching.hadAllProcesses();
  if (stopped && stopped.limit !== 'time') return stopped.limit;
  if (lacksProcesses) return 'processes';
  if (stopped) return stopped.limit;
  if (exitCode === 128 + constants.signals.SIGXFSZ || (await hasFullFile(ended))) return 'disk';
  return output.bytes > outputBytesMax ? 'output' : undefined;
}

async function hasFullFile({
  output,
  watching,
  uppers,
  fileBytesMax,
}: Pick<Parameters<typeof limitOf>[0], 'output' | 'watching' | 'uppers' | 'fileBytesMax'>): Promise<boolean> {
  const isLikely = (await watching.lostBytes()) > fileBytesMax / 4 || saysFileTooLarge.test(output.text());
  if (!isLikely) return false;
  const fileSizes = new Set<number>();
  await usedBy(uppers, { bytesMax: Number.MAX_SAFE_INTEGER, entriesMax: lookedAtEntriesMax, fileSizes });
  return fileSizes.has(fileBytesMax);
}
