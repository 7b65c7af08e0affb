/**
 * Files of a workspace whose owner or group a user namespace does not know: it maps one of each, those that commands run
 * with, and writing such a file through an overlay fails half-way (EOVERFLOW). One run of the system's `find`, in the
 * background and bounded in time, whose first hit ends it.
 */
import { stat } from 'node:fs/promises';
import { relative } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { systemTool } from './host.ts';
import { type Identity, identityFor } from './identity.ts';
import { toolOutput } from './launcher.ts';

type RunsAs = Pick<Identity, 'uid' | 'gid'>;

/** A command waits no longer for an answer: what is found later holds for the next one. */
const waitMs = 150;
const keptMs = 10_000;
/** A tree that takes long to walk is walked for at most a twentieth of the time. */
const restPerWalk = 20;
const rootsMax = 64;

type Look = { answer: Promise<string | undefined>; known?: { path: string | undefined; goodUntilMs: number } };

const looks = new Map<string, Look>();

/** A path, relative to the workspace and empty for itself, as far as it is known by now. Never rejects. */
export async function foreignOwner(
  root: string,
  options: { signal?: AbortSignal; waitMs?: number } = {},
): Promise<string | undefined> {
  const owner = await stat(root).catch(() => undefined);
  if (!owner?.isDirectory()) return undefined;
  const ids = await runsAs(owner);
  if (isForeign(owner, ids)) return '';
  const key = JSON.stringify([root, ids]);
  const last = looks.get(key);
  if (last?.known && last.known.goodUntilMs > performance.now()) return last.known.path;
  const look = last && !last.known ? last : begin(key, root, ids, options.signal);
  // An old answer is better than a new one that is still to come.
  if (last?.known) return last.known.path;
  return Promise.race([look.answer, pause(options.waitMs ?? waitMs, options.signal)]);
}

function begin(key: string, root: string, ids: RunsAs, signal: AbortSignal | undefined): Look {
  const startedMs = performance.now();
  const look: Look = {
    answer: firstForeign(root, ids, signal).then((path) => {
      const tookMs = performance.now() - startedMs;
      look.known = { path, goodUntilMs: performance.now() + Math.max(keptMs, restPerWalk * tookMs) };
      // Cut short, it has not seen everything.
      if (signal?.aborted && looks.get(key) === look) looks.delete(key);
      return path;
    }),
  };
  looks.delete(key);
  looks.set(key, look);
  const [oldest] = looks.keys();
  if (looks.size > rootsMax && oldest !== undefined) looks.delete(oldest);
  return look;
}

/** As far as `find` could read, and as it came within its time. */
async function firstForeign(root: string, ids: RunsAs, signal: AbortSignal | undefined): Promise<string | undefined> {
  const find = await systemTool('find');
  if (find === undefined) return undefined;
  const isForeignOwner = ['(', '!', '-uid', String(ids.uid), '-o', '!', '-gid', String(ids.gid), ')'];
  const output = await toolOutput(find, [root, '-xdev', ...isForeignOwner, '-print0', '-quit'], { signal });
  const path = output.split('\0', 1)[0] ?? '';
  return output.includes('\0') ? relative(root, path) : undefined;
}

const isForeign = (owner: RunsAs, ids: RunsAs): boolean => owner.uid !== ids.uid || owner.gid !== ids.gid;

/** Our own group is the one that we have now, and another user's the one that the system has for them. */
async function runsAs(owner: RunsAs): Promise<RunsAs> {
  const identity = await identityFor(owner);
  if (identity?.isOther) return identity;
  return { uid: process.geteuid?.() ?? owner.uid, gid: process.getegid?.() ?? owner.gid };
}

const pause = (ms: number, signal: AbortSignal | undefined): Promise<undefined> =>
  delay(ms, undefined, { ref: false, signal }).catch(() => undefined);
