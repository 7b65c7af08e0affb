/** Runs one command over a thread's copy in the sandbox; nothing of it is alive when the answer comes. */
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { CommandLimit } from '../protocol/thread.ts';
import { runBare } from './bare.ts';
import { type Cgroup, kernelLimits, makeCgroup } from './cgroup.ts';
import { fileBytesMax, startChain } from './chain.ts';
import { readyFolders, writtenFolders } from './copy-folders.ts';
import { explainFailure } from './explain.ts';
import type { Chain } from './follow.ts';
import type { Host } from './host.ts';
import { treesOf } from './layers.ts';
import { limitOf, type Stopped } from './limit-of.ts';
import { forgetMachines, unavailable } from './machine.ts';
import { holdMerged } from './merged.ts';
import { notReached } from './network/command-network.ts';
import { Output } from './output.ts';
import { drainedWithinMs } from './output-pipe.ts';
import { type Prepared, prepare } from './prepare.ts';
import type { CommandRequest, CommandResult } from './types.ts';
import { nothing } from './upper-use.ts';
import { type Watching, watch } from './watchdog.ts';

/** One argument of a program is at most 128 KiB on Linux. */
const commandBytesMax = 120 * 1024;

/** Two mounts over one upper layer show stale files: the commands of a copy wait for each other. */
const queues = new Map<string, Promise<unknown>>();

/**
 * Never rejects for anything the command or the machine does; only what `inspect` throws comes through. A fired signal
 * gives `killed` without a limit; `limit` says which of the policy's ended it. `toolFolders` only for a machine that is
 * not this one.
 */
export async function runInSandbox(request: CommandRequest, toolFolders?: readonly string[]): Promise<CommandResult> {
  const { upper } = request.layers;
  const before = queues.get(upper) ?? Promise.resolve();
  const running = before.then(() => runNext(request, toolFolders));
  const settled = running.catch(() => {});
  queues.set(upper, settled);
  try {
    return await running;
  } finally {
    if (queues.get(upper) === settled) queues.delete(upper);
  }
}

async function runNext(request: CommandRequest, toolFolders?: readonly string[]): Promise<CommandResult> {
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
  const { strategy } = request;
  if (strategy?.kind === 'unsandboxed' || strategy?.kind === 'seatbelt') return runBare(request, strategy.kind);
  const prepared = await prepare(request, toolFolders);
  if ('kind' in prepared) return prepared;
  try {
    return await runChain(request, prepared, startedAt);
  } finally {
    await prepared.network?.close();
  }
}

async function runChain(asked: CommandRequest, prepared: Prepared, startedAt: number): Promise<CommandResult> {
  const { machine, network } = prepared;
  const { host } = machine;
  const processesMax = asked.policy.processesMax + (network?.processes ?? 0);
  const request = { ...asked, policy: { ...asked.policy, processesMax } };
  const output = new Output(request.outputBytesMax, request.onOutput, request.onBytes);
  const cgroup = process.getuid?.() === 0 ? await makeCgroup(kernelLimits(request.policy)) : undefined;
  let atFirst = nothing;
  let chain: Chain;
  try {
    atFirst = await readyFolders(request, prepared);
    chain = await startChain({ ...request, ...prepared, wrapper: network?.wrapper, cgroup });
  } catch (error) {
    await cgroup?.release();
    const said = error instanceof Error ? error.message : String(error);
    return unavailable(await explainFailure(said, dirname(request.layers.upper)));
  }
  chain.output.on('data', (chunk: Buffer) => output.add(chunk));
  try {
    const uppers = writtenFolders(request, prepared);
    const { stopped, watching } = await lead(chain, request, {
      uppers,
      atFirst,
      countsProcesses: cgroup?.limits.processes !== true && needsCounting(host),
      notesProcesses: cgroup?.limits.processes !== true,
      cgroup,
    });
    output.end();
    const { exitCode } = chain.told;
    const limit = await limitOf({
      ...{ stopped, exitCode, output, watching, cgroup, uppers },
      outputBytesMax: request.outputBytesMax,
      fileBytesMax: fileBytesMax(request.policy, host),
    });
    if (exitCode === undefined && !stopped) {
      const result = await notStarted(chain, output, request);
      // What is hidden may have gone from the machine, and could not be: look again.
      if (result.kind === 'unavailable') forgetMachines();
      return result;
    }
    if (network && !network.wasReached && !stopped) return unavailable(notReached);
    const refusedHosts = network?.refusedHosts ?? [];
    if (request.inspect && exitCode !== undefined) await inspect(request.inspect, chain, request, prepared);
    return {
      kind: 'ran',
      status: stopped ? 'killed' : exitCode === 0 ? 'completed' : 'failed',
      ...(stopped ? {} : { exitCode }),
      limit,
      output: output.text(),
      outputBytes: output.bytes,
      durationMs: performance.now() - startedAt,
      ...(refusedHosts.length === 0 ? {} : { refusedHosts }),
    };
  } finally {
    await chain.release();
    await cgroup?.release();
  }
}

/** The copy as it can be read from outside, while no process of the command lives and it is still mounted, or again. */
async function inspect(
  look: NonNullable<CommandRequest['inspect']>,
  { told }: Chain,
  { layers }: CommandRequest,
  { tree, mounter, machine, mounts }: Prepared,
): Promise<void> {
  if (tree) {
    const trees = new Map(treesOf(layers, tree).map(({ root, path }) => [root, path]));
    return look(tree.path, (root) => trees.get(root) ?? root);
  }
  const lookIn = (machineRoot: string) => look(`${machineRoot}${layers.root}`, (root) => `${machineRoot}${root}`);
  if (mounter !== 'itself') return told.holder === undefined ? undefined : lookIn(`/proc/${told.holder}/root`);
  const merged = await holdMerged(machine.tools, mounts);
  try {
    if (merged) await lookIn(merged.root);
  } finally {
    await merged?.release();
  }
}

/** Where the kernel would let a command start any number of processes. */
const needsCounting = ({ uid, limits }: Host): boolean => uid === 0 || limits.processes === undefined;

/** Until the command has ended and all it wrote was read. Answers what made us stop it: the first reason wins. */
async function lead(
  chain: Chain,
  request: CommandRequest,
  {
    cgroup,
    ...watched
  }: Pick<Parameters<typeof watch>[0], 'uppers' | 'atFirst' | 'countsProcesses' | 'notesProcesses'> & {
    cgroup: Cgroup | undefined;
  },
): Promise<{ stopped: Stopped | undefined; watching: Watching }> {
  const { signal, timeoutMs, policy } = request;
  let stopped: Stopped | undefined;
  const stop = (limit?: CommandLimit) => {
    stopped ??= { limit };
    chain.stop();
  };
  const onAbort = () => stop();
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  const timer = setTimeout(() => stop('time'), timeoutMs);
  const watching = watch({
    ...watched,
    policy,
    hasRunOut: cgroup?.limits.memory ? cgroup.hasRunOut : undefined,
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
    // What the kernel ended may have been all there was: sooner than we look.
    if (stopped === undefined && cgroup?.limits.memory && (await cgroup.hasRunOut())) stopped = { limit: 'memory' };
  } finally {
    clearTimeout(timer);
    watching.end();
    signal.removeEventListener('abort', onAbort);
  }
  const reason = stopped;
  await Promise.race([drained, delay(drainedWithinMs, undefined, { ref: false })]);
  return { stopped: reason, watching };
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
