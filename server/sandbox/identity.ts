/** Whom commands run as: ourselves, or the owner of the workspace where we are root and that is somebody else's. */
import { access, constants, readFile, realpath, stat } from 'node:fs/promises';
import { homedir, userInfo } from 'node:os';
import { dirname } from 'node:path';

export type Identity = {
  uid: number;
  gid: number;
  user: string;
  /** As the system has it; it need not exist. */
  home?: string;
  /** Somebody else's, whom we may become. */
  isOther: boolean;
};

/** Nothing where we may not become the owner. `owner`: of the workspace's folder. */
export async function identityFor(owner: { uid: number; gid: number }): Promise<Identity | undefined> {
  const own = ownIdentity();
  if (owner.uid === own.uid) return own;
  if (process.geteuid?.() !== 0) return undefined;
  const entry = await accountOf(owner.uid);
  return { uid: owner.uid, gid: owner.gid, user: 'user', ...entry, isOther: true };
}

/** In a container, a user may have a number and no name. */
export function ownIdentity(): Identity {
  try {
    const { uid, gid, username } = userInfo();
    return { uid, gid, user: username, home: homedir(), isOther: false };
  } catch {
    const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
    return { uid, gid, user: 'user', home: homedir(), isOther: false };
  }
}

/** As the system has it, with its links resolved; nothing where it has none, or the folder is not there. */
export async function homeOf(uid: number): Promise<string | undefined> {
  const home = (await accountOf(uid))?.home;
  return home && realpath(home).catch(() => undefined);
}

async function accountOf(uid: number): Promise<{ gid: number; user: string; home: string } | undefined> {
  const lines = (await readFile('/etc/passwd', 'utf8').catch(() => '')).split('\n');
  for (const line of lines) {
    const [user, , number, group, , home] = line.split(':');
    if (!user || home === undefined || Number(number) !== uid || number === '') continue;
    return { gid: Number(group), user, home };
  }
  return undefined;
}

/** Whether the identity may read it; by our own rights, with all our groups, where it is ourselves. */
export async function mayRead(path: string, identity: Identity): Promise<boolean> {
  if (identity.isOther) return mayReach(path, identity);
  return access(path, constants.R_OK).then(
    () => true,
    () => false,
  );
}

/** Whether the identity may look at it, by the modes of the file and of every folder above it. */
export async function mayReach(path: string, { uid, gid, isOther }: Identity): Promise<boolean> {
  if (!isOther) return true;
  const real = await realpath(path).catch(() => undefined);
  if (real === undefined) return false;
  const needed = { self: 0o4, above: 0o1 };
  for (let next = real, bit = needed.self; ; next = dirname(next), bit = needed.above) {
    const status = await stat(next).catch(() => undefined);
    if (status === undefined) return false;
    const shift = status.uid === uid ? 6 : status.gid === gid ? 3 : 0;
    if (((status.mode >> shift) & bit) === 0) return false;
    if (next === '/') return true;
  }
}
