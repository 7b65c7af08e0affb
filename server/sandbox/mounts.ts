/** File systems that are mounted inside a workspace: an overlay over it would not show them, or can't be made at all. */
import { readFile } from 'node:fs/promises';

/** Relative to the workspace, an absolute real path; undefined where there is none. One short read of the kernel's list. */
export async function mountInside(root: string): Promise<string | undefined> {
  const text = await readFile('/proc/self/mountinfo', 'latin1').catch(() => '');
  return firstInside(root, mountPoints(text));
}

/** Absolute paths, one character for each byte, because names need not be UTF-8. See proc_pid_mountinfo(5). */
export function mountPoints(mountinfo: string): string[] {
  return mountinfo
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((path) => path !== '')
    .map((path) => path.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8))));
}

/** The mount of the workspace itself does not count. `points` as `mountPoints` gives them. */
export function firstInside(root: string, points: readonly string[]): string | undefined {
  const folder = root.endsWith('/') ? root : `${root}/`;
  const prefix = Buffer.from(folder).toString('latin1');
  const inside = points.find((path) => path.startsWith(prefix) && path.length > prefix.length);
  return inside === undefined ? undefined : Buffer.from(inside.slice(prefix.length), 'latin1').toString();
}
