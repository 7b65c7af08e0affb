/**
 * Ends a command that takes more of the machine than its policy gives. Each tick reads three cheap figures of the whole
 * machine; only where one of them has moved by as much as the limit is the command itself measured.
 */
import { lstat, opendir, readdir, readFile, readlink, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { CommandLimit } from '../protocol/thread.ts';
import type { SandboxPolicy } from './types.ts';

const tickMs = 200;
/** Entries of the upper layer; beyond it no change can be shown either. */
const entriesMax = 200_000;
const entriesStep = 20_000;
const bytesStepMin = 16 * 1024 ** 2;

type Figures = { threads: number; availableBytes: number; freeBytes: number; freeEntries: number };

/** Calls `exceeded` at most once. `child`: the first process in the sandbox, once it is known. */
export function watch(options: {
  upper: string;
  policy: SandboxPolicy;
  child: () => number | undefined;
  exceeded: (limit: CommandLimit) => void;
}): { end(): void } {
  const { upper, policy, child, exceeded } = options;
  let start: Figures | undefined;
  let hasEnded = false;
  let timer: NodeJS.Timeout | undefined;
  /** What the disk has to have lost since the last measurement to be measured again. */
  let disk = { freeBytes: 0, freeEntries: 0, step: Math.max(bytesStepMin, policy.diskBytesMax / 4) };

  const tick = async (): Promise<CommandLimit | undefined> => {
    const now = await figures(upper);
    if (!start) {
      start = now;
      disk = { ...disk, freeBytes: now.freeBytes, freeEntries: now.freeEntries };
      return undefined;
    }
    if (disk.freeBytes - now.freeBytes >= disk.step || disk.freeEntries - now.freeEntries >= entriesStep) {
      const used = await usedBy(upper, policy.diskBytesMax);
      if (used.bytes > policy.diskBytesMax || used.entries > entriesMax) return 'disk';
      disk = { ...now, step: Math.max(bytesStepMin, (policy.diskBytesMax - used.bytes) / 2) };
    }
    const hasManyThreads = now.threads - start.threads > policy.processesMax;
    const hasMuchMemory = start.availableBytes - now.availableBytes > policy.memoryBytesMax / 2;
    if (!hasManyThreads && !hasMuchMemory) return undefined;
    const { threads, memoryBytes } = await taken(child());
    if (threads > policy.processesMax) return 'processes';
    return memoryBytes > policy.memoryBytesMax ? 'memory' : undefined;
  };
  const next = () => {
    timer = setTimeout(async () => {
      const limit = await tick().catch(() => undefined);
      if (hasEnded) return;
      if (limit) exceeded(limit);
      else next();
    }, tickMs);
    timer.unref();
  };
  // The first figures are taken at once: a fork bomb is quick.
  tick().catch(() => undefined);
  next();
  return {
    end() {
      hasEnded = true;
      clearTimeout(timer);
    },
  };
}

async function figures(upper: string): Promise<Figures> {
  const [load, memory, disk] = await Promise.all([
    readFile('/proc/loadavg', 'latin1'),
    readFile('/proc/meminfo', 'latin1'),
    statfs(upper),
  ]);
  return {
    threads: Number(/\/(\d+) /.exec(load)?.[1] ?? 0),
    availableBytes: kibibytes(memory, 'MemAvailable'),
    freeBytes: disk.bavail * disk.bsize,
    freeEntries: disk.ffree,
  };
}

/** Of the upper layer; the walk ends where a limit is passed. */
async function usedBy(upper: string, bytesMax: number): Promise<{ bytes: number; entries: number }> {
  let bytes = 0;
  let entries = 0;
  const folders = [upper];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const directory = await opendir(folder).catch(() => undefined);
    if (!directory) continue;
    for await (const entry of directory) {
      entries++;
      const path = join(folder, entry.name);
      if (entry.isDirectory()) folders.push(path);
      else bytes += ((await lstat(path).catch(() => undefined))?.blocks ?? 0) * 512;
      if (bytes > bytesMax || entries > entriesMax) return { bytes, entries };
    }
  }
  return { bytes, entries };
}

/** By all processes of the sandbox, found by their process namespace. */
async function taken(child: number | undefined): Promise<{ threads: number; memoryBytes: number }> {
  let threads = 0;
  let memoryBytes = 0;
  if (child === undefined) return { threads, memoryBytes };
  const namespaceOf = (pid: number | string) => readlink(`/proc/${pid}/ns/pid`).catch(() => undefined);
  const namespace = await namespaceOf(child);
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name) || namespace === undefined || (await namespaceOf(name)) !== namespace) continue;
    const status = await readFile(`/proc/${name}/status`, 'latin1').catch(() => '');
    threads += Number(/^Threads:\s+(\d+)/m.exec(status)?.[1] ?? 0);
    memoryBytes += kibibytes(status, 'VmRSS');
  }
  return { threads, memoryBytes };
}

const kibibytes = (text: string, name: string): number =>
  Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0) * 1024;
