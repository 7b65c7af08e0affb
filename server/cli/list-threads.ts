/** `codex-lsp threads`: what there is, from every editor and shell, newest first. */
import { realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { ThreadSummary } from '../protocol/thread.ts';
import type { CliOptions } from './options.ts';
import { noSandbox, printable } from './progress.ts';
import { withTasks } from './shared-tasks.ts';
import { UsageError } from './usage-error.ts';

/** Of each kind, where no limit is given. */
const threadsMax = 1000;

const flags = {
  json: { type: 'boolean' },
  all: { type: 'boolean' },
  archived: { type: 'boolean' },
  search: { type: 'string' },
  root: { type: 'string' },
  limit: { type: 'string' },
  cursor: { type: 'string' },
} as const;

export async function threads(args: readonly string[], options: CliOptions): Promise<number> {
  const { json, all, archived, search, root, limit, cursor } = parse(args);
  if (all && cursor !== undefined) throw new UsageError('--cursor goes on with one list; --all is two of them.');
  const query = {
    limit: limit === undefined ? threadsMax : countOf(limit),
    ...(search === undefined ? {} : { query: search }),
    ...(root === undefined ? {} : { root: await folderOf(root, options.cwd) }),
    ...(cursor === undefined ? {} : { cursor }),
  };
  return withTasks(options, async (tasks) => {
    for (const isArchived of all ? [false, true] : [archived === true]) {
      const { threads, nextCursor } = await tasks.list({ ...query, archived: isArchived });
      for (const thread of threads) options.stdout.write(`${json ? JSON.stringify(thread) : lineOf(thread)}\n`);
      const same = isArchived ? '--archived ' : '';
      if (nextCursor) options.stderr.write(`There are more: codex-lsp threads ${same}--cursor ${nextCursor}\n`);
    }
    return 0;
  });
}

/** `threads --help`. */
export const threadsHelp = (): string => `
  --json                                prints each as one line of JSON
  --all                                 archived ones as well
  --archived                            archived ones only
  --search WORDS                        those with all of these words in the title or in a prompt
  --root DIR                            those of this workspace folder
  --limit N                             so many, ${threadsMax} by default; where there are more, says how to go on
  --cursor CURSOR                       goes on where a list ended that says so

A THREAD is named by its id, or by the beginning of it where no other begins so.
`;

function parse(args: readonly string[]) {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: flags,
      strict: true,
      allowPositionals: true,
    });
    const [extra] = positionals;
    if (extra === undefined) return values;
    if (values.search === undefined) throw new Error(`it takes flags only; '${extra}' is none.`);
    throw new Error(`several words of --search are quoted, as in --search 'two words'; '${extra}' is one too many.`);
  } catch (error) {
    throw new UsageError(`threads: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function countOf(limit: string): number {
  const count = Number(limit);
  if (Number.isInteger(count) && count > 0) return count;
  throw new UsageError(`--limit is a number from 1 on, not '${limit}'.`);
}

/** A folder that is gone may still have threads. */
async function folderOf(path: string, cwd: string): Promise<string> {
  const folder = resolve(cwd, path);
  return realpath(folder).catch(() => folder);
}

const lineOf = (thread: ThreadSummary): string =>
  [
    thread.threadId,
    thread.status,
    thread.updatedAt,
    printable(foldersIn(thread)),
    noSandbox(thread) + printable(thread.title),
  ].join('  ');

/** Commas between several. */
const foldersIn = ({ root, folders = [root] }: ThreadSummary): string =>
  folders.map((uri) => fileURLToPath(uri)).join(', ');
