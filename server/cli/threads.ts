/** The threads of this machine from a shell: list, diff, apply, undo, fork, archive, delete. */
import { fileURLToPath } from 'node:url';
import { removeShown } from '../editor/shown-files.ts';
import type { ApplyResult } from '../protocol/changeset.ts';
import { homeFolderOf } from '../protocol/folders.ts';
import type { ThreadSummary } from '../protocol/thread.ts';
import { noDocuments } from '../task/ports.ts';
import type { Tasks } from '../task/tasks.ts';
import type { CliOptions } from './options.ts';
import { colorDiff, noSandbox, printable, wantsColor } from './progress.ts';
import { withTasks } from './shared-tasks.ts';
import { shellFace } from './shell-face.ts';
import { UsageError } from './usage-error.ts';

/** Of each kind, newest first. */
const threadsMax = 1000;

export async function threads(args: readonly string[], options: CliOptions): Promise<number> {
  const unknown = args.find((arg) => arg !== '--json' && arg !== '--all');
  if (unknown !== undefined) throw new UsageError(`threads has no argument '${unknown}'.`);
  return withTasks(options, async (tasks) => {
    const { threads } = await tasks.list({ limit: threadsMax });
    const archived = args.includes('--all') ? (await tasks.list({ archived: true, limit: threadsMax })).threads : [];
    for (const thread of [...threads, ...archived]) {
      const { threadId, status, updatedAt, title } = thread;
      const line = [
        threadId,
        status,
        updatedAt,
        printable(foldersIn(thread)),
        noSandbox(thread) + printable(title),
      ].join('  ');
      options.stdout.write(`${args.includes('--json') ? JSON.stringify(thread) : line}\n`);
    }
    return 0;
  });
}

/** Commas between several. */
const foldersIn = ({ root, folders = [root] }: ThreadSummary): string =>
  folders.map((uri) => fileURLToPath(uri)).join(', ');

export async function diff(args: readonly string[], options: CliOptions): Promise<number> {
  return withThread(args, options, async (tasks, threadId) => {
    const changeset = await tasks.changeset(threadId, noDocuments);
    const color = wantsColor(options.stdout, options.environment);
    // For a person it is made harmless; for a program, such as git apply, it is as it is.
    const isForPerson = color || options.stdout.isTTY;
    options.stdout.write(isForPerson ? colorDiff(changeset.diff, color) : changeset.diff);
    return 0;
  });
}

/** `THREAD [PATH...]`: these files, also sensitive ones; without a path, everything that is not. */
export async function apply([threadId, ...paths]: readonly string[], options: CliOptions): Promise<number> {
  return withThread(threadId === undefined ? [] : [threadId], options, async (tasks, thread) => {
    const { files } = await tasks.changeset(thread, noDocuments);
    if (files.length === 0) options.stderr.write('Nothing is pending in this thread.\n');
    const { result } = await tasks.accept(thread, paths.length > 0 ? { files: paths } : {}, shellFace);
    const outcome = await result;
    const code = print('applied', outcome, options);
    if (paths.length > 0) return code;
    const left = files.filter(({ path, sensitive }) => sensitive !== undefined && !outcome.applied.includes(path));
    for (const { path, sensitive } of left) {
      const how = `codex-lsp apply ${thread} ${printable(path)}`;
      options.stderr.write(`left out: ${printable(path)}: ${sensitive}; to apply it all the same: ${how}\n`);
    }
    return code || (left.length > 0 ? 3 : 0);
  });
}

/** `THREAD [--redo]`. */
export async function undo(args: readonly string[], options: CliOptions): Promise<number> {
  const redo = args.includes('--redo');
  const unknown = args.find((arg) => arg.startsWith('-') && arg !== '--redo');
  if (unknown !== undefined) throw new UsageError(`undo has no flag '${unknown}'.`);
  const named = args.filter((arg) => arg !== '--redo');
  return withThread(named, options, async (tasks, threadId) => {
    const { result } = await tasks.undo(threadId, shellFace, { redo });
    return print(redo ? 'redone' : 'undone', await result, options);
  });
}

export async function fork(args: readonly string[], options: CliOptions): Promise<number> {
  return withThread(args, options, async (tasks, threadId) => {
    options.stdout.write(`${(await tasks.fork(threadId)).threadId}\n`);
    return 0;
  });
}

export async function archive(args: readonly string[], options: CliOptions): Promise<number> {
  return withThread(args, options, async (tasks, threadId) => {
    await tasks.archive(threadId, true);
    return 0;
  });
}

export async function remove(args: readonly string[], options: CliOptions): Promise<number> {
  return withThread(args, options, async (tasks, threadId) => {
    const workspace = await tasks.workspaceOf(threadId);
    await tasks.delete(threadId);
    await removeShown(homeFolderOf(workspace), threadId);
    return 0;
  });
}

function print(verb: string, { applied, conflicts, failed }: ApplyResult, { stdout, stderr }: CliOptions): number {
  for (const path of applied) stdout.write(`${verb} ${printable(path)}\n`);
  for (const { path, reason } of [...conflicts, ...failed])
    stderr.write(`not ${verb}: ${printable(`${path}: ${reason}`)}\n`);
  return conflicts.length + failed.length > 0 ? 3 : 0;
}

async function withThread(
  args: readonly string[],
  options: CliOptions,
  run: (tasks: Tasks, threadId: string) => Promise<number>,
): Promise<number> {
  const [threadId, extra] = args;
  if (threadId === undefined) throw new UsageError("which THREAD? 'codex-lsp threads' lists them.");
  if (extra !== undefined) throw new UsageError(`there is one THREAD at a time; '${extra}' is one too many.`);
  return withTasks(options, (tasks) => run(tasks, threadId));
}
