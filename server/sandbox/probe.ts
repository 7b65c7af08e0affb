/** Whether a sandbox can run here, found out by running one: an overlay is mounted, read, written, and left behind. */
import { randomUUID } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { explainFailure } from './explain.ts';
import { readMachine } from './machine.ts';
import { runInSandbox } from './run.ts';
import type { SandboxStatus } from './types.ts';

const timeoutMs = 20_000;

const known = new Map<string, Promise<SandboxStatus>>();

/**
 * `stateDir`: where copies will be kept; made if it is missing. Cached per process once it works.
 * `toolFolders` only for a machine that is not this one.
 */
export async function probeSandbox(stateDir: string, toolFolders?: readonly string[]): Promise<SandboxStatus> {
  const key = JSON.stringify([stateDir, toolFolders]);
  const probing = known.get(key) ?? probe(stateDir, toolFolders);
  known.set(key, probing);
  const status = await probing;
  if (status.kind === 'none') known.delete(key);
  return status;
}

async function probe(stateDir: string, toolFolders?: readonly string[]): Promise<SandboxStatus> {
  const machine = await readMachine(toolFolders);
  if ('kind' in machine) return none(machine);
  let folder: string | undefined;
  try {
    await mkdir(stateDir, { recursive: true, mode: 0o700 });
    folder = await mkdtemp(join(await realpath(stateDir), 'probe-'));
    return await tryOverlay(folder, machine.host.bwrap.version);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return none({
      reason: `The state folder can not be used: ${message}`,
      remedy: 'Set CODEX_LSP_STATE_DIR to a folder that you may write.',
    });
  } finally {
    if (folder !== undefined) await removeProbe(folder);
  }
}

async function tryOverlay(folder: string, bwrapVersion: string): Promise<SandboxStatus> {
  const marker = randomUUID();
  const layers = {
    root: join(folder, 'root'),
    upper: join(folder, 'up'),
    work: join(folder, 'work'),
    whiteouts: join(folder, 'whiteouts'),
  };
  for (const path of [layers.root, layers.upper, layers.work]) await mkdir(path);
  await writeFile(layers.whiteouts, '');
  await writeFile(join(layers.root, 'seen'), marker);
  const result = await runInSandbox({
    layers,
    policy: { mode: 'workspace', network: 'off', readableRoots: [], sockets: [], env: [], ...probeLimits },
    environment: {},
    command: 'cat seen && cp seen written',
    cwd: layers.root,
    timeoutMs,
    outputBytesMax: 4096,
    signal: new AbortController().signal,
  });
  if (result.kind === 'unavailable') return none(result);
  const written = await readFile(join(layers.upper, 'written'), 'utf8').catch(() => '');
  if (result.output.includes(marker) && written === marker) return { kind: 'overlay', bwrapVersion };
  return none(await explainFailure(result.output, folder));
}

const probeLimits = { processesMax: 64, memoryBytesMax: 1024 ** 3, diskBytesMax: 1024 ** 3 };

/** The kernel leaves a folder without any permission in `work`. */
async function removeProbe(folder: string): Promise<void> {
  await chmod(join(folder, 'work', 'work'), 0o700).catch(() => {});
  await rm(folder, { recursive: true, force: true }).catch(() => {});
}

const none = ({ reason, remedy }: { reason: string; remedy: string }): SandboxStatus => ({
  kind: 'none',
  reason,
  remedy,
});
