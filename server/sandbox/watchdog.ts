/**
 * Ends a command that takes more of the machine than its policy gives. What is looked at again and again are cheap
 * figures of the whole machine; only where one has moved by as much as the limit is the command itself measured.
 */
import { readFile, statfs } from 'node:fs/promises';
import type { CommandLimit } from '../protocol/thread.ts';
import { heldFiles } from './held-files.ts';
import { memoryUsed } from './memory-use.ts';
import { kibibytes, processesAtOnce, processesOf, text, threadsIn } from './processes.ts';
import type { SandboxPolicy } from './types.ts';
import { type Use, usedBy } from './upper-use.ts';

/** Entries of the upper layer where the policy does not say; beyond it no change can be shown either. */
const entriesMaxByDefault = 200_000;
/** They are counted each time that the disk has lost this part of those that are allowed. */
const entriesStepsMax = 10;
const bytesStepMin = 16 * 1024 ** 2;

const everyMs = { processes: 50, memory: 250, disk: 200 };
/** Memory is measured that often whatever the machine's figures say: what others give back may hide what is taken. */
const measuredEveryMs = 4_000;

type Watch = () => Promise<boolean>;

/** Beside the command itself, its chain counts for the kernel, and does not lie in its namespace. */
const unseenProcessesMax = 4;

export type Watching = {
  end(): void;
  /** Whether it was seen with as many processes as the kernel lets it have; not if only for less than 50 ms. */
  hadAllProcesses(): boolean;
  /** What the disk has lost since the start, whoever took it. */
  lostBytes(): Promise<number>;
};

/**
 * Calls `exceeded` at most once. `child`: the first process in the sandbox, once it is known. `countsProcesses`: for
 * root, whom the kernel lets start any number; else `notesProcesses`, where it does not tell that it let no more start.
 * `hasRunOut`: where the kernel limits the memory, whether it has had to.
 */
export function watch(options: {
  /** Of one file system. */
  uppers: readonly string[];
  /** What they held before any command: only what is more counts. */
  atFirst: Use;
  policy: SandboxPolicy;
  countsProcesses: boolean;
  notesProcesses?: boolean;
  hasRunOut?: () => Promise<boolean>;
  child: () => number | undefined;
  exceeded: (limit: CommandLimit) => void;
}): Watching {
  const { uppers, atFirst, policy, countsProcesses, notesProcesses, hasRunOut, child, exceeded } = options;
  const timers = new Map<CommandLimit, NodeJS.Timeout>();
  let hasEnded = false;
  const end = () => {
    hasEnded = true;
    for (const timer of timers.values()) clearTimeout(timer);
  };
  const start = (limit: 'processes' | 'memory' | 'disk', isExceeded: Watch) => {
    const look = async () => {
      const isOver = await isExceeded().catch(() => false);
      if (hasEnded) return;
      if (!isOver) {
        timers.set(limit, setTimeout(look, everyMs[limit]).unref());
        return;
      }
      end();
      exceeded(limit);
    };
    look();
  };
  const disk = diskWatch(uppers, atFirst, policy, child);
  start('disk', disk.isExceeded);
  start('memory', hasRunOut ?? memoryWatch(policy, child));
  let hadAll = false;
  const most = policy.processesMax;
  if (countsProcesses) start('processes', processesWatch(policy, child));
  else if (notesProcesses) {
    start('processes', async () => {
      hadAll ||= (await threadsIn(child(), most)) >= most - unseenProcessesMax;
      return false;
    });
  }
  return { end, hadAllProcesses: () => hadAll, lostBytes: disk.lostBytes };
}

function diskWatch(
  uppers: readonly string[],
  atFirst: Use,
  { diskBytesMax, entriesMax = entriesMaxByDefault }: SandboxPolicy,
  child: () => number | undefined,
): { isExceeded: Watch } & Pick<Watching, 'lostBytes'> {
  const [upper = '/'] = uppers;
  const allowed = { entries: atFirst.entries + entriesMax, bytes: atFirst.bytes + diskBytesMax };
  /** Free at most since the start: what others give back must not hide what is taken. */
  let most = { bytes: 0, entries: 0 };
  /** Free at the last measurement. */
  let last = { bytes: 0, entries: 0 };
  /** What the disk has to have lost since the last measurement to be measured again. */
  let stepBytes = Math.max(bytesStepMin, diskBytesMax / 4);
  const lookAtFree = async () => {
    const { bavail, bsize, ffree } = await statfs(upper);
    const free = { bytes: bavail * bsize, entries: ffree };
    most = { bytes: Math.max(most.bytes, free.bytes), entries: Math.max(most.entries, free.entries) };
    last = { bytes: Math.max(last.bytes, free.bytes), entries: Math.max(last.entries, free.entries) };
    const lost = { bytes: most.bytes - free.bytes, entries: most.entries - free.entries };
    return { free, lost };
  };
  const isExceeded = async () => {
    const { free, lost } = await lookAtFree();
    if (last.entries - free.entries >= entriesMax / entriesStepsMax) {
      last = { ...last, entries: free.entries };
      const { entries, isWhole } = await usedBy(uppers, { entriesMax: allowed.entries });
      if (entries > allowed.entries || (!isWhole && lost.entries > entriesMax)) return true;
    }
    if (last.bytes - free.bytes >= stepBytes) {
      const named = await usedBy(uppers, { bytesMax: allowed.bytes });
      const held = await heldFiles(child());
      const bytes = named.bytes + held.diskBytes;
      if (bytes > allowed.bytes) return true;
      // What can't be looked at may be all that the disk has lost.
      const isSeen = named.isWhole && !held.hidesSome;
      if (!isSeen && lost.bytes > diskBytesMax) return true;
      last = { ...last, bytes: free.bytes };
      stepBytes = Math.max(bytesStepMin, (isSeen ? allowed.bytes - bytes : diskBytesMax - lost.bytes) / 2);
    }
    return false;
  };
  return { isExceeded, lostBytes: async () => (await lookAtFree().catch(() => undefined))?.lost.bytes ?? 0 };
}

function memoryWatch({ memoryBytesMax }: SandboxPolicy, child: () => number | undefined): Watch {
  /** The best since the start: what others give back must not hide what is taken. */
  const best = { available: 0, shared: Infinity };
  let measuredAt = performance.now();
  return async () => {
    const lines = await readFile('/proc/meminfo', 'latin1');
    const now = { available: kibibytes(lines, 'MemAvailable'), shared: kibibytes(lines, 'Shmem') };
    best.available = Math.max(best.available, now.available);
    best.shared = Math.min(best.shared, now.shared);
    const isDue = performance.now() - measuredAt > measuredEveryMs;
    if (!isDue && best.available - now.available <= memoryBytesMax / 2) return false;
    measuredAt = performance.now();
    const sharedBytes = now.shared - best.shared;
    return (await memoryUsed(child(), { bytesMax: memoryBytesMax, sharedBytes })) > memoryBytesMax;
  };
}

/**
 * A fork bomb leaves little time: it is enough that most of the youngest processes of the machine are the command's.
 * Threads of a few processes are counted.
 */
function processesWatch({ processesMax }: SandboxPolicy, child: () => number | undefined): Watch {
  let atStart: number | undefined;
  return async () => {
    const threads = Number(/\/(\d+) /.exec(await readFile('/proc/loadavg', 'latin1'))?.[1] ?? 0);
    atStart ??= threads;
    if (threads - atStart <= processesMax) return false;
    let own = 0;
    let isYoungest = true;
    for await (const pids of processesOf(child())) {
      if (isYoungest && pids.length > processesAtOnce / 2) return true;
      isYoungest = false;
      for (const lines of await Promise.all(pids.map((pid) => text(`/proc/${pid}/status`))))
        own += Number(/^Threads:\s+(\d+)/m.exec(lines)?.[1] ?? 0);
    }
    return own > processesMax;
  };
}
