/** Threads put in order from a shell: archive, unarchive, rename, delete. */
import { removeShown } from '../editor/shown-files.ts';
import { homeFolderOf } from '../protocol/folders.ts';
import { titleGiven } from '../thread/title.ts';
import { threadNamed, whichThread, withoutEndOfFlags, withThreads } from './named-thread.ts';
import type { CliOptions } from './options.ts';
import { withTasks } from './shared-tasks.ts';
import { UsageError } from './usage-error.ts';

/** `THREAD... [--undo]`. */
export async function archive(args: readonly string[], options: CliOptions): Promise<number> {
  const named = withoutFlags('archive', args, ['--undo']);
  return withThreads(named, options, (tasks, threadId) => tasks.archive(threadId, !args.includes('--undo')));
}

/** `THREAD...`. */
export async function unarchive(args: readonly string[], options: CliOptions): Promise<number> {
  const named = withoutFlags('unarchive', args, []);
  return withThreads(named, options, (tasks, threadId) => tasks.archive(threadId, false));
}

/** `THREAD...`: with what was shown of them inside their workspaces. */
export async function remove(args: readonly string[], options: CliOptions): Promise<number> {
  return withThreads(withoutFlags('delete', args, []), options, async (tasks, threadId) => {
    const workspace = await tasks.workspaceOf(threadId);
    await tasks.delete(threadId);
    await removeShown(homeFolderOf(workspace), threadId);
  });
}

/** `THREAD TITLE`. */
export async function rename(args: readonly string[], options: CliOptions): Promise<number> {
  const [given, title, extra] = withoutEndOfFlags(args);
  if (given === undefined) throw whichThread();
  if (extra !== undefined) throw new UsageError(`rename takes one TITLE; quote it. '${extra}' is one word too many.`);
  if (title === undefined || titleGiven(title) === '')
    throw new UsageError('rename needs a TITLE: codex-lsp rename THREAD TITLE.');
  return withTasks(options, async (tasks) => {
    await tasks.rename(await threadNamed(tasks, given), title);
    return 0;
  });
}

function withoutFlags(name: string, args: readonly string[], known: readonly string[]): string[] {
  const unknown = args.find((arg) => arg.startsWith('-') && arg !== '--' && !known.includes(arg));
  if (unknown !== undefined) throw new UsageError(`${name} has no flag '${unknown}'.`);
  return args.filter((arg) => !known.includes(arg));
}
