/** A user that the system knows, with a name and a group of its own. */
import { existsSync, readFileSync } from 'node:fs';

const nobody = 65_534;

/** Nothing where the system has none that is not root, and whose home folder is not there. */
export function accountInPasswd(): { uid: number; gid: number } | undefined {
  for (const line of readFileSync('/etc/passwd', 'utf8').split('\n')) {
    const [, , user, group, , home] = line.split(':');
    const [uid, gid] = [Number(user), Number(group)];
    if (home !== undefined && !existsSync(home) && uid > 0 && uid !== nobody) return { uid, gid };
  }
  return undefined;
}
