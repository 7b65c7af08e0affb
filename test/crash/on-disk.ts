/** What a killed process has left, read without the program: journals, the user's files, processes, mounts. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type EventEnvelope, eventEnvelopeSchema } from '../../server/protocol/thread.ts';
import { fold, newThread, type ThreadState } from '../../server/thread/state.ts';
import { processesAround } from '../sandbox/processes.ts';
import { asBefore, type Disk, type GroupName, groupNames, groups } from './story.ts';

export type Cut = { state: ThreadState; events: readonly EventEnvelope[]; isUnfinished: boolean };

/** By thread id; those without an event are no thread yet, and those that were being deleted none any more. */
export function threadsOnDisk(stateDir: string): Map<string, Cut> {
  const folder = join(stateDir, 'threads');
  const threads = new Map<string, Cut>();
  const names = existsSync(folder) ? readdirSync(folder) : [];
  for (const threadId of names.filter((name) => !name.includes('.'))) {
    const events = journalOf(join(folder, threadId, 'journal.jsonl'));
    const isUnfinished = existsSync(join(folder, threadId, 'applies', 'unfinished.json'));
    if (events.length > 0) {
      threads.set(threadId, { state: events.reduce(fold, newThread(threadId)), events, isUnfinished });
    }
  }
  return threads;
}

/** Every line is one that can be read, and none is missing. */
function journalOf(path: string): EventEnvelope[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n');
  if (lines.pop() !== '') throw new Error(`${path} ends in a torn line`);
  const events = lines.flatMap((line) => {
    const parsed = eventEnvelopeSchema.safeParse(JSON.parse(line));
    return parsed.success ? [parsed.data] : [];
  });
  events.forEach(({ seq }, index) => {
    if (seq !== index + 1) throw new Error(`${path}: event ${index + 1} has seq ${seq}`);
  });
  return events;
}

/** Throws where a file holds something else, where files of one accept differ, and where there is a file of nobody's. */
export function decode(root: string): Disk {
  const expected = new Set<string>();
  const disk: Record<GroupName, 0 | 1> = { ...asBefore };
  for (const name of groupNames) {
    const versions = new Map<string, 0 | 1>();
    for (const [path, [before, after]] of Object.entries(groups[name])) {
      const text = existsSync(join(root, path)) ? readFileSync(join(root, path), 'utf8') : undefined;
      if (text !== before && text !== after) throw new Error(`${path} holds ${JSON.stringify(text)}`);
      versions.set(path, text === before ? 0 : 1);
      if (text !== undefined) expected.add(path);
    }
    const [version = 0, ...others] = new Set(versions.values());
    if (others.length > 0) throw new Error(`half of ${name}: ${JSON.stringify(Object.fromEntries(versions))}`);
    disk[name] = version;
  }
  const strange = filesIn(root).filter((path) => !expected.has(path) && !path.startsWith('.git/'));
  if (strange.length > 0) throw new Error(`in the workspace: ${strange.join(', ')}`);
  return disk;
}

const filesIn = (root: string): string[] =>
  readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map(({ parentPath, name }) => join(parentPath, name).slice(root.length + 1));

/** `.git`, byte for byte. */
export const gitOf = (root: string): string =>
  filesIn(join(root, '.git'))
    .sort()
    .map((path) => `${path} ${readFileSync(join(root, '.git', path), 'latin1')}`)
    .join('\n');

const processesEndMs = 10_000;

/** Resolves when no process has to do with the folder any more. */
export async function nothingRuns(folder: string): Promise<void> {
  const deadline = performance.now() + processesEndMs;
  let left = processesAround(folder);
  while (left.length > 0 && performance.now() < deadline) {
    await delay(20);
    left = processesAround(folder);
  }
  if (left.length > 0) throw new Error(`still running: ${left.join('; ')}`);
}

export const mountsIn = (folder: string): string[] =>
  readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => line.includes(folder));
