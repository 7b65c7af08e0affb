/** What went wrong inside, for a person to read afterwards: a file in the state folder that cannot grow without end. */
import { appendFile, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';

const logBytesMax = 1024 * 1024;

export const logPathOf = (stateDir: string): string => join(stateDir, 'server.log');

/** Returns a function that appends a line with the time. It never fails: where nothing can be written, nothing is. */
export function openLog(stateDir: string): (message: string) => void {
  const path = logPathOf(stateDir);
  let last: Promise<void> = Promise.resolve();
  return (message) => {
    const line = `${new Date().toISOString()} ${process.pid} ${message}\n`;
    last = last.then(() => write(path, line)).catch(() => {});
  };
}

/** One bug must not take what else the process does with it. */
export function logUncaught(log: (message: string) => void): void {
  process.on('unhandledRejection', (error) =>
    log(`unhandled: ${error instanceof Error ? error.stack : String(error)}`),
  );
  process.on('uncaughtException', (error) => log(`uncaught: ${error.stack ?? error.message}`));
}

async function write(path: string, line: string): Promise<void> {
  const size = await stat(path).then(
    (stats) => stats.size,
    () => 0,
  );
  if (size > logBytesMax) await truncate(path, 0);
  await appendFile(path, line, { mode: 0o600 });
}
