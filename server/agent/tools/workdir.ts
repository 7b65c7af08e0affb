/** The folder a command asks for, as a path inside the workspace. Pure. */
import { posix } from 'node:path';
import { within } from '../../protocol/path-inside.ts';
import type { Parsed } from './tool.ts';

/**
 * Workspace-relative with `/`, empty for the root. Absolute paths are taken if they begin with the workspace's own.
 * `folders`: all there is of a workspace of several, absolute; the first is where commands start.
 */
export function resolveWorkdir(
  workdir: string | null | undefined,
  root: string | undefined,
  folders: readonly string[] = [],
): Parsed<string> {
  const names = folders.map((folder) => within(root ?? '/', folder) ?? folder);
  if (!workdir) return { ok: true, value: names[0] ?? '' };
  const which = names.length === 0 ? 'inside the workspace' : `in one of the workspace's folders (${names.join(', ')})`;
  const problem = `workdir must be a folder ${which}; ${workdir} is not. Leave it out for ${names[0] ?? 'the workspace itself'}.`;
  if (workdir.includes('\0')) return { ok: false, problem };
  const relative = posix.isAbsolute(workdir) ? (root ? posix.relative(root, workdir) : undefined) : workdir;
  if (relative === undefined) return { ok: false, problem };
  const path = posix.normalize(relative || '.').replace(/\/$/, '');
  if (path === '..' || path.startsWith('../')) return { ok: false, problem };
  if (names.length > 0 && !names.some((name) => `${path}/`.startsWith(`${name}/`))) return { ok: false, problem };
  return { ok: true, value: path === '.' ? '' : path };
}
