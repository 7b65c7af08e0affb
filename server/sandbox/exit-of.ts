/** How a process has ended. */
import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:os';

/** Its exit code, 128 and the number for a signal; a sentence where it did not start. */
export const exitOf = (child: ChildProcess): Promise<number | string> =>
  new Promise((resolve) => {
    child.once('exit', (code, name) => resolve(code ?? 128 + constants.signals[name ?? 'SIGKILL']));
    child.once('error', (error) => resolve(error.message));
  });
