/** The hosts of a state folder, of every version: which run, and what one that is gone has left. */
import { lstat, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { lockHolder, takeLock } from '../task/lock.ts';
import { type HostPlace, hostPlace } from './place.ts';

export type Host = {
  version: string;
  place: HostPlace;
  /** Absent: it is gone, and has left its socket, its token or its lock. */
  running?: { pid: number; since: Date; connections: number | undefined };
};

/** Changes nothing. */
export async function hostsOf(stateDir: string, version: string): Promise<Host[]> {
  const { folder } = await hostPlace(stateDir, version);
  const names = await readdir(folder).catch(() => []);
  const versions = new Set(names.flatMap((name) => /^(.+)\.(?:lock|sock|token)$/.exec(name)?.[1] ?? []));
  return Promise.all([...versions].sort().map((one) => hostAt(folder, one)));
}

async function hostAt(folder: string, version: string): Promise<Host> {
  const at = (suffix: string): string => join(folder, `${version}.${suffix}`);
  const place = { folder, socket: at('sock'), token: at('token'), lock: at('lock') };
  const holder = await lockHolder(place.lock);
  if (!holder?.isAlive) return { version, place };
  const since = (await lstat(place.lock).catch(() => undefined))?.mtime ?? new Date();
  return { version, place, running: { pid: holder.pid, since, connections: await connectionsAt(place.socket) } };
}

/** A token alone is left by every host, and is replaced by the next. */
export async function hasLeftovers({ place, running }: Host): Promise<boolean> {
  if (running) return false;
  const left = await Promise.all([place.socket, place.lock].map((path) => lstat(path).catch(() => undefined)));
  return left.some((status) => status !== undefined);
}

/** False where a host has come meanwhile. */
export async function removeDeadHost({ place }: Host): Promise<boolean> {
  const lock = await takeLock(place.lock, 'turn', { waitMs: 0 });
  if ('heldBy' in lock) return false;
  for (const path of [place.socket, place.token]) await rm(path, { force: true });
  lock.release();
  return true;
}

/** As the kernel lists them; undefined where it does not. */
async function connectionsAt(socket: string): Promise<number | undefined> {
  const table = await readFile('/proc/net/unix', 'utf8').catch(() => undefined);
  const connected = '03';
  return table?.split('\n').filter((line) => {
    const fields = line.trim().split(/\s+/);
    return fields[5] === connected && fields.slice(7).join(' ') === socket;
  }).length;
}
