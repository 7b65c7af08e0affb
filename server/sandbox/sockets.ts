/** Which sockets of services a command gets, and which folders it may read without any in them. */
import { lstat, mkdir, realpath, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { foldersOf, holdsPath, type Workspace } from '../protocol/folders.ts';
import { isInside } from './environment.ts';
import { systemTool } from './host.ts';
import { type Identity, mayReach } from './identity.ts';
import { outputOf } from './process.ts';

/** `at`: where it is seen. */
export type BoundSocket = { from: string; at: string };

/**
 * Those that exist, at their real path and at the given one. None in the workspace: its mount points would be the
 * command's to move. `isSeen`: whether a path outside it is in the sandbox anyway, links and all.
 */
export async function boundSockets(
  paths: readonly string[],
  { identity, isSeen, ...workspace }: Workspace & { identity: Identity; isSeen: (path: string) => boolean },
): Promise<BoundSocket[]> {
  const found = await Promise.all(
    paths.map(async (path) => {
      const real = await realpath(path).catch(() => undefined);
      if (real === undefined || !(await stat(real).catch(() => undefined))?.isSocket()) return [];
      if (!(await mayReach(dirname(real), identity))) return [];
      // The sandbox has that link itself.
      const given = path.replace(/^\/var\/run\//, '/run/');
      const names = given === real || isSeen(given) ? [real] : [real, given];
      return names.filter((name) => !holdsPath(workspace, name)).map((at) => ({ from: real, at }));
    }),
  );
  return found.flat();
}

/** Read grants as they can be mounted: no socket itself, nothing that is the kernel's or ours, none in the workspace. */
export async function readableFolders(
  paths: readonly string[],
  { hidden, identity, ...workspace }: Workspace & { hidden: readonly string[]; identity: Identity },
): Promise<{ at: string; isFolder: boolean }[]> {
  const never = ['/proc', '/dev', ...foldersOf(workspace), ...hidden];
  const found = await Promise.all(
    paths.map(async (path) => {
      const real = await realpath(path).catch(() => undefined);
      const status = real === undefined ? undefined : await lstat(real).catch(() => undefined);
      if (real === undefined || !(status?.isDirectory() || status?.isFile())) return [];
      if (path === '/' || real === '/' || never.some((folder) => isInside(path, folder) || isInside(real, folder)))
        return [];
      if (!(await mayReach(path, identity))) return [];
      return [{ at: path, isFolder: status.isDirectory() }];
    }),
  );
  return found.flat();
}

/** Of one folder; each is a mount of every command. */
const coveredMax = 200;
const listBytesMax = 1024 ** 2;

/**
 * Sockets below a folder of the user's that is bound as it is, where no overlay can be made of it: the kernel connects
 * whoever sees one. As they are now. Nothing where they are too many, or can't be told: then the folder is not for showing.
 */
export async function socketsIn(folder: string): Promise<string[] | undefined> {
  const find = await systemTool('find');
  if (find === undefined) return undefined;
  // The last that is looked at says that it came to its end.
  const args = [folder, '/dev/null', '(', '-type', 's', '-o', '-path', '/dev/null', ')', '-print0'];
  const found = (await outputOf(find, args, { bytesMax: listBytesMax })).split('\0').slice(0, -1);
  return found.pop() !== '/dev/null' || found.length > coveredMax ? undefined : found;
}

/** Words of bwrap that stand for nothing at each of these. */
export const covered = (paths: readonly string[]): string[] => paths.flatMap((at) => ['--ro-bind', '/dev/null', at]);

/** A folder with nothing in it, beside the upper layer: an overlay of one folder needs another. */
export async function emptyFolder(upper: string): Promise<string> {
  const path = join(dirname(upper), 'nothing');
  await mkdir(path, { recursive: true, mode: 0o755 });
  return path;
}
