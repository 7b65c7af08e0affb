/** `codex-lsp doctor`: what works on this machine, and how to mend what does not. It sends nothing to anybody. */
import { access, constants, mkdtemp, rm, statfs } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import { sandboxStatus } from '../sandbox/status.ts';
import { openStateFolder } from '../task/state-folder.ts';
import { checkHosts, checkThreads, cleanState } from './doctor-state.ts';
import type { CliOptions } from './options.ts';
import { installCommand } from './package-manager.ts';
import { configPathOf } from './places.ts';
import { type Paint, paint, wantsColor } from './progress.ts';
import { checkSandbox, type SandboxFindings } from './sandbox-checks.ts';
import { UsageError } from './usage-error.ts';

export type Check = { ok: boolean; what: string; mend?: string };
type Section = { title: string; checks: readonly Check[] };

/** Exit 1 if the sandbox can't run; what else is missing is only said. `--clean` removes what killed processes have left. */
export async function doctor(args: readonly string[], options: CliOptions): Promise<number> {
  const unknown = args.find((argument) => argument !== '--clean');
  if (unknown !== undefined) throw new UsageError(`doctor has no argument '${unknown}'; it takes --clean.`);
  const { stdout, environment, stateDir } = options;
  const style = paint(wantsColor(stdout, environment));
  const show = ({ title, checks }: Section): void => {
    const lines = checks.flatMap((check) => linesOf(check, style));
    stdout.write(`${style.bold(title)}\n${lines.join('\n')}\n`);
  };

  const showState = async (): Promise<void> => {
    show({ title: 'Threads', checks: await checkThreads(options) });
    show({ title: 'Host', checks: await checkHosts(options) });
  };
  if (args.includes('--clean')) {
    const removed = await cleanState(options);
    for (const path of removed) stdout.write(`removed ${path}\n`);
    if (removed.length === 0) stdout.write('There was nothing to remove.\n');
    await showState();
    return 0;
  }

  show({ title: 'Node', checks: [checkNode()] });
  show({ title: 'State folder', checks: [await checkStateFolder(stateDir)] });
  await showState();
  const sandbox = await checkWholeSandbox(options);
  show({ title: 'Sandbox', checks: sandbox.checks });
  show({ title: 'Programs', checks: await checkPrograms(environment, sandbox) });
  show({ title: 'Model', checks: checkModel(options) });
  show({ title: 'Settings', checks: await checkSettings(options) });
  return sandbox.runs ? 0 : 1;
}

function linesOf({ ok, what, mend }: Check, { green, red, dim }: Paint): string[] {
  const line = ok ? `  ${green('ok')}  ${what}` : `  ${red('!!')}  ${what}`;
  return mend ? [line, `      ${dim('→')} ${mend}`] : [line];
}

function checkNode(): Check {
  const { node } = process.versions;
  const [major = 0, minor = 0] = node.split('.').map(Number);
  if (major > 22 || (major === 22 && minor >= 12)) return { ok: true, what: `Node ${node}` };
  return { ok: false, what: `Node ${node} is too old`, mend: 'install Node 22.12 or newer: https://nodejs.org' };
}

async function checkStateFolder(stateDir: string): Promise<Check> {
  try {
    await openStateFolder(stateDir);
    await rm(await mkdtemp(join(stateDir, 'doctor-')), { recursive: true });
    const { bavail, bsize } = await statfs(stateDir);
    const freeGiB = (bavail * bsize) / 2 ** 30;
    const what = `${stateDir}, ${freeGiB.toFixed(1)} GiB free`;
    return freeGiB >= 1
      ? { ok: true, what }
      : { ok: false, what, mend: 'make room, or set CODEX_LSP_STATE_DIR to a folder with more' };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return {
      ok: false,
      what: `${stateDir} can't be written: ${why}`,
      mend: 'set CODEX_LSP_STATE_DIR to a folder of your own',
    };
  }
}

async function checkWholeSandbox({ stateDir, settings, environment }: CliOptions): Promise<SandboxFindings> {
  const off: Check = {
    ok: false,
    what: 'sandbox.dangerouslyUnsandboxed is on: commands run WITHOUT A SANDBOX, whatever stands below',
    mend: `take it out of ${configPathOf(environment)}, or of the -c flag`,
  };
  const first = settings.sandbox.dangerouslyUnsandboxed ? [off] : [];
  const status = await sandboxStatus({ stateDir, unsandboxed: false });
  if (status.kind === 'none') {
    const checks = [...first, { ok: false, what: status.reason, mend: status.remedy }];
    return { runs: false, checks, versions: new Map() };
  }
  const started: Check = {
    ok: true,
    what: `a command ran over a copy (${status.kind}${'bwrapVersion' in status ? `, bubblewrap ${status.bwrapVersion}` : ''})`,
  };
  // It works, only more slowly.
  const why: Check[] = status.kind === 'copy' ? [{ ok: true, what: `no overlay: ${status.reason}` }] : [];
  const found = await checkSandbox(stateDir);
  return { ...found, checks: [...first, started, ...why, ...found.checks] };
}

async function checkPrograms(
  environment: NodeJS.ProcessEnv,
  { runs, versions }: SandboxFindings & { runs: boolean },
): Promise<Check[]> {
  const check = async (name: string): Promise<Check> => {
    const version = versions.get(name);
    if (version) return { ok: true, what: `${name} ${version.replace(/^git version |^v/, '')}, also in the sandbox` };
    const path = await findOnPath(name, environment.PATH ?? '');
    if (path && !runs) return { ok: true, what: `${path}, not tried in the sandbox, which does not run` };
    if (path) return { ok: false, what: `${path} is not seen in the sandbox`, mend: `install ${name} below /usr` };
    return { ok: false, what: `${name} is not installed`, mend: await installCommand(name) };
  };
  return Promise.all(['git', 'node', 'npm'].map(check));
}

/** Only looked for, never started. */
async function findOnPath(name: string, path: string): Promise<string | undefined> {
  for (const folder of path.split(delimiter).filter(isAbsolute)) {
    const found = await access(join(folder, name), constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return join(folder, name);
  }
  return undefined;
}

function checkModel({ settings, environment }: CliOptions): Check[] {
  const { model, provider } = settings;
  const address = provider.baseURL ?? (environment.OPENAI_BASE_URL || undefined);
  const where = address ?? "OpenAI's own, https://api.openai.com/v1";
  const key: Check = environment[provider.apiKeyEnv]
    ? { ok: true, what: `${provider.apiKeyEnv} is set (not tried: nothing is sent)` }
    : {
        ok: false,
        what: `${provider.apiKeyEnv} is not set`,
        mend: `export ${provider.apiKeyEnv}=${address ? 'your key, or any word for a server that needs none' : 'sk-…'}`,
      };
  return [{ ok: true, what: `${model} at ${where}` }, key];
}

async function checkSettings({ environment, problems }: CliOptions): Promise<Check[]> {
  const path = configPathOf(environment);
  const exists = await access(path).then(
    () => true,
    () => false,
  );
  const wrong = problems.map(
    ({ message }): Check => ({ ok: false, what: message, mend: `correct it in ${path}, or in the -c flag` }),
  );
  if (wrong.length > 0) return wrong;
  return [{ ok: true, what: exists ? path : `${path} is not there; the defaults hold` }];
}
