/** Which processes of this machine are a sandbox's: those of its process namespace. */
import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';

export const processesAtOnce = 64;

/** `child`: any process of the sandbox. The youngest first; of 64 looked at, those that are its own. */
export async function* processesOf(child: number | undefined): AsyncGenerator<number[]> {
  const namespaceOf = (pid: number) => readlink(`/proc/${pid}/ns/pid`).catch(() => undefined);
  const namespace = child === undefined ? undefined : await namespaceOf(child);
  if (namespace === undefined) return;
  const pids = (await numbersIn('/proc')).sort((a, b) => b - a);
  for (let at = 0; at < pids.length; at += processesAtOnce) {
    const some = pids.slice(at, at + processesAtOnce);
    const namespaces = await Promise.all(some.map(namespaceOf));
    yield some.filter((_, index) => namespaces[index] === namespace);
  }
}

/** One folder of `/proc` for each thread: each may have open files of its own, and the first may have ended. */
export async function threadsOf(pid: number): Promise<string[]> {
  return (await numbersIn(`/proc/${pid}/task`)).map((thread) => `/proc/${pid}/task/${thread}`);
}

/**
 * How many threads a sandbox has, by the list that its own `/proc` is; 0 where that can't be read. Where it has at least
 * `most` processes, those are not looked at one by one.
 */
export async function threadsIn(child: number | undefined, most: number): Promise<number> {
  if (child === undefined) return 0;
  const folder = `/proc/${child}/root/proc`;
  // Before the sandbox stands it is the machine's, which knows us too.
  if ((await readlink(join(folder, 'self')).catch(() => undefined)) !== undefined) return 0;
  const pids = await numbersIn(folder);
  if (pids.length >= most) return pids.length;
  const each = await Promise.all(pids.map((pid) => text(`${folder}/${pid}/status`)));
  return each.reduce((sum, lines) => sum + Number(/^Threads:\s+(\d+)/m.exec(lines)?.[1] ?? 1), 0);
}

export const text = (path: string): Promise<string> => readFile(path, 'latin1').catch(() => '');

/** Of a line `Name:   123 kB`, in bytes; 0 where there is none. */
export const kibibytes = (lines: string, name: string): number =>
  Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(lines)?.[1] ?? 0) * 1024;

const numbersIn = async (folder: string): Promise<number[]> =>
  (await readdir(folder).catch(() => [])).map(Number).filter((number) => number > 0);
