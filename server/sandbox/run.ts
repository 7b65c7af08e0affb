/** Runs one command over a thread's copy in the sandbox; nothing of it is alive when the answer comes. */
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { CommandLimit } from '../protocol/thread.ts';
import { sandboxArguments } from './argv.ts';
import { makeCgroup } from './cgroup.ts';
import { type Chain, descriptor, startChain } from './chain.ts';
import { commandEnvironment, isInside } from './environment.ts';
import { explainFailure, explainMissing } from './explain.ts';
import { findTools, type Host, readHost, type Tools } from './host.ts';
import { Output } from './output.ts';
import { seccompProgram } from './seccomp.ts';
import type { CommandRequest, CommandResult } from './types.ts';
import { watch } from './watchdog.ts';

/** One argument of a program is at most 128 KiB on Linux. */
const commandBytesMax = 120 * 1024;
const drainedWithinMs = 2_000;

type Machine = { tools: Tools; host: Host; seccomp: Uint8Array | undefined };
type Unavailable = Extract<CommandResult, { kind: 'unavailable' }>;

let machine: Promise<Machine | Unavailable> | undefined;

/** Two mounts over one upper layer show stale files: the commands of a copy wait for each other. */
const queues = new Map<string, Promise<unknown>>();

/**
 * Never rejects for anything the command or the machine does; only what `inspect` throws comes through. A fired signal
 * gives `killed` without a limit; `limit` says which of the policy's ended it.
 */
export async function runInSandbox(request: CommandRequest): Promise<CommandResult> {
  const { upper } = request.layers;
  const before = queues.get(upper) ?? Promise.resolve();
  const running = before.then(() => runNext(request));
  const settled = running.catch(() => {});
  queues.set(upper, settled);
  try {
    return await running;
  } finally {
    if (queues.get(upper) === settled) queues.delete(upper);
  }
}

/** What the machine has for it; `toolFolders` only for a machine that is not this one. */
export async function readMachine(toolFolders?: readonly string[]): Promise<Machine | Unavailable> {
  if (process.platform !== 'linux') {
    return unavailable({ reason: 'Only Linux has a sandbox so far.', remedy: 'Run codex-lsp on Linux.' });
  }
  const tools = await findTools(toolFolders);
  if ('missing' in tools) return unavailable(await explainMissing(tools.missing));
  return { tools, host: await readHost(tools), seccomp: seccompProgram(process.arch) };
}

async function runNext(request: CommandRequest): Promise<CommandResult> {
  const startedAt = performance.now();
  const ran = (result: { status: 'completed' | 'failed' | 'killed'; exitCode?: number; output?: string }) =>
    ({
      kind: 'ran',
      output: '',
      outputBytes: Buffer.byteLength(result.output ?? ''),
      durationMs: 0,
      ...result,
    }) as const;
  if (request.signal.aborted) return ran({ status: 'killed' });
  if (Buffer.byteLength(request.command) > commandBytesMax || request.command.includes('\0')) {
    return ran({ status: 'failed', exitCode: 126, output: 'The command is longer than 120 KiB, or holds a NUL.\n' });
  }
  machine ??= readMachine();
  const here = await machine;
  if ('kind' in here) {
    // What was missing may be installed meanwhile.
    machine = undefined;
    return here;
  }
  const refused = await refusal(request, here.host);
  if (refused) return refused;
  const output = new Output(request.outputBytesMax, request.onOutput);
  // Beside the command there are the chain, the holder and the sandbox's first process.
  const cgroup = here.host.uid === 0 ? await makeCgroup(request.policy.processesMax + 4) : undefined;
  const options = { ...here, ...request, bwrapArguments: bwrapArguments(request, here), cgroup: cgroup?.procs };
  let chain: Chain;
  try {
    chain = await startChain(options);
  } catch (error) {
    await cgroup?.remove();
    const said = error instanceof Error ? error.message : String(error);
    return unavailable(await explainFailure(said, dirname(request.layers.upper)));
  }
  chain.output.on('data', (chunk: Buffer) => output.add(chunk));
  try {
    const stopped = await lead(chain, request, cgroup === undefined && needsCounting(here.host));
    const { exitCode, holder } = chain.told;
    if (exitCode === undefined && !stopped) return await notStarted(chain, output, request);
    if (holder !== undefined && exitCode !== undefined) {
      await request.inspect?.(`/proc/${holder}/root${request.layers.root}`);
    }
    return {
      kind: 'ran',
      status: stopped ? 'killed' : exitCode === 0 ? 'completed' : 'failed',
      ...(stopped
        ? { limit: stopped.limit }
        : { exitCode, limit: output.bytes > request.outputBytesMax ? 'output' : undefined }),
      output: output.text(),
      outputBytes: output.bytes,
      durationMs: performance.now() - startedAt,
    };
  } finally {
    await chain.release();
    await cgroup?.remove();
  }
}

/** Where the kernel would let a command start any number of processes. */
const needsCounting = ({ uid, limits }: Host): boolean => uid === 0 || limits.processes === undefined;

/** Until the command has ended and all it wrote was read. Answers what made us stop it: the first reason wins. */
async function lead(
  chain: Chain,
  request: CommandRequest,
  countsProcesses: boolean,
): Promise<{ limit?: CommandLimit } | undefined> {
  const { signal, timeoutMs, policy, layers } = request;
  let stopped: { limit?: CommandLimit } | undefined;
  const stop = (limit?: CommandLimit) => {
    stopped ??= { limit };
    chain.stop();
  };
  const onAbort = () => stop();
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  const timer = setTimeout(() => stop('time'), timeoutMs);
  const watchdog = watch({
    upper: layers.upper,
    policy,
    countsProcesses,
    child: () => chain.told.child,
    exceeded: stop,
  });
  const drained = new Promise<void>((resolve) => {
    chain.output
      .once('end', resolve)
      .once('close', resolve)
      .once('error', () => resolve());
  });
  try {
    await chain.ended;
  } finally {
    clearTimeout(timer);
    watchdog.end();
    signal.removeEventListener('abort', onAbort);
  }
  const reason = stopped;
  await Promise.race([drained, delay(drainedWithinMs, undefined, { ref: false })]);
  return reason;
}

function bwrapArguments({ policy, layers, cwd, environment }: CommandRequest, { host, seccomp }: Machine): string[] {
  const { root } = layers;
  return sandboxArguments({
    policy,
    host,
    root,
    cwd,
    hidden: [dirname(layers.upper)],
    environment: commandEnvironment({
      environment,
      names: policy.env,
      root,
      home: host.home,
      user: host.user,
      hasNode: host.node !== undefined,
    }),
    descriptors: { status: descriptor.status, seccomp: seccomp ? descriptor.seccomp : undefined },
  });
}

/** What would fail only half-way, or in words that nobody understands. */
async function refusal({ layers, cwd }: CommandRequest, { uid }: Host): Promise<CommandResult | undefined> {
  const { root, upper } = layers;
  if (!isInside(cwd, root)) throw new Error(`the folder of a command must lie in the workspace: ${cwd}`);
  if (isInside(upper, root)) {
    return unavailable({
      reason: 'The state folder lies inside the workspace.',
      remedy: 'Set CODEX_LSP_STATE_DIR to a folder outside of it, or open a smaller folder.',
    });
  }
  const owner = await stat(root).catch(() => undefined);
  if (!owner?.isDirectory()) {
    return unavailable({ reason: `The workspace ${root} is not there.`, remedy: 'Open a folder that exists.' });
  }
  if (owner.uid !== uid) {
    return unavailable({
      reason: 'The workspace belongs to another user, so its files could not be changed in the copy.',
      remedy: `Start codex-lsp as its owner (user id ${owner.uid}), or change the owner of the folder.`,
    });
  }
  return undefined;
}

/** The chain ended and never said that the command did. */
async function notStarted(chain: Chain, written: Output, { layers, cwd }: CommandRequest): Promise<CommandResult> {
  const said = `${written.text()}${chain.told.failure ?? ''}`;
  const failed = (output: string) => ({ output, outputBytes: written.bytes, durationMs: 0 });
  if (said.includes("bwrap: Can't chdir to")) {
    return { kind: 'ran', status: 'failed', exitCode: 1, ...failed(`There is no folder ${cwd} in the copy.\n`) };
  }
  // It was running, and someone killed bwrap: nobody does that but a kernel out of memory.
  const wasRunning = chain.told.child !== undefined && !/^bwrap: /m.test(said);
  if (wasRunning) return { kind: 'ran', status: 'killed', limit: 'memory', ...failed(said) };
  return unavailable(await explainFailure(said, dirname(layers.upper)));
}

const unavailable = (explanation: { reason: string; remedy: string }): Unavailable => ({
  kind: 'unavailable',
  ...explanation,
});
