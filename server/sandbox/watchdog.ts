/**
 * Ends a command that takes more of the machine than its policy gives. What is looked at again and again are cheap
 * figures of the whole machine; only where one has moved by as much as the limit is the command itself measured.
 */
import { readdir, readFile, readlink, statfs } from 'node:fs/promises';
import type { CommandLimit } from '../protocol/thread.ts';
import type { SandboxPolicy } from './types.ts';
import { type Use, usedBy } from './upper-use.ts';

/** Entries of the upper layer; beyond it no change can be shown either. */
const entriesMax = 200_000;
const entriesStep = 20_000;
const bytesStepMin = 16 * 1024 ** 2;
const processesAtOnce = 64;

const everyMs = { processes: 50, memory: 250, disk: 200 };

type Watch = () => Promise<boolean>;

/**
 * Calls `exceeded` at most once. `child`: the first process in the sandbox, once it is known. `countsProcesses`: for
 * root, whom the kernel lets start any number.
 */
export function watch(options: {
  /** Of one file system. */
  uppers: readonly string[];
  /** What they held before any command: only what is more counts. */
  atFirst: Use;
  policy: SandboxPolicy;
  countsProcesses: boolean;
  child: () => number | undefined;
  exceeded: (limit: CommandLimit) => void;
}): { end(): void } {
  const { uppers, atFirst, policy, countsProcesses, child, exceeded } = options;
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
  start('disk', diskWatch(uppers, atFirst, policy));
  start('memory', memoryWatch(policy, child));
  if (countsProcesses) start('processes', processesWatch(policy, child));
  return { end };
}

function diskWatch(uppers: readonly string[], atFirst: Use, { diskBytesMax }: SandboxPolicy): Watch {
  const [upper = '/'] = uppers;
  const most = { entries: atFirst.entries + entriesMax, bytes: atFirst.bytes + diskBytesMax };
  let last: { bytes: number; entries: number } | undefined;
  /** What the disk has to have lost since the last measurement to be measured again. */
  let stepBytes = Math.max(bytesStepMin, diskBytesMax / 4);
  return async () => {
    const { bavail, bsize, ffree } = await statfs(upper);
    const free = { bytes: bavail * bsize, entries: ffree };
    last ??= free;
    if (last.entries - free.entries >= entriesStep) {
      last = { ...last, entries: free.entries };
      if ((await usedBy(uppers, { entriesMax: most.entries })).entries > most.entries) return true;
    }
    if (last.bytes - free.bytes >= stepBytes) {
      const { bytes } = await usedBy(uppers, { bytesMax: most.bytes });
      if (bytes > most.bytes) return true;
      last = { ...last, bytes: free.bytes };
      stepBytes = Math.max(bytesStepMin, (most.bytes - bytes) / 2);
    }
    return false;
  };
}

function memoryWatch({ memoryBytesMax }: SandboxPolicy, child: () => number | undefined): Watch {
  let atStart: number | undefined;
  return async () => {
    const available = kibibytes(await readFile('/proc/meminfo', 'latin1'), 'MemAvailable');
    atStart ??= available;
    if (atStart - available <= memoryBytesMax / 2) return false;
    let used = 0;
    for await (const pids of processesOf(child())) {
      const statuses = pids.map((pid) => readFile(`/proc/${pid}/status`, 'latin1').catch(() => ''));
      for (const status of await Promise.all(statuses)) used += kibibytes(status, 'VmRSS');
    }
    return used > memoryBytesMax;
  };
}

/** A fork bomb leaves little time: it is enough that most of the youngest processes of the machine are the command's. */
function processesWatch({ processesMax }: SandboxPolicy, child: () => number | undefined): Watch {
  let atStart: number | undefined;
  return async () => {
    const threads = Number(/\/(\d+) /.exec(await readFile('/proc/loadavg', 'latin1'))?.[1] ?? 0);
    atStart ??= threads;
    if (threads - atStart <= processesMax) return false;
    for await (const youngest of processesOf(child())) return youngest.length > processesAtOnce / 2;
    return false;
  };
}

/** The processes of the sandbox, known by their namespace, out of the machine's: the youngest first, 64 looked at a time. */
async function* processesOf(child: number | undefined): AsyncGenerator<number[]> {
  const namespaceOf = (pid: number) => readlink(`/proc/${pid}/ns/pid`).catch(() => undefined);
  const namespace = child === undefined ? undefined : await namespaceOf(child);
  if (namespace === undefined) return;
  const pids = (await readdir('/proc')).map(Number).filter((pid) => pid > 0);
  pids.sort((a, b) => b - a);
  for (let at = 0; at < pids.length; at += processesAtOnce) {
    const some = pids.slice(at, at + processesAtOnce);
    const namespaces = await Promise.all(some.map(namespaceOf));
    yield some.filter((_, index) => namespaces[index] === namespace);
  }
}

const kibibytes = (text: string, name: string): number =>
  Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0) * 1024;
