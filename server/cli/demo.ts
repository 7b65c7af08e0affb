/** `codex-lsp demo`: the main job on a bundled service. The model is scripted; loop, sandbox, tests and review are real. */
import { access, cp, mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defaultSettings, type Settings } from '../protocol/settings.ts';
import type { EventEnvelope, ThreadEventOf } from '../protocol/thread.ts';
import { sandboxStatus } from '../sandbox/status.ts';
import { openTasks } from '../task/open.ts';
import { noDocuments } from '../task/ports.ts';
import type { Tasks } from '../task/tasks.ts';
import { demoScript, demoTask } from './demo/script.ts';
import { startScriptedModel } from './demo/scripted-model.ts';
import type { CliOptions } from './options.ts';
import { colorDiff, type Paint, paint, progressPrinter, wantsColor } from './progress.ts';
import { shellFace } from './shell-face.ts';

const readLinesMax = 6;

/** Exit 0 when the task went through and its changes were applied, 1 when not, 130 when interrupted. */
export async function demo(options: CliOptions): Promise<number> {
  const style = paint(wantsColor(options.stdout, options.environment));
  const found = await usableFolder(options.stateDir);
  if ('reason' in found) {
    options.stdout.write(`${style.red(`The sandbox can't run here: ${found.reason}`)}\nTo mend it: ${found.remedy}\n`);
    options.stdout.write("'codex-lsp doctor' says more. Without a sandbox no command of an agent is run.\n");
    return 1;
  }
  const { folder } = found;
  const model = await startScriptedModel(demoScript);
  const tasks = await openTasks({ stateDir: join(folder, 'state') });
  try {
    const root = join(folder, 'accounts');
    await cp(await serviceFolder(), root, { recursive: true });
    // Nothing of the user's own reaches the demo, so that it is the same everywhere.
    const codexHome = join(folder, 'codex-home');
    await mkdir(codexHome);
    const environment = { ...options.environment, OPENAI_API_KEY: 'scripted', CODEX_HOME: codexHome };
    return await show(tasks, root, model.baseURL, environment, options);
  } finally {
    await tasks.close();
    await model.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** A new folder in which a sandbox runs: in a container the temporary folder may lie on a file system that can't hold a copy. */
async function usableFolder(stateDir: string): Promise<{ folder: string } | { reason: string; remedy: string }> {
  let first: { reason: string; remedy: string } | undefined;
  for (const parent of [tmpdir(), stateDir, '/dev/shm']) {
    const made = await mkdir(parent, { recursive: true })
      .then(() => mkdtemp(join(parent, 'codex-lsp-demo-')))
      .catch(() => undefined);
    if (made === undefined) continue;
    const folder = await realpath(made);
    const status = await sandboxStatus({ stateDir: join(folder, 'state'), unsandboxed: false });
    if (status.kind !== 'none') return { folder };
    first ??= { reason: status.reason, remedy: status.remedy };
    await rm(folder, { recursive: true, force: true });
  }
  return first ?? { reason: 'there is no folder to work in', remedy: 'set TMPDIR to a folder that you may write' };
}

async function show(
  tasks: Tasks,
  root: string,
  baseURL: string,
  environment: NodeJS.ProcessEnv,
  { stdout, environment: own, signal }: CliOptions,
): Promise<number> {
  const color = wantsColor(stdout, own);
  const style = paint(color);
  const print = (text = '') => void stdout.write(`${text}\n`);

  print(style.bold('codex-lsp demo'));
  print(
    `The model is ${style.bold('scripted')}: a server at ${baseURL} that always says the same, so no key is needed.`,
  );
  print('All else is real: the loop, the sandbox, the commands, the failing test, the review.');
  print(style.dim(`The workspace is a copy of a small service in ${root}`));
  print();

  const startedAt = performance.now();
  const progress = progressPrinter(stdout, { color });
  const ended = Promise.withResolvers<ThreadEventOf<'turnCompleted'>>();
  tasks.subscribe((envelope) => {
    progress(brief(envelope));
    if (envelope.event.type === 'turnCompleted') ended.resolve(envelope.event);
  });
  const { threadId } = await tasks.start({
    root,
    prompt: demoTask,
    mode: 'task',
    attachments: [],
    seeds: [],
    settings: demoSettings(baseURL),
    environment,
    documents: noDocuments,
  });
  const cancel = () => void tasks.cancel(threadId).catch(() => {});
  if (signal.aborted) cancel();
  signal.addEventListener('abort', cancel, { once: true });
  const turn = await ended.promise;
  if (turn.status === 'interrupted') return 130;
  if (turn.status === 'failed') return 1;
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);

  const { diff } = await tasks.changeset(threadId, noDocuments);
  print();
  print(style.bold('The review: what waits for you to accept it. No file of the workspace has changed so far.'));
  print();
  print(colorDiff(diff, color));
  const { result } = await tasks.accept(threadId, {}, shellFace);
  const { applied, conflicts, failed } = await result;
  print(style.bold('Accepted, all of it; in an editor you decide hunk by hunk.'));
  for (const path of applied) print(`${style.green('✔')} ${path}`);
  for (const { path, reason } of [...conflicts, ...failed]) print(`${style.red('✘')} ${path}: ${reason}`);
  print();
  print(`The task took ${seconds} s. The demo's folder is removed again.`);
  print();
  print(nextSteps(style));
  return conflicts.length + failed.length > 0 || applied.length === 0 ? 1 : 0;
}

const demoSettings = (baseURL: string): Settings => ({
  ...defaultSettings,
  model: 'scripted',
  approvalPolicy: 'never',
  provider: { ...defaultSettings.provider, baseURL },
});

/** Of what was only read a few lines are enough; what the tests say is shown as it is. */
function brief(envelope: EventEnvelope): EventEnvelope {
  const { event } = envelope;
  if (event.type !== 'itemCompleted' || event.item.type !== 'command' || event.item.command.startsWith('npm'))
    return envelope;
  const lines = (event.item.output ?? '').trimEnd().split('\n');
  const rest = lines.length - readLinesMax;
  if (rest <= 1) return envelope;
  const output = [...lines.slice(0, readLinesMax), `… and ${rest} more lines`].join('\n');
  return { ...envelope, event: { ...event, item: { ...event.item, output } } };
}

function nextSteps({ bold, cyan }: Paint): string {
  return `${bold('With a real model')}
  OpenAI           ${cyan('export OPENAI_API_KEY=sk-…')}
  a local server   ${cyan('export OPENAI_BASE_URL=http://localhost:11434/v1 OPENAI_API_KEY=none')}, and ${cyan('-c model=NAME')}
                   (or provider.baseURL and model in ~/.config/codex-lsp/config.json)
${bold('Then')}
  in a shell       ${cyan('codex-lsp exec "what you want done"')} in your project; ${cyan('codex-lsp apply THREAD')} writes it
  in your editor   clients/{neovim,helix,emacs,zed}/README.md, a few lines each
  on this machine  ${cyan('codex-lsp doctor')} says what works and how to mend what does not`;
}

/** Beside the bundle, or beside this source. */
async function serviceFolder(): Promise<string> {
  const bundled = fileURLToPath(new URL('./demo-service/', import.meta.url));
  const inBundle = await access(bundled).then(
    () => true,
    () => false,
  );
  return inBundle ? bundled : fileURLToPath(new URL('./demo/service/', import.meta.url));
}
