/**
 * How long processes were ready to run and had no processor, as the kernel counts it: with twenty sandboxes on two
 * cores that is most of what a clock shows, and it is the machine's.
 */
import { readFileSync } from 'node:fs';

/** Milliseconds, of the main threads of these processes together. 0 where the kernel does not count. */
export function waitedMs(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + (of(pid)[1] ?? 0), 0) / 1e6;
}

/** Nanoseconds: on a processor, waiting for one. */
function of(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/schedstat`, 'latin1').split(' ').map(Number);
  } catch {
    return [];
  }
}
