/**
 * The processes of a command that has no process namespace around it, found by a random mark in their environment, by
 * their group and session, and by their parents; and their end. Not found is what starts a program with an empty
 * environment, in a session of its own, after its parent has ended; and what becomes another process faster than they
 * can be listed. Only a process namespace or a subreaper would hold those, and Node can make neither.
 */
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { outputOf } from './process.ts';

/** The variable that has the mark. */
export const markName = 'CODEX_LSP_COMMAND';

export type Process = { pid: number; parent: number; group: number; session: number; isMarked: boolean };

const processesAtOnce = 64;
/** A fork bomb makes new ones while the old ones are found; each round stops all that it finds. */
const roundsMax = 50;
const psBytesMax = 16 * 1024 ** 2;
const goneWithinMs = 5_000;

/** Kills what belongs to the command. `leader`: of its group and session. True when nothing that can be found is left. */
export async function endProcesses(leader: number, mark: string): Promise<boolean> {
  const deadline = performance.now() + goneWithinMs;
  for (let waitMs = 1; performance.now() < deadline; waitMs = Math.min(2 * waitMs, 100)) {
    const found = await stopAll(leader, mark);
    signal(-leader, 'SIGKILL');
    for (const pid of found) signal(pid, 'SIGKILL');
    if (found.size === 0) return true;
    await delay(waitMs);
  }
  return false;
}

/** Stopped, they make no more of their kind while the others are found. */
async function stopAll(leader: number, mark: string): Promise<Set<number>> {
  const stopped = new Set<number>();
  for (let round = 0; round < roundsMax; round++) {
    const found = membersOf(await processList(mark), leader).filter((pid) => !stopped.has(pid));
    if (found.length === 0) break;
    for (const pid of found) {
      stopped.add(pid);
      signal(pid, 'SIGSTOP');
    }
  }
  return stopped;
}

/** By mark, group or session, and the children of all these. */
export function membersOf(processes: readonly Process[], leader: number): number[] {
  const children = new Map<number, number[]>();
  for (const { pid, parent } of processes) children.set(parent, [...(children.get(parent) ?? []), pid]);
  const members = new Set<number>();
  const open = processes
    .filter(({ pid, group, session, isMarked }) => pid === leader || group === leader || session === leader || isMarked)
    .map(({ pid }) => pid);
  for (let pid = open.pop(); pid !== undefined; pid = open.pop()) {
    if (members.has(pid) || pid === process.pid) continue;
    members.add(pid);
    open.push(...(children.get(pid) ?? []));
  }
  return [...members];
}

function processList(mark: string): Promise<Process[]> {
  return process.platform === 'linux' ? readProc(mark) : askPs(mark);
}

async function readProc(mark: string): Promise<Process[]> {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  const processes: Process[] = [];
  for (let at = 0; at < pids.length; at += processesAtOnce) {
    const some = pids.slice(at, at + processesAtOnce).map(async (pid) => {
      const [line, environment] = await Promise.all(
        ['stat', 'environ'].map((name) => readFile(`/proc/${pid}/${name}`, 'latin1').catch(() => '')),
      );
      return parseStat(line ?? '', (environment ?? '').includes(`${markName}=${mark}`));
    });
    for (const found of await Promise.all(some)) if (found) processes.push(found);
  }
  return processes;
}

/** A line of `/proc/PID/stat`; undefined for one that has ended, even if nobody has asked how. */
export function parseStat(line: string, isMarked: boolean): Process | undefined {
  // The name stands in parentheses, and may hold some.
  const [state = '', ...numbers] = line.slice(line.lastIndexOf(')') + 2).split(' ');
  const pid = Number.parseInt(line, 10);
  if (!Number.isInteger(pid) || state === 'Z' || state === 'X' || state === '') return undefined;
  const [parent = 0, group = 0, session = 0] = numbers.map(Number);
  return { pid, parent, group, session, isMarked };
}

/** macOS: with `-E`, the environment of one's own programs stands behind the command. */
async function askPs(mark: string): Promise<Process[]> {
  const output = await outputOf('/bin/ps', ['-axww', '-E', '-o', 'pid=,ppid=,pgid=,stat=,command='], {
    bytesMax: psBytesMax,
  });
  return parsePs(output, mark);
}

export function parsePs(output: string, mark: string): Process[] {
  return output.split('\n').flatMap((line) => {
    const found = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s(.*)$/.exec(line);
    if (!found || found[4]?.startsWith('Z')) return [];
    const [pid = 0, parent = 0, group = 0] = found.slice(1, 4).map(Number);
    // `ps` of macOS does not tell the session.
    return [{ pid, parent, group, session: 0, isMarked: found[5]?.includes(`${markName}=${mark}`) ?? false }];
  });
}

function signal(pid: number, name: 'SIGSTOP' | 'SIGKILL'): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended, or is not ours to end.
  }
}
