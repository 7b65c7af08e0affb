/** Who may write to a thread: a file that names a process, worthless once that process is gone. */
import { rmSync } from 'node:fs';
import { link, mkdir, readFile, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import * as z from 'zod';
import { newId } from './ids.ts';

/** `work` is over in a moment, and is waited for; a `turn` takes as long as it takes. */
export type Purpose = 'turn' | 'work';
export type Lock = { release(): void };

const ownerSchema = z.object({ pid: z.number().int(), startedAt: z.string(), purpose: z.enum(['turn', 'work']) });
type Owner = z.infer<typeof ownerSchema>;

const workWaitMs = 5_000;
const guardedMs = 10_000;

/** Takes the lock, or answers who has it: another living process, in a turn or for longer than work takes. */
export async function takeLock(
  path: string,
  purpose: Purpose,
  { waitMs = workWaitMs }: { waitMs?: number } = {},
): Promise<Lock | { heldBy: number }> {
  const deadline = performance.now() + waitMs;
  for (;;) {
    if (await create(path, purpose)) return { release: () => rmSync(path, { force: true }) };
    const owner = await ownerOf(path);
    if (owner && (await isAlive(owner))) {
      if (owner.purpose === 'turn' || performance.now() > deadline) return { heldBy: owner.pid };
      await delay(10);
    } else if (owner) {
      await removeStale(path, owner);
    }
  }
}

/** Whole or not at all: nobody ever reads a lock that is half written. */
async function create(path: string, purpose: Purpose): Promise<boolean> {
  const own = `${path}.${newId('')}`;
  const owner: Owner = { pid: process.pid, startedAt: (await startedAt(process.pid)) ?? '', purpose };
  await writeFile(own, JSON.stringify(owner), { mode: 0o600 });
  try {
    await link(own, path);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(own, { force: true });
  }
}

/**
 * One at a time, and looked at again by then: a lock that is there is replaced by nobody, so that what is still dead now
 * is what is removed. Whoever finds another at it looks again.
 */
async function removeStale(path: string, stale: Owner): Promise<void> {
  const guard = `${path}.stale`;
  const isOurs = await mkdir(guard).then(
    () => true,
    () => false,
  );
  if (!isOurs) {
    const since = (await stat(guard).catch(() => undefined))?.mtimeMs;
    // Left by a process that was killed in these few steps.
    if (since !== undefined && Date.now() - since > guardedMs) await rmdir(guard).catch(() => {});
    await delay(10);
    return;
  }
  try {
    const owner = await ownerOf(path);
    if (owner?.pid === stale.pid && owner.startedAt === stale.startedAt) await rm(path, { force: true });
  } finally {
    await rmdir(guard).catch(() => {});
  }
}

/** Undefined where there is none. What can't be read names nobody who lives. */
async function ownerOf(path: string): Promise<Owner | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return ownerSchema.parse(JSON.parse(text));
  } catch {
    return { pid: 0, startedAt: '', purpose: 'work' };
  }
}

async function isAlive(owner: Owner): Promise<boolean> {
  return owner.pid > 0 && (await startedAt(owner.pid)) === owner.startedAt;
}

/** When a process began, in kernel ticks: a pid alone may have been given to another since. Undefined: it is gone. */
async function startedAt(pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The second field, the program's name, may hold spaces and parentheses.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return canBeSignalled(pid) ? '' : undefined;
  }
}

function canBeSignalled(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
