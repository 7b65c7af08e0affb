/** `codex-lsp exec` and `resume`: one task without an editor; progress and the diff on stderr, the final message on stdout. */
import { access, constants, readFile, realpath, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, resolve } from 'node:path';
import { addAbortSignal } from 'node:stream';
import { text } from 'node:stream/consumers';
import { resolveSettings } from '../policy/settings.ts';
import { foldersOf, holdsPath, type Workspace } from '../protocol/folders.ts';
import { parseHostPattern } from '../protocol/hosts.ts';
import { effortSchema } from '../protocol/settings.ts';
import type { EventEnvelope, ThreadEventOf } from '../protocol/thread.ts';
import { noDocuments } from '../task/ports.ts';
import { fitBeside } from '../task/root.ts';
import type { Tasks } from '../task/tasks.ts';
import { type ExecName, type Flags, parseExec } from './exec-options.ts';
import { threadNamed, whichThread } from './named-thread.ts';
import type { CliOptions } from './options.ts';
import { colorDiff, printable, progressPrinter, wantsColor, withoutFinalMessage } from './progress.ts';
import { withTasks } from './shared-tasks.ts';
import { shellFace } from './shell-face.ts';
import { answerOnTerminal } from './terminal-approvals.ts';
import { UsageError } from './usage-error.ts';

const exitCodes = { completed: 0, failed: 1, notApplied: 3, interrupted: 130 } as const;

export async function exec(args: readonly string[], options: CliOptions): Promise<number> {
  return runTask('exec', parseExec('exec', args), options);
}

/** `THREAD [PROMPT | -]`: in the thread's own folders, wherever the shell is. */
export async function resume(args: readonly string[], options: CliOptions): Promise<number> {
  const { values, positionals } = parseExec('resume', args);
  const [thread, ...prompt] = positionals;
  if (thread === undefined) throw whichThread();
  const elsewhere = (['cd', 'resume', 'last'] as const).find((flag) => values[flag] !== undefined);
  if (elsewhere !== undefined) {
    throw new UsageError(`resume goes on with the THREAD it names, in its own folders; it takes no --${elsewhere}.`);
  }
  return runTask('resume', { values: { ...values, resume: thread }, positionals: prompt }, options);
}

async function runTask(
  name: ExecName,
  { values, positionals }: ReturnType<typeof parseExec>,
  options: CliOptions,
): Promise<number> {
  const inFolder = (path: string): string => resolve(options.cwd, path);
  const root = await folderOf('--cd', values.cd ?? '.', options.cwd);
  const further = await Promise.all((values['add-dir'] ?? []).map((path) => folderOf('--add-dir', path, options.cwd)));
  const { settings } = resolveSettings([
    // exec's own default; whoever names a policy, in config.json or by a flag, gets that one.
    { origin: 'config.json', value: { approvalPolicy: 'never' } },
    ...options.sources,
    { origin: 'flags', value: flagSettings(values) },
  ]);
  const prompt = await promptOf(name, positionals, options);
  if (prompt === undefined) return exitCodes.interrupted;
  const lastMessage = values['output-last-message'];
  if (lastMessage !== undefined) await assertWritable(inFolder(lastMessage));
  const outputSchema = values['output-schema'] ? await jsonFile(inFolder(values['output-schema'])) : undefined;

  return withTasks(options, async (tasks) => {
    const named = values.resume === undefined ? undefined : await threadNamed(tasks, values.resume);
    const threadId = named ?? (values.last ? await lastThread(tasks, root) : undefined);
    const isAnywhere = name === 'resume';
    const workspace = await workspaceFor(tasks, { root, isAnywhere, further, threadId, stateDir: options.stateDir });
    const finished = Promise.withResolvers<ThreadEventOf<'turnCompleted'>>();
    const color = wantsColor(options.stderr, options.environment);
    const print = values.json
      ? jsonPrinter(options.stdout)
      : withoutFinalMessage(progressPrinter(options.stderr, { color }));
    let started: { threadId: string; turnId: string } | undefined;
    const unsubscribe = tasks.subscribe((envelope) => {
      if (envelope.threadId !== started?.threadId) return;
      print(envelope);
      if (envelope.event.type === 'turnCompleted' && envelope.turnId === started.turnId)
        finished.resolve(envelope.event);
    });
    const noQuestions = answerOnTerminal(tasks, () => started?.threadId, options);
    started = await tasks.start({
      ...workspace,
      prompt,
      threadId,
      mode: 'task',
      attachments: [],
      seeds: [],
      settings,
      environment: options.environment,
      documents: noDocuments,
      outputSchema,
    });
    const { threadId: id } = started;
    const cancel = () => void tasks.cancel(id).catch(() => {});
    if (options.signal.aborted) cancel();
    options.signal.addEventListener('abort', cancel, { once: true });
    const end = await finished.promise;
    // The approval of the changes comes right after the end of the turn, and is printed too.
    await new Promise(setImmediate);
    try {
      return await report(tasks, id, end, values, options, color);
    } finally {
      unsubscribe();
      noQuestions();
    }
  });
}

async function folderOf(flag: string, path: string, cwd: string): Promise<string> {
  const folder = await realpath(resolve(cwd, path)).catch(() => {
    throw new UsageError(`the folder of ${flag}, '${path}', does not exist.`);
  });
  if (!(await stat(folder)).isDirectory()) throw new UsageError(`${flag} takes a folder; '${path}' is none.`);
  return folder;
}

/** That of a thread that is gone on with, as it began; else the folders that are named. */
async function workspaceFor(
  tasks: Tasks,
  options: { root: string; isAnywhere: boolean; further: readonly string[]; threadId?: string; stateDir: string },
): Promise<Workspace> {
  const { root, isAnywhere, further, threadId, stateDir } = options;
  if (threadId === undefined) {
    const { workspace, leftOut } = await fitBeside(root, further, { stateDir, home: homedir() });
    const [why] = leftOut;
    if (why !== undefined) throw new UsageError(`--add-dir: ${why}`);
    return workspace;
  }
  const known = await tasks.workspaceOf(threadId);
  const stranger = further.find((folder) => !holdsPath(known, folder));
  if (stranger !== undefined) {
    throw new UsageError(`--add-dir: ${stranger} is no folder of thread ${threadId}, which keeps those it began with.`);
  }
  return isAnywhere || foldersOf(known).includes(root) ? known : { root };
}

function flagSettings({ model, effort, sandbox, network, approval }: Flags): Record<string, unknown> {
  const modes: Record<string, string> = { workspace: 'workspace', 'read-only': 'readOnly' };
  const mode = sandbox === undefined ? undefined : modes[sandbox];
  if (sandbox !== undefined && !mode) throw new UsageError(`--sandbox is workspace or read-only, not '${sandbox}'.`);
  if (effort !== undefined && !effortSchema.safeParse(effort).success) {
    throw new UsageError(`--effort is one of ${effortSchema.options.join(', ')}, not '${effort}'.`);
  }
  if (approval !== undefined && !['onRequest', 'untrusted', 'never'].includes(approval)) {
    throw new UsageError(`--approval is onRequest, untrusted or never, not '${approval}'.`);
  }
  return {
    ...(model === undefined ? {} : { model }),
    ...(effort === undefined ? {} : { effort }),
    ...(approval === undefined ? {} : { approvalPolicy: approval }),
    sandbox: { ...(mode ? { mode } : {}), ...(network === undefined ? {} : { network: networkOf(network) }) },
  };
}

function networkOf(network: string): string | string[] {
  if (network === 'off' || network === 'full') return network;
  return network.split(',').map((host) => {
    const parsed = parseHostPattern(host.trim());
    if ('error' in parsed) throw new UsageError(`--network is off, full or HOST,HOST; '${host}': ${parsed.error}.`);
    return parsed.pattern;
  });
}

/** Undefined where it was interrupted. */
async function promptOf(
  name: ExecName,
  positionals: readonly string[],
  options: CliOptions,
): Promise<string | undefined> {
  const { stdin, signal } = options;
  if (positionals.length > 1) {
    throw new UsageError(
      `${name} takes one prompt; quote it. It was given ${positionals.length}: '${positionals.join("', '")}'.`,
    );
  }
  const [given] = positionals;
  if (given !== undefined && given !== '-') return nonEmpty(given);
  if (given === undefined && stdin.isTTY) throw new UsageError(`${name} needs a PROMPT, or - to read it from stdin.`);
  const read = await text(addAbortSignal(signal, stdin)).catch((error: unknown) => {
    if (!signal.aborted) throw error;
    return undefined;
  });
  return read === undefined ? undefined : nonEmpty(read);
}

function nonEmpty(prompt: string): string {
  if (prompt.trim() === '') throw new UsageError('the prompt is empty.');
  return prompt.trim();
}

async function jsonFile(path: string): Promise<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
    throw new Error('it is not a JSON object');
  } catch (error) {
    throw new UsageError(`--output-schema ${path}: ${error instanceof Error ? error.message : String(error)}.`);
  }
}

/** Said before the work is done, not after. */
async function assertWritable(path: string): Promise<void> {
  const folder = dirname(resolve(path));
  await access(folder, constants.W_OK).catch(() => {
    throw new UsageError(`--output-last-message ${path}: the folder ${folder} cannot be written.`);
  });
}

async function lastThread(tasks: Tasks, root: string): Promise<string> {
  const { threads } = await tasks.list({ root, limit: 1 });
  const [newest] = threads;
  if (!newest) throw new UsageError(`--last: there is no thread of ${root} yet.`);
  return newest.threadId;
}

const jsonPrinter = (out: NodeJS.WritableStream) => (envelope: EventEnvelope) =>
  void out.write(`${JSON.stringify(envelope)}\n`);

async function report(
  tasks: Tasks,
  threadId: string,
  end: ThreadEventOf<'turnCompleted'>,
  flags: Flags,
  options: CliOptions,
  color: boolean,
): Promise<number> {
  const { stderr, stdout } = options;
  const summary = end.summary ?? '';
  if (flags['output-last-message']) await writeFile(resolve(options.cwd, flags['output-last-message']), summary);
  const changeset = await tasks.changeset(threadId, noDocuments);
  if (!flags.json) {
    if (changeset.diff) stderr.write(`\n${colorDiff(changeset.diff, color)}\n`);
    if (summary) stdout.write(`${stdout.isTTY ? printable(summary) : summary}\n`);
  }
  if (end.status !== 'completed') return exitCodes[end.status];
  if (!flags.apply) {
    if (!flags.json && changeset.files.length > 0) {
      stderr.write(
        `Nothing is applied yet. codex-lsp apply ${threadId} writes it; codex-lsp diff ${threadId} shows it.\n`,
      );
    }
    return exitCodes.completed;
  }
  if (changeset.files.length === 0) return exitCodes.completed;
  const { result } = await tasks.accept(threadId, {}, shellFace);
  const { applied, conflicts, failed } = await result;
  const left = changeset.files.filter(({ path, sensitive }) => sensitive !== undefined && !applied.includes(path));
  const say = (line: string) => stderr.write(`${printable(line)}\n`);
  for (const path of applied) say(`applied ${path}`);
  for (const { path, reason } of conflicts) say(`not applied: ${path}: ${reason}`);
  for (const { path, reason } of failed) say(`not applied: ${path}: ${reason}`);
  for (const { path, sensitive } of left)
    say(`not applied: ${path}: ${sensitive}; to apply it all the same: codex-lsp apply ${threadId} ${path}`);
  return conflicts.length + failed.length + left.length > 0 ? exitCodes.notApplied : exitCodes.completed;
}
