/** A thread as a person names it: the beginning of its id is enough where no other begins so. */
import type { ThreadSummary } from '../protocol/thread.ts';
import { Refusal } from '../task/refusal.ts';
import type { Tasks } from '../task/tasks.ts';
import type { CliOptions } from './options.ts';
import { printable } from './progress.ts';
import { withTasks } from './shared-tasks.ts';
import { UsageError } from './usage-error.ts';

const namedMax = 5;

export const whichThread = (): UsageError => new UsageError("which THREAD? 'codex-lsp threads' lists them.");

/** Its whole id. Throws `unknownThread`, or a sentence that lists those that begin so. */
export async function threadNamed(tasks: Tasks, given: string): Promise<string> {
  if (given === '') throw whichThread();
  const unknown = await tasks.workspaceOf(given).then(
    () => undefined,
    (error: unknown) => error,
  );
  if (unknown === undefined) return given;
  if (!(unknown instanceof Refusal && unknown.reason === 'unknownThread')) throw unknown;
  const all = [await tasks.list(everything), await tasks.list({ ...everything, archived: true })];
  const meant = all.flatMap(({ threads }) => threads).filter(({ threadId }) => threadId.startsWith(given));
  const [only, ...others] = meant;
  if (!only) throw unknown;
  if (others.length > 0)
    throw new Error(`${meant.length} threads begin with '${given}': ${listed(meant)}; write more.`);
  return only.threadId;
}

const everything = { limit: Number.MAX_SAFE_INTEGER };

function listed(threads: readonly ThreadSummary[]): string {
  const names = threads.slice(0, namedMax).map(({ threadId, title }) => `${threadId} (${printable(title)})`);
  return [...names, ...(threads.length > namedMax ? [`${threads.length - namedMax} more`] : [])].join(', ');
}

/** Of these subcommands: a `--` is no THREAD, but stands before it. Only the first, as everywhere. */
export function withoutEndOfFlags(args: readonly string[]): string[] {
  const end = args.indexOf('--');
  return args.filter((_, index) => index !== end);
}

/** For a subcommand of one thread. */
export async function withThread(
  args: readonly string[],
  options: CliOptions,
  run: (tasks: Tasks, threadId: string) => Promise<number>,
): Promise<number> {
  const [given, extra] = withoutEndOfFlags(args);
  if (given === undefined) throw whichThread();
  if (extra !== undefined) throw new UsageError(`there is one THREAD at a time; '${extra}' is one too many.`);
  return withTasks(options, async (tasks) => run(tasks, await threadNamed(tasks, given)));
}

/** For one of several: what fails with one is said, and the others are done. Exit 1 where one failed. */
export async function withThreads(
  args: readonly string[],
  options: CliOptions,
  run: (tasks: Tasks, threadId: string) => Promise<unknown>,
): Promise<number> {
  const named = withoutEndOfFlags(args);
  if (named.length === 0) throw whichThread();
  return withTasks(options, async (tasks) => {
    let code = 0;
    for (const given of new Set(named)) {
      try {
        await run(tasks, await threadNamed(tasks, given));
      } catch (error) {
        if (error instanceof UsageError) throw error;
        options.stderr.write(`codex-lsp: ${error instanceof Error ? error.message : String(error)}\n`);
        code = 1;
      }
    }
    return code;
  });
}
