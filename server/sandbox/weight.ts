/**
 * Commands give way: where each session has its share of the processors however many there are (Linux with autogroups),
 * twenty commands would leave an editor a twentieth. Root puts what starts them into a group with a small share.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { removeLeftOver } from './cgroup.ts';

const tree = '/sys/fs/cgroup/cpu';
/** Of 1024 that every other session has; of all commands together. */
const shares = 512;

/** Does nothing where that can't be: then they only are of low priority. In version 2 each command's own group has it. */
export async function giveWay(pid: number | undefined): Promise<void> {
  if (process.getuid?.() !== 0 || pid === undefined) return;
  const folder = join(tree, `codex-lsp-${pid}-launcher`);
  try {
    await removeLeftOver(tree);
    await mkdir(folder);
    await writeFile(join(folder, 'cpu.shares'), String(shares));
    await writeFile(join(folder, 'cgroup.procs'), String(pid));
  } catch {
    // No such tree, or not for us.
  }
}
