/** File systems that are mounted inside a workspace: an overlay over it would not show them, or can't be made at all. */
import { readFile } from 'node:fs/promises';

/** Relative to the workspace, an absolute real path; undefined where there is none. One short read of the kernel's list. */
export async function mountInside(root: string): Promise<string | undefined> {
  const text = await readFile('/proc/self/mountinfo', 'latin1').catch(() => '');
  return firstInside(root, mountPoints(text));
}

/** `path`: absolute, one character for each byte, because names need not be UTF-8. `device`: as `major:minor`. */
export type Mount = { path: string; device: string; filesystem: string; isWritable: boolean };

/** See proc_pid_mountinfo(5). */
export function mountsIn(mountinfo: string): Mount[] {
  return mountinfo.split('\n').flatMap((line) => {
    const [, , device, , at, options, ...rest] = line.split(' ');
    if (device === undefined || at === undefined) return [];
    const path = at.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8)));
    // Before it, optional fields, of any number.
    const filesystem = rest[rest.indexOf('-') + 1] ?? '';
    return [{ path, device, filesystem, isWritable: /^rw(,|$)/.test(options ?? '') }];
  });
}

export const mountPoints = (mountinfo: string): string[] => mountsIn(mountinfo).map(({ path }) => path);

/** The mount of the workspace itself does not count. `points` as `mountPoints` gives them. */
export function firstInside(root: string, points: readonly string[]): string | undefined {
  const folder = root.endsWith('/') ? root : `${root}/`;
  const prefix = Buffer.from(folder).toString('latin1');
  const inside = points.find((path) => path.startsWith(prefix) && path.length > prefix.length);
  return inside === undefined ? undefined : Buffer.from(inside.slice(prefix.length), 'latin1').toString();
}
