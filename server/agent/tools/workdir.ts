/** The folder a command asks for, as a path inside the workspace. Pure. */
import { posix } from 'node:path';
import type { Parsed } from './tool.ts';

/** Workspace-relative with `/`, empty for the root. Absolute paths are taken if they begin with the workspace's own. */
export function resolveWorkdir(workdir: string | null | undefined, root: string | undefined): Parsed<string> {
  if (!workdir) return { ok: true, value: '' };
  const problem = `workdir must be a folder inside the workspace; ${workdir} is not. Leave it out for the workspace itself.`;
  if (workdir.includes('\0')) return { ok: false, problem };
  const relative = posix.isAbsolute(workdir) ? (root ? posix.relative(root, workdir) : undefined) : workdir;
  if (relative === undefined) return { ok: false, problem };
  const path = posix.normalize(relative || '.').replace(/\/$/, '');
  if (path === '..' || path.startsWith('../')) return { ok: false, problem };
  return { ok: true, value: path === '.' ? '' : path };
}
