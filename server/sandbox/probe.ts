/** Whether commands can run here in one way or another, found out by running one: it reads, writes, and leaves nothing. */
import { randomUUID } from 'node:crypto';
import { access, chmod, constants, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { explainFailure } from './explain.ts';
import type { Finding, Rung } from './ladder.ts';
import { readMachine } from './machine.ts';
import { runInSandbox } from './run.ts';
import { sandboxExec } from './seatbelt.ts';
import type { CommandRequest, CommandResult, CopyLayers, Strategy } from './types.ts';

const timeoutMs = 20_000;
const limits = { processesMax: 64, memoryBytesMax: 1024 ** 3, diskBytesMax: 1024 ** 3 };

const strategies: Readonly<Record<Rung, Strategy>> = {
  unshare: { kind: 'overlay', by: 'unshare' },
  bwrap: { kind: 'overlay', by: 'bwrap' },
  copy: { kind: 'copy', reason: 'A probe.' },
  seatbelt: { kind: 'seatbelt' },
};

/** `toolFolders` only for a machine that is not this one. Makes the state folder if it is missing. */
export async function probeRung(stateDir: string, rung: Rung, toolFolders?: readonly string[]): Promise<Finding> {
  const lacking = rung === 'seatbelt' ? await lackingOnMac() : await lackingOnLinux(rung, toolFolders);
  if (lacking) return { works: false, ...lacking };
  return inFolder(stateDir, async (layers, tree) => {
    await mkdir(layers.root);
    await mkdir(tree);
    const marker = randomUUID();
    for (const folder of [layers.root, tree]) await writeFile(join(folder, 'seen'), marker);
    const command = 'cat seen && cp seen written';
    const result = await run({ layers, strategy: strategies[rung], command, tree, toolFolders });
    const target = rung === 'copy' || rung === 'seatbelt' ? tree : layers.upper;
    return judge(result, marker, join(target, 'written'), stateDir);
  });
}

/** Whether an overlay over this very workspace, which lies on another file system than the state folder, shows and takes files. */
export async function probeLower(options: {
  stateDir: string;
  root: string;
  strategy: Strategy;
  toolFolders?: readonly string[];
}): Promise<Finding> {
  const { stateDir, root, strategy, toolFolders } = options;
  return inFolder(stateDir, async (layers) => {
    const marker = randomUUID();
    const name = `.codex-lsp-probe-${marker}`;
    const command = `echo ${marker} >${name} && cat ${name}`;
    const result = await run({ layers: { ...layers, root }, strategy, command, toolFolders });
    return judge(result, marker, join(layers.upper, name), stateDir);
  });
}

async function lackingOnLinux(rung: Rung, toolFolders?: readonly string[]) {
  const machine = await readMachine(toolFolders);
  if ('kind' in machine) return { reason: machine.reason, remedy: machine.remedy };
  const { version, hasOverlay } = machine.host.bwrap;
  if (rung !== 'bwrap' || hasOverlay) return undefined;
  return { reason: `bubblewrap ${version} makes no overlays.`, remedy: 'Install bubblewrap 0.11 or newer.' };
}

async function lackingOnMac() {
  const isThere = await access(sandboxExec, constants.X_OK).then(
    () => true,
    () => false,
  );
  if (isThere) return undefined;
  return { reason: `${sandboxExec} is not there, or can not be run.`, remedy: 'It is a part of macOS: restore it.' };
}

async function inFolder(
  stateDir: string,
  probe: (layers: CopyLayers, tree: string) => Promise<Finding>,
): Promise<Finding> {
  let folder: string | undefined;
  try {
    await mkdir(stateDir, { recursive: true, mode: 0o700 });
    folder = await mkdtemp(join(await realpath(stateDir), 'probe-'));
    const layers = {
      root: join(folder, 'root'),
      upper: join(folder, 'up'),
      work: join(folder, 'work'),
      whiteouts: join(folder, 'whiteouts'),
    };
    for (const path of [layers.upper, layers.work]) await mkdir(path);
    await writeFile(layers.whiteouts, '');
    return await probe(layers, join(folder, 'tree'));
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return {
      works: false,
      reason: `The state folder can not be used: ${message}`,
      remedy: 'Set CODEX_LSP_STATE_DIR to a folder that you may write.',
    };
  } finally {
    if (folder !== undefined) await removeProbe(folder);
  }
}

const run = ({
  tree,
  toolFolders,
  ...asked
}: Pick<CommandRequest, 'layers' | 'command'> & {
  strategy: Strategy;
  tree?: string;
  toolFolders?: readonly string[];
}) =>
  runInSandbox(
    {
      ...asked,
      ...(tree === undefined || asked.strategy.kind === 'overlay' ? {} : { tree: { path: tree, links: [] } }),
      policy: { mode: 'workspace', network: 'off', readableRoots: [], sockets: [], env: [], ...limits },
      environment: {},
      cwd: asked.layers.root,
      timeoutMs,
      outputBytesMax: 4096,
      signal: new AbortController().signal,
    },
    toolFolders,
  );

async function judge(result: CommandResult, marker: string, written: string, stateDir: string): Promise<Finding> {
  if (result.kind === 'unavailable') return { works: false, reason: result.reason, remedy: result.remedy };
  const found = await readFile(written, 'utf8').catch(() => '');
  if (result.output.includes(marker) && found.trim() === marker) return { works: true };
  return { works: false, ...(await explainFailure(result.output, stateDir)) };
}

/** The kernel leaves a folder without any permission in `work`. */
async function removeProbe(folder: string): Promise<void> {
  await chmod(join(folder, 'work', 'work'), 0o700).catch(() => {});
  await rm(folder, { recursive: true, force: true }).catch(() => {});
}
