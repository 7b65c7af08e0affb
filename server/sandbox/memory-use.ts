/** How much memory a sandbox holds: what its processes have for themselves, and what files in memory hold. */
import { statfs } from 'node:fs/promises';
import { deviceNumber, heldFiles } from './held-files.ts';
import { mountsIn } from './mounts.ts';
import { kibibytes, processesOf, text, threadsOf } from './processes.ts';

/**
 * `shared`: what files in memory have grown by on the whole machine since the command began. It counts where a process
 * may hold some that can't be seen. Programs and their libraries do not count: the kernel can drop them.
 */
export async function memoryUsed(
  child: number | undefined,
  { bytesMax, sharedBytes }: { bytesMax: number; sharedBytes: number },
): Promise<number> {
  const folders = await memoryFolders(child);
  const held = await heldFiles(child, folders.devices);
  const files = folders.bytes + held.memoryBytes;
  const shared = held.hidesSome ? Math.max(files, sharedBytes) : files;
  const own = await ownBytes(child, 'status', 'RssAnon', 'VmSwap');
  if (own + shared <= bytesMax) return own + shared;
  // What was not written since a fork counts for each process there; this takes longer and divides it.
  return (await ownBytes(child, 'smaps_rollup', 'Pss_Anon', 'SwapPss')) + shared;
}

async function ownBytes(child: number | undefined, file: string, resident: string, swapped: string): Promise<number> {
  let bytes = 0;
  for await (const pids of processesOf(child)) {
    const each = pids.map(async (pid) => {
      for (const thread of await threadsOf(pid)) {
        const lines = await text(`${thread}/${file}`);
        if (lines.includes(`${resident}:`)) return kibibytes(lines, resident) + kibibytes(lines, swapped);
      }
      return 0;
    });
    for (const own of await Promise.all(each)) bytes += own;
  }
  return bytes;
}

/** The file systems in memory that were made for it: `/tmp`, the home, `/dev/shm`. */
async function memoryFolders(child: number | undefined): Promise<{ bytes: number; devices: Set<number> }> {
  const ours = new Set(memoryMounts(await text('/proc/self/mountinfo')).map(({ device }) => device));
  const found = { bytes: 0, devices: new Set<number>() };
  for (const { device, path } of memoryMounts(await text(`/proc/${child}/mountinfo`))) {
    if (ours.has(device) || found.devices.has(device)) continue;
    const use = await statfs(`/proc/${child}/root${path}`).catch(() => undefined);
    if (!use) continue;
    found.devices.add(device);
    found.bytes += (use.blocks - use.bfree) * use.bsize;
  }
  return found;
}

/** Those on tmpfs that can be written. */
function memoryMounts(mountinfo: string): { device: number; path: string }[] {
  return mountsIn(mountinfo)
    .filter(({ filesystem, isWritable }) => filesystem === 'tmpfs' && isWritable)
    .map(({ device, path }) => {
      const [major = 0, minor = 0] = device.split(':').map(Number);
      return { device: deviceNumber(major, minor), path };
    });
}
