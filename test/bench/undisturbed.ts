/**
 * Processes that no other keeps from a processor, where we may say so: what a clock shows of them is theirs, however busy
 * the machine is. What they start is as it would be without.
 */
import { spawnSync } from 'node:child_process';

/** Of all their threads. False where that is not for us to say. */
export function undisturbed(pids: readonly number[]): boolean {
  return pids.every((pid) => {
    const given = ['--all-tasks', '--reset-on-fork', '--rr', '--pid', '1', String(pid)];
    return spawnSync('chrt', given, { stdio: 'ignore' }).status === 0;
  });
}
