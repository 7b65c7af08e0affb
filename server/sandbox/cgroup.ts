/**
 * The kernel's own limit on processes, for root: its commands are exempt from `prlimit --nproc`, and a fork bomb starves
 * us before we can count. An ordinary user needs none, and has no right to make one.
 */
import { access, mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const prefix = 'codex-lsp-';

/** Version 1 has a tree for each controller; version 2 one for all, which may have this one or not. */
const trees = ['/sys/fs/cgroup/pids', '/sys/fs/cgroup'];

let tree: Promise<string | undefined> | undefined;
let made = 0;

export type Cgroup = {
  /** A process that writes `0` here joins, and so do its children. */
  procs: string;
  /** When no process is in it any more. */
  remove(): Promise<void>;
};

/** Nothing where this machine or container gives us none. */
export async function makeCgroup(processesMax: number): Promise<Cgroup | undefined> {
  tree ??= findTree();
  const parent = await tree;
  if (parent === undefined) return undefined;
  const folder = join(parent, `${prefix}${process.pid}-${++made}`);
  const remove = () => rmdir(folder).catch(() => {});
  try {
    await mkdir(folder);
    await writeFile(join(folder, 'pids.max'), String(processesMax));
    return { procs: join(folder, 'cgroup.procs'), remove };
  } catch {
    await remove();
    return undefined;
  }
}

async function findTree(): Promise<string | undefined> {
  for (const folder of trees) {
    const controllers = await readFile(join(folder, 'cgroup.subtree_control'), 'utf8').catch(() => undefined);
    const isFirst =
      controllers === undefined &&
      (await access(join(folder, 'cgroup.procs')).then(
        () => true,
        () => false,
      ));
    if (!isFirst && !controllers?.split(/\s/).includes('pids')) continue;
    await removeLeftOver(folder);
    return folder;
  }
  return undefined;
}

/** Of servers that were killed. One with a process in it can't be removed. */
async function removeLeftOver(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const pid = new RegExp(`^${prefix}(\\d+)-`).exec(name)?.[1];
    const isAlive =
      pid !== undefined &&
      (await readFile(`/proc/${pid}/stat`).then(
        () => true,
        () => false,
      ));
    if (pid !== undefined && !isAlive) await rmdir(join(folder, name)).catch(() => {});
  }
}
