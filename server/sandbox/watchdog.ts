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
const atOnce = 32;

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
  let disk = { freeBytes: 0, step: Math.max(bytesStepMin, policy.diskBytesMax / 4) };
  let entries = 0;

  const tick = async (): Promise<CommandLimit | undefined> => {
    const now = await figures(upper);
    if (!start) {
      start = now;
      disk = { ...disk, freeBytes: now.freeBytes };
      entries = now.freeEntries;
      return undefined;
    }
    if (entries - now.freeEntries >= entriesStep) {
      entries = now.freeEntries;
      if ((await usedBy(upper, { entriesMax })).entries > entriesMax) return 'disk';
    }
    if (disk.freeBytes - now.freeBytes >= disk.step) {
      const { bytes } = await usedBy(upper, { bytesMax: policy.diskBytesMax });
      if (bytes > policy.diskBytesMax) return 'disk';
      disk = { freeBytes: now.freeBytes, step: Math.max(bytesStepMin, (policy.diskBytesMax - bytes) / 2) };
    }
    const hasManyThreads = now.threads - start.threads > policy.processesMax;
    const hasMuchMemory = start.availableBytes - now.availableBytes > policy.memoryBytesMax / 2;
    if (!hasManyThreads && !hasMuchMemory) return undefined;
    return await exceededBy(child(), policy);
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

/** Of the upper layer; the walk ends where the limit is passed. Only for bytes is each file looked at. */
async function usedBy(
  upper: string,
  { bytesMax, entriesMax }: { bytesMax?: number; entriesMax?: number },
): Promise<{ bytes: number; entries: number }> {
  const used = { bytes: 0, entries: 0 };
  const isOver = () => used.bytes > (bytesMax ?? Infinity) || used.entries > (entriesMax ?? Infinity);
  const folders = [upper];
  for (let folder = folders.pop(); folder !== undefined && !isOver(); folder = folders.pop()) {
    const names: string[] = [];
    const directory = await opendir(folder, { bufferSize: 1024 }).catch(() => undefined);
    if (!directory) continue;
    for await (const entry of directory) {
      used.entries++;
      const path = join(folder, entry.name);
      if (entry.isDirectory()) folders.push(path);
      else if (bytesMax !== undefined) names.push(path);
      if (isOver()) break;
    }
    for (let at = 0; at < names.length && !isOver(); at += atOnce) {
      const sizes = names
        .slice(at, at + atOnce)
        .map(async (path) => (await lstat(path).catch(() => undefined))?.blocks);
      for (const blocks of await Promise.all(sizes)) used.bytes += (blocks ?? 0) * 512;
    }
  }
  return used;
}

/** All processes of the sandbox, found by their process namespace: the youngest first, and no more than it takes. */
async function exceededBy(child: number | undefined, policy: SandboxPolicy): Promise<CommandLimit | undefined> {
  const namespaceOf = (pid: number | string) => readlink(`/proc/${pid}/ns/pid`).catch(() => undefined);
  const namespace = child === undefined ? undefined : await namespaceOf(child);
  if (namespace === undefined) return undefined;
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).sort((a, b) => Number(b) - Number(a));
  let threads = 0;
  let memoryBytes = 0;
  for (let at = 0; at < pids.length; at += atOnce) {
    const statuses = pids.slice(at, at + atOnce).map(async (pid) => {
      if ((await namespaceOf(pid)) !== namespace) return '';
      return readFile(`/proc/${pid}/status`, 'latin1').catch(() => '');
    });
    for (const status of await Promise.all(statuses)) {
      threads += Number(/^Threads:\s+(\d+)/m.exec(status)?.[1] ?? 0);
      memoryBytes += kibibytes(status, 'VmRSS');
    }
    if (threads > policy.processesMax) return 'processes';
    if (memoryBytes > policy.memoryBytesMax) return 'memory';
  }
  return undefined;
}

const kibibytes = (text: string, name: string): number =>
  Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0) * 1024;
