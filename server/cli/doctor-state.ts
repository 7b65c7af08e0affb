/** What doctor says of threads and hosts: how much they take, what is left of what is gone, and the way to mend it. */
import { realpath } from 'node:fs/promises';
import { basename } from 'node:path';
import { type Host, hasLeftovers, hostsOf, removeDeadHost } from '../host/hosts.ts';
import { findLeftovers, type Leftovers, removeLeftovers } from '../task/leftovers.ts';
import { type ThreadSize, threadSizes } from '../task/thread-sizes.ts';
import type { Check } from './doctor.ts';
import { printable } from './progress.ts';

type Of = { stateDir: string; version: string };

/** Named one by one. */
const namedMax = 5;
const cleanIt = 'codex-lsp doctor --clean removes it';

export async function checkThreads({ stateDir }: Of): Promise<Check[]> {
  const { threads, isWhole } = await threadSizes(stateDir);
  if (threads.length === 0) return [{ ok: true, what: 'none yet' }, ...leftoverChecks(await findLeftovers(stateDir))];
  const archived = threads.filter((thread) => thread.archived).length;
  const copies = total(threads, ({ copyBytes }) => copyBytes);
  const all = total(threads, ({ bytes }) => bytes);
  const atLeast = isWhole ? '' : 'at least ';
  const sizes = `${atLeast}${size(all)}: ${size(copies)} in copies, ${size(all - copies)} in journals and applies`;
  const whole: Check = { ok: true, what: `${threads.length} (${archived} archived), ${sizes}` };
  const largest = threads
    .slice(0, namedMax)
    .map((thread) => `${thread.threadId} ${size(thread.bytes)}${titled(thread)}`);
  return [
    whole,
    { ok: true, what: `the largest: ${largest.join(', ')}` },
    ...workspaceChecks(threads),
    ...leftoverChecks(await findLeftovers(stateDir)),
  ];
}

function workspaceChecks(threads: readonly ThreadSize[]): Check[] {
  const gone = threads.filter(({ goneFolders }) => goneFolders.length > 0);
  const unread = threads.filter(({ title }) => title === undefined);
  const checks: Check[] = [];
  if (gone.length > 0) {
    const each = gone.map(({ threadId, goneFolders }) => `${threadId} in ${goneFolders.map(printable).join(', ')}`);
    const ids = gone.map(({ threadId }) => threadId).join(' ');
    checks.push({
      ok: false,
      what: `${count(gone, 'thread')} whose workspace is gone, ${size(total(gone, ({ bytes }) => bytes))}: ${some(each)}`,
      mend: `put the folder back, or give up what waits there: codex-lsp delete ${ids}`,
    });
  }
  if (unread.length > 0) {
    checks.push({
      ok: false,
      what: `${count(unread, 'thread')} with a journal that can't be read: ${some(unread.map(({ threadId }) => threadId))}`,
      mend: 'it may be of a newer codex-lsp; else remove the folder of that name in threads/ of the state folder',
    });
  }
  return checks;
}

function leftoverChecks(left: Leftovers): Check[] {
  const check = (paths: readonly string[], [one, rest = '']: readonly [string, string?], mend: string): Check[] =>
    paths.length === 0 ? [] : [{ ok: false, what: `${count(paths, one)}${rest}: ${some(paths)}`, mend }];
  const inThreads = (folders: readonly string[]): string[] => folders.map((folder) => basename(folder));
  return [
    ...check(left.halfDeleted, ['half-deleted thread'], cleanIt),
    ...check(left.neverBegun, ['thread folder', ' of a task that never began'], cleanIt),
    ...check(left.temporary, ['file', ' half-written by a process that is gone'], cleanIt),
    ...check(left.locks, ['lock', ' of a process that is gone, which stops nobody'], cleanIt),
    ...check(
      inThreads(left.halfMadeCopies),
      ['thread', ' with a half-made whole copy'],
      'its next command makes the copy anew',
    ),
    ...check(
      inThreads(left.unfinished),
      ['thread', ' in which an accept or undo was broken off'],
      'codex-lsp diff THREAD ends it: as done, or taken back',
    ),
  ];
}

export async function checkHosts({ stateDir, version }: Of): Promise<Check[]> {
  const checks: Check[] = [];
  for (const host of await hostsHere({ stateDir, version })) {
    if (host.running) {
      const { pid, since, connections } = host.running;
      const guests = connections === undefined ? '' : `, ${connections} connected`;
      checks.push({ ok: true, what: `${host.version} runs: process ${pid}, since ${since.toISOString()}${guests}` });
    } else if (await hasLeftovers(host)) {
      const what = `${host.version} was killed and has left its socket or lock in ${host.place.folder}`;
      checks.push({ ok: false, what, mend: `the next host takes its place; ${cleanIt}` });
    }
  }
  return checks.length > 0 ? checks : [{ ok: true, what: 'none runs; the first editor starts one' }];
}

/** Where a host listens follows from the folder's real path. */
const hostsHere = async ({ stateDir, version }: Of): Promise<Host[]> =>
  hostsOf(await realpath(stateDir).catch(() => stateDir), version);

/** What is gone now: absolute paths. */
export async function cleanState({ stateDir, version }: Of): Promise<string[]> {
  const removed = await removeLeftovers(await findLeftovers(stateDir));
  for (const host of await hostsHere({ stateDir, version })) {
    if ((await hasLeftovers(host)) && (await removeDeadHost(host))) removed.push(host.place.socket);
  }
  return removed;
}

const titled = ({ title }: ThreadSize): string => (title ? ` “${printable(title)}”` : '');

const some = (names: readonly string[]): string =>
  names.length <= namedMax
    ? names.join(', ')
    : `${names.slice(0, namedMax).join(', ')} and ${names.length - namedMax} more`;

const count = ({ length }: readonly unknown[], one: string): string => `${length} ${one}${length === 1 ? '' : 's'}`;

const total = (threads: readonly ThreadSize[], of: (thread: ThreadSize) => number): number =>
  threads.reduce((sum, thread) => sum + of(thread), 0);

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

function size(bytes: number): string {
  const power = bytes < 1024 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  const number = bytes / 1024 ** power;
  return `${power === 0 || number >= 100 ? Math.round(number) : number.toFixed(1)} ${units[power]}`;
}
