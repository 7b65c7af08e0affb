/**
 * What an ordinary user of this machine could not read. A command that root starts has root's number and would: it is
 * hidden from it.
 */
import type { Dirent } from 'node:fs';
import { lstat, readdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';

/** Settings of services, and where administrators put what no package brought. */
const searched = ['/etc', '/opt', '/usr/local'];
/** Of each of them, the upper folders first; what lies deeper than these reach is not hidden. */
const searchBounds = { entriesMax: 10_000, durationMsMax: 200 };
/** Each is a mount of every command. */
const hiddenMax = 300;
const atOnce = 256;

/** What containers hide, too. */
const machineFiles = ['kcore', 'keys', 'latency_stats', 'timer_list', 'timer_stats', 'sched_debug'];
const machineFolders = ['acpi', 'asound', 'scsi'];
/** Read-only already (`host.ts`), and programs look whether it is there. */
const writtenByNobody = ['sysrq-trigger'];

export type Hidden = { files: string[]; folders: string[] };

/** Real paths; of what lies in a hidden folder, only the folder. */
export async function privatePaths(folders: readonly string[] = searched, bounds = searchBounds): Promise<Hidden> {
  const found: Hidden = { files: [], folders: [] };
  for (const folder of folders) {
    const top = await realpath(folder).catch(() => undefined);
    if (top === undefined) continue;
    const { files, folders: closed } = await privateIn(top, bounds);
    found.files.push(...files);
    found.folders.push(...closed);
  }
  return found;
}

/** Of the kernel's own folder, which is made anew for each command: also what only root could write. */
export async function privateKernelPaths(isRoot: boolean): Promise<Hidden> {
  const found: Hidden = { files: [], folders: [] };
  for (const entry of await readdir('/proc', { withFileTypes: true })) {
    const path = join('/proc', entry.name);
    if (entry.isDirectory() && machineFolders.includes(entry.name)) found.folders.push(path);
    if (!entry.isFile() || writtenByNobody.includes(entry.name)) continue;
    const mode = (await lstat(path).catch(() => undefined))?.mode ?? 0o444;
    const isOfRoot = isRoot && ((mode & 0o004) === 0 || (mode & 0o222) !== 0);
    if (isOfRoot || machineFiles.includes(entry.name)) found.files.push(path);
  }
  return found;
}

async function privateIn(top: string, { entriesMax, durationMsMax }: typeof searchBounds): Promise<Hidden> {
  const deadline = performance.now() + durationMsMax;
  const found: Hidden = { files: [], folders: [] };
  let level = [top];
  let entries = 0;
  while (level.length > 0) {
    const next: string[] = [];
    for (const folder of level) {
      const names = await readdir(folder, { withFileTypes: true }).catch((): Dirent[] => []);
      entries += names.length;
      if (entries > entriesMax || performance.now() > deadline) return folded(found, top);
      for (let at = 0; at < names.length; at += atOnce) {
        const looks = names.slice(at, at + atOnce).map(async (entry) => {
          const path = join(folder, entry.name);
          if (entry.isSymbolicLink()) return;
          const mode = (await lstat(path).catch(() => undefined))?.mode ?? 0o777;
          if (!entry.isDirectory()) return (mode & 0o004) === 0 && found.files.push(path);
          return (mode & 0o005) === 0o005 ? next.push(path) : found.folders.push(path);
        });
        await Promise.all(looks);
      }
    }
    level = next;
  }
  return folded(found, top);
}

/** Where they are too many, the folder of `top` that they lie in. */
function folded({ files, folders }: Hidden, top: string): Hidden {
  const all = [...files, ...folders];
  if (all.length <= hiddenMax) return { files: files.sort(), folders: folders.sort() };
  const isDirect = (path: string) => !path.slice(top.length + 1).includes('/');
  const above = all
    .filter((path) => !isDirect(path))
    .map((path) => join(top, path.slice(top.length + 1).split('/')[0] ?? ''));
  const direct = { files: files.filter(isDirect), folders: [...new Set([...folders.filter(isDirect), ...above])] };
  if (direct.files.length + direct.folders.length <= hiddenMax) return direct;
  return { files: [], folders: [top] };
}
