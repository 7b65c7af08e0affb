/**
 * Who may write to a thread: a symbolic link that leads nowhere and names a process, worthless once that process is gone.
 * A link is made with what it says, or not at all: nobody reads half of one, and a killed process leaves none beside it.
 */
import { rmSync } from 'node:fs';
import { readlink, rm, symlink } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import * as z from 'zod';
import { startedAt } from './process-life.ts';

/** `work` is over in a moment, and is waited for; a `turn` takes as long as it takes. */
export type Purpose = 'turn' | 'work';
export type Lock = { release(): void };

const ownerSchema = z.object({ pid: z.number().int(), startedAt: z.string(), purpose: z.enum(['turn', 'work']) });
type Owner = z.infer<typeof ownerSchema>;

const workWaitMs = 5_000;

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
    if (!owner) continue;
    if (!(await isAlive(owner))) {
      const other = await removeStale(path, Math.max(0, deadline - performance.now()));
      if (other) return other;
    } else if (owner.purpose === 'turn' || performance.now() > deadline) {
      return { heldBy: owner.pid };
    } else {
      await delay(10);
    }
  }
}

/** Who has a lock, if anybody; `isAlive`: else whoever comes next takes it away. */
export async function lockHolder(path: string): Promise<{ pid: number; isAlive: boolean } | undefined> {
  const owner = await ownerOf(path).catch(() => undefined);
  return owner && { pid: owner.pid, isAlive: await isAlive(owner) };
}

async function create(path: string, purpose: Purpose): Promise<boolean> {
  const owner: Owner = { pid: process.pid, startedAt: (await startedAt(process.pid)) ?? '', purpose };
  try {
    await symlink(JSON.stringify(owner), path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/**
 * One at a time, and looked at again by then: who is dead stays dead, and a lock that is there is replaced by nobody, so
 * that what is removed is what was looked at. A process that is killed here leaves a lock like any other, which is
 * removed in the same way; no clock says when, for one that was stopped for a while would go on in the end.
 */
async function removeStale(path: string, waitMs: number): Promise<{ heldBy: number } | undefined> {
  const guard = await takeLock(`${path}.stale`, 'work', { waitMs });
  if ('heldBy' in guard) return guard;
  try {
    const owner = await ownerOf(path);
    if (owner && !(await isAlive(owner))) await rm(path, { force: true });
  } finally {
    guard.release();
  }
  return undefined;
}

/** Undefined where there is none. What is none of ours names nobody who lives; throws where it can't be read at all. */
async function ownerOf(path: string): Promise<Owner | undefined> {
  const text = await readlink(path).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return undefined;
    if (codeOf(error) === 'EINVAL') return '';
    throw error;
  });
  if (text === undefined) return undefined;
  try {
    return ownerSchema.parse(JSON.parse(text));
  } catch {
    return { pid: 0, startedAt: '', purpose: 'work' };
  }
}

/** Where it is not known when one of them began, the process may be the owner. */
async function isAlive({ pid, startedAt: begun }: Owner): Promise<boolean> {
  const now = pid > 0 ? await startedAt(pid) : undefined;
  return now !== undefined && (now === begun || now === '' || begun === '');
}

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined);
