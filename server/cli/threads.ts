/** What waits in a thread, from a shell: diff, apply, undo; and fork. */
import type { ApplyResult, Hunk } from '../protocol/changeset.ts';
import { noDocuments } from '../task/ports.ts';
import { withoutEndOfFlags, withThread } from './named-thread.ts';
import type { CliOptions } from './options.ts';
import { colorDiff, printable, wantsColor } from './progress.ts';
import { shellFace } from './shell-face.ts';
import { UsageError } from './usage-error.ts';

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
export async function apply(args: readonly string[], options: CliOptions): Promise<number> {
  const [threadId, ...paths] = withoutEndOfFlags(args);
  return withThread(threadId === undefined ? [] : [threadId], options, async (tasks, thread) => {
    const { files } = await tasks.changeset(thread, noDocuments);
    const open = files.filter(({ hunks }) => hunks.some(({ status }) => isOpen(status)));
    if (open.length === 0 && paths.length === 0) options.stderr.write(`Nothing is pending in thread ${thread}.\n`);
    const { result } = await tasks.accept(thread, paths.length > 0 ? { files: paths } : {}, shellFace);
    const outcome = await result;
    const code = print('applied', outcome, options);
    if (paths.length > 0) return code;
    const left = open.filter(({ path, sensitive }) => sensitive !== undefined && !outcome.applied.includes(path));
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
  const unknown = args.find((arg) => arg.startsWith('-') && arg !== '--redo' && arg !== '--');
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

const isOpen = (status: Hunk['status']): boolean => status === 'pending' || status === 'conflicting';

function print(verb: string, { applied, conflicts, failed }: ApplyResult, { stdout, stderr }: CliOptions): number {
  for (const path of applied) stdout.write(`${verb} ${printable(path)}\n`);
  for (const { path, reason } of [...conflicts, ...failed])
    stderr.write(`not ${verb}: ${printable(`${path}: ${reason}`)}\n`);
  return conflicts.length + failed.length > 0 ? 3 : 0;
}
