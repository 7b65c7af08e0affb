/**
 * The kernel's own limits, for root: `RLIMIT_NPROC` does not hold its commands, a fork bomb starves us before we can
 * count, and memory is counted here wherever it is hidden. An ordinary user has no right to make one.
 */
import { rmdirSync } from 'node:fs';
import { access, mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SandboxPolicy } from './types.ts';

const prefix = 'codex-lsp-';
const idleMax = 8;
/** Of 100 that others have. */
const weight = 50;

/** Version 1 has a tree for each controller; version 2 one for all, which may have this one or not. */
type Tree = { folder: string; version: 1 | 2 };
type Trees = { pids?: Tree; memory?: Tree };

let trees: Promise<Trees> | undefined;
let made = 0;

/**
 * Kept for the next command: what a command has read from the disk stays in memory on its cgroup's account, and keeps
 * a removed one alive in the kernel.
 */
const idle: Group[] = [];

/** `seen`: what its files have counted up to the end of its last command. `held`: the limits it has. */
type Group = {
  name: string;
  folders: readonly string[];
  seen: { kills: number; refusals: number };
  held: Partial<Limits>;
  /** Processes that have ended and that nobody has asked about yet: they count until somebody does. */
  leftOver: number;
};

type Limits = { processesMax: number; memoryBytesMax: number };

type Holds = { processes: boolean; memory: boolean };

export type Cgroup = {
  /** A process whose number is written to each of them joins, and so do its children from then on. */
  procs: readonly string[];
  /** Whether the kernel holds the limit; else it has to be counted. */
  limits: Holds;
  /** Whether the kernel has ended a process because no memory was left. */
  hasRunOut(): Promise<boolean>;
  /** To be asked once, when the command has ended: whether the kernel has let it start no more processes. */
  hasRefusedProcesses(): Promise<boolean>;
  /** When no process is in it any more. */
  release(): Promise<void>;
};

/** The last of a chain is left to the first process of the machine, which may be slow to ask. */
const leftOverMax = 4;

/** Beside the command there are those that start it and end it. */
const besideCommand = 4;

export const kernelLimits = ({ processesMax, memoryBytesMax }: SandboxPolicy): Limits => ({
  processesMax: processesMax + besideCommand,
  memoryBytesMax,
});

/** Nothing where this machine or container gives us none. */
export async function makeCgroup(limits: Limits): Promise<Cgroup | undefined> {
  trees ??= findTrees();
  const { pids, memory } = await trees;
  if (!pids && !memory) return undefined;
  const group = (await takeIdle()) ?? (await newGroup({ pids, memory }));
  if (!group) return undefined;
  const { name, folders, seen } = group;
  const holds = await hold(group, { pids, memory }, limits);
  return {
    procs: folders.map((folder) => join(folder, 'cgroup.procs')),
    limits: holds,
    hasRunOut: async () => memory !== undefined && (await killsIn(memory, name)) > seen.kills,
    async hasRefusedProcesses() {
      const refusals = pids ? await refusalsIn(pids, name) : 0;
      const hasRefused = refusals > seen.refusals;
      seen.refusals = refusals;
      return hasRefused;
    },
    async release() {
      if (memory) seen.kills = await killsIn(memory, name);
      if (idle.length < idleMax) idle.push(group);
      else await Promise.all(folders.map((folder) => rmdir(folder).catch(() => {})));
    },
  };
}

/** An idle one mostly has them from its last command. Answers which of them hold. */
async function hold({ name, held, leftOver }: Group, { pids, memory }: Trees, limits: Limits): Promise<Holds> {
  const processesMax = limits.processesMax + leftOver;
  const { memoryBytesMax } = limits;
  if (pids && held.processesMax !== processesMax) {
    held.processesMax = (await set(join(pids.folder, name, 'pids.max'), processesMax)) ? processesMax : undefined;
  }
  if (memory && held.memoryBytesMax !== memoryBytesMax) {
    held.memoryBytesMax = (await limitMemory(memory, name, memoryBytesMax)) ? memoryBytesMax : undefined;
  }
  return { processes: held.processesMax !== undefined, memory: held.memoryBytesMax !== undefined };
}

/** Not after a fork bomb whose processes nobody has asked about; a server in another container may have removed one. */
async function takeIdle(): Promise<Group | undefined> {
  for (const group of [...idle]) {
    const leftOver = await countedIn(group);
    if (leftOver !== undefined && leftOver > leftOverMax) continue;
    const at = idle.indexOf(group);
    if (at < 0) continue;
    idle.splice(at, 1);
    if (leftOver !== undefined) return { ...group, leftOver };
  }
  return undefined;
}

/** Only the controller of processes has such a file. Nothing where the group is gone. */
async function countedIn({ folders }: Group): Promise<number | undefined> {
  const counts = await Promise.all(
    folders.map(async (folder) => {
      const read = await readFile(join(folder, 'pids.current'), 'latin1').catch(() => undefined);
      return read === undefined && !(await succeeds(access(folder))) ? undefined : Number(read ?? 0);
    }),
  );
  return counts.reduce((sum, count) => (sum === undefined || count === undefined ? undefined : sum + count), 0);
}

async function newGroup(found: Trees): Promise<Group | undefined> {
  const name = `${prefix}${process.pid}-${++made}`;
  const parents = new Set([found.pids, found.memory].flatMap((tree) => (tree ? [tree.folder] : [])));
  const folders = [...parents].map((folder) => join(folder, name));
  if (made === 1) process.once('exit', removeIdle);
  try {
    for (const folder of folders) await mkdir(folder);
    // Only version 2 has such a file here: an editor goes before what runs in it.
    for (const folder of folders) await set(join(folder, 'cpu.weight'), weight);
    return { name, folders, seen: { kills: 0, refusals: 0 }, held: {}, leftOver: 0 };
  } catch {
    for (const folder of folders) await rmdir(folder).catch(() => {});
    return undefined;
  }
}

/** A few folders, at the very end. */
function removeIdle(): void {
  for (const folder of idle.flatMap(({ folders }) => folders)) {
    try {
      rmdirSync(folder);
    } catch {
      // The next server removes it.
    }
  }
}

/** Swap too, where it is counted at all. */
async function limitMemory({ folder, version }: Tree, name: string, bytes: number): Promise<boolean> {
  const file = (limit: string) => join(folder, name, limit);
  if (version === 2) {
    await set(file('memory.swap.max'), 0);
    return set(file('memory.max'), bytes);
  }
  // The first must never be above the second: one of the two orders fits whatever was there.
  await set(file('memory.memsw.limit_in_bytes'), bytes);
  const isSet = await set(file('memory.limit_in_bytes'), bytes);
  await set(file('memory.memsw.limit_in_bytes'), bytes);
  return isSet;
}

async function killsIn({ folder, version }: Tree, name: string): Promise<number> {
  const file = version === 2 ? 'memory.events' : 'memory.oom_control';
  const lines = await readFile(join(folder, name, file), 'latin1').catch(() => '');
  return Number(/^oom_kill (\d+)/m.exec(lines)?.[1] ?? 0);
}

/** How often a process was not started because there were as many as may be. */
async function refusalsIn({ folder }: Tree, name: string): Promise<number> {
  const lines = await readFile(join(folder, name, 'pids.events'), 'latin1').catch(() => '');
  return Number(/^max (\d+)/m.exec(lines)?.[1] ?? 0);
}

const set = (file: string, value: number): Promise<boolean> => succeeds(writeFile(file, String(value)));

async function findTrees(): Promise<Trees> {
  const root = '/sys/fs/cgroup';
  const controllers = await readFile(join(root, 'cgroup.subtree_control'), 'utf8').catch(() => undefined);
  const find = async (controller: string): Promise<Tree | undefined> => {
    if (controllers?.split(/\s/).includes(controller)) return { folder: root, version: 2 };
    const folder = join(root, controller);
    return (await succeeds(access(join(folder, 'cgroup.procs')))) ? { folder, version: 1 } : undefined;
  };
  const found = { pids: await find('pids'), memory: await find('memory') };
  for (const tree of [found.pids, found.memory]) if (tree) await removeLeftOver(tree.folder);
  return found;
}

/** Of servers that were killed. One with a process in it can't be removed. */
export async function removeLeftOver(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const pid = new RegExp(`^${prefix}(\\d+)-`).exec(name)?.[1];
    if (pid === undefined || (await succeeds(readFile(`/proc/${pid}/stat`)))) continue;
    await rmdir(join(folder, name)).catch(() => {});
  }
}

const succeeds = (attempt: Promise<unknown>): Promise<boolean> =>
  attempt.then(
    () => true,
    () => false,
  );
