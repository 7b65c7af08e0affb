/** Who runs a turn in a thread: a file that names a process, worthless once that process is gone. */
import { rmSync } from 'node:fs';
import { open, readFile, rm } from 'node:fs/promises';
import * as z from 'zod';

const ownerSchema = z.object({ pid: z.number().int(), startedAt: z.string() });

/** When a process began, in kernel ticks: a pid alone may have been given to another since. */
async function startedAt(pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The second field, the program's name, may hold spaces and parentheses.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return isAlive(pid) ? '' : undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** The pid of the living process that holds the lock, if any. */
export async function lockHolder(path: string): Promise<number | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  let owner: z.infer<typeof ownerSchema>;
  try {
    owner = ownerSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
  return (await startedAt(owner.pid)) === owner.startedAt ? owner.pid : undefined;
}

/** Takes the lock, or answers the pid of the process that has it. */
export async function takeLock(path: string): Promise<{ release(): void } | { heldBy: number }> {
  for (let attempt = 0; attempt < 3; attempt += 1) {
    try {
      await create(path);
      return { release: () => rmSync(path, { force: true }) };
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
      const heldBy = await lockHolder(path);
      if (heldBy !== undefined) return { heldBy };
      await rm(path, { force: true });
    }
  }
  return { heldBy: 0 };
}

/** Fails with EEXIST where there is one. Not inline: the bundler's `await using` does not bear being in a loop. */
async function create(path: string): Promise<void> {
  await using file = await open(path, 'wx', 0o600);
  await file.writeFile(JSON.stringify({ pid: process.pid, startedAt: (await startedAt(process.pid)) ?? '' }));
}
