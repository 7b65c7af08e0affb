/** Whether a process still is the one that was written down. */
import { readFile } from 'node:fs/promises';

/**
 * When a process began, in kernel ticks: a pid alone may have been given to another since. Empty: it is there, and more
 * is not known. Undefined: it is gone, all of its threads; nobody may have asked for its end yet.
 */
export async function startedAt(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  if (stat === undefined) return canBeSignalled(pid) ? '' : undefined;
  // The second field, the program's name, may hold spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state = '', threads = '', began] = [fields[0], fields[17], fields[19]];
  return /[ZX]/.test(state) && Number(threads) <= 1 ? undefined : began;
}

function canBeSignalled(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
