/**
 * Runs a command in a whole copy at a path of its own, without namespaces: by Seatbelt on macOS, or, where the user has
 * said so, by nothing that keeps it in. What it leaves running is hunted down (`marked-processes.ts` says what can escape).
 * Disk is limited for each file, and for the tree as a whole. Root's memory and processes are limited as a whole where
 * there are cgroups; else memory is for each process, and processes, on Linux, for an ordinary user alone.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readFile, realpath, rm, stat, symlink } from 'node:fs/promises';
import { Socket } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { CommandLimit } from '../protocol/thread.ts';
import { toolchains } from './argv.ts';
import { type Cgroup, kernelLimits, makeCgroup } from './cgroup.ts';
import { heldBy } from './copy-folders.ts';
import { inheritedDescriptors } from './descriptors.ts';
import { commandEnvironment, isInside } from './environment.ts';
import { exitOf } from './exit-of.ts';
import { systemTool } from './host.ts';
import { ownIdentity } from './identity.ts';
import { pathsOf, treesOf, workspaceIn } from './layers.ts';
import { limitOf, type Stopped } from './limit-of.ts';
import { unavailable } from './machine.ts';
import { endProcesses, markName } from './marked-processes.ts';
import { Output } from './output.ts';
import { closeDescriptor, drainedWithinMs, outputPipe } from './output-pipe.ts';
import { outputOf } from './process.ts';
import { seatbeltCommand } from './seatbelt.ts';
import type { CommandRequest, CommandResult, CopyTree } from './types.ts';
import type { Use } from './upper-use.ts';
import { type Watching, watch } from './watchdog.ts';

const lifeline = 3;

/**
 * The shell sets the limits and becomes the command. Beside it waits a second one: when our end of its pipe is closed,
 * by our death too, it kills what has the mark, and then the group. A limit that can't be set is lower already.
 */
const script = `
for group in $5; do echo 0 >"$group" || exit 125; done
{ ulimit -c 0; ulimit -f "$1"; [ -z "$2" ] || ulimit -d "$2"; [ -z "$3" ] || ulimit -u "$3"; } 2>/dev/null
mark=$4; shift 5
sweep() {
  for file in /proc/[0-9]*/environ; do
    while IFS= read -r -d '' word; do
      if [ "$word" = "${markName}=$mark" ]; then pid=\${file#/proc/}; kill -9 "\${pid%/environ}"; break; fi
    done <"$file"
  done
}
{ exec </dev/null >/dev/null 2>&1; read -r end <&${lifeline}; sweep; sweep; kill -9 0; } &
exec /usr/bin/env "${markName}=$mark" "$@" ${lifeline}<&-
`;

/** As `runInSandbox`, but that `inspect` is not called: nothing is mounted. */
export async function runBare(request: CommandRequest, kind: 'unsandboxed' | 'seatbelt'): Promise<CommandResult> {
  const { tree, layers } = request;
  if (!tree) throw new Error('a command without a mount needs a whole copy');
  const startedAt = performance.now();
  const cwd = inTree(layers, tree, request.cwd);
  const folder = await stat(cwd).catch(() => undefined);
  if (!folder?.isDirectory()) return failed(`There is no folder ${request.cwd} in the copy.\n`);
  const mkfifo = await systemTool('mkfifo');
  if (mkfifo === undefined)
    return unavailable({ reason: 'mkfifo is not in the system folders.', remedy: 'Install coreutils.' });
  const temporary = await mkdtemp(join(await realpath(tmpdir()), 'codex-lsp-'));
  try {
    const home = kind === 'seatbelt' ? await privateHome(temporary) : homedir();
    const program = kind === 'seatbelt' ? await inSeatbelt(request, tree, temporary) : plainly(request);
    const environment = { ...environmentOf(request, home), TMPDIR: temporary };
    const output = new Output(request.outputBytesMax, request.onOutput, request.onBytes);
    const atFirst = heldBy(tree);
    const cgroup = process.getuid?.() === 0 ? await makeCgroup(kernelLimits(request.policy)) : undefined;
    let ended: Awaited<ReturnType<typeof lead>>;
    let limit: CommandLimit | undefined;
    try {
      ended = await lead(request, { cwd, program, environment, mkfifo, output, cgroup, tree, atFirst });
      if ('failure' in ended) {
        return unavailable({ reason: `The command could not be started: ${ended.failure}`, remedy: 'Try it again.' });
      }
      limit = await limitOf({
        ...{ ...ended, output, cgroup, uppers: pathsOf(tree) },
        outputBytesMax: request.outputBytesMax,
        fileBytesMax: kibibytes(request.policy.diskBytesMax) * 1024,
      });
    } finally {
      await cgroup?.release();
    }
    const { exitCode, stopped } = ended;
    return {
      kind: 'ran',
      status: stopped ? 'killed' : exitCode === 0 ? 'completed' : 'failed',
      ...(stopped ? {} : { exitCode }),
      limit,
      output: output.text(),
      outputBytes: output.bytes,
      durationMs: performance.now() - startedAt,
    };
  } finally {
    await removeTemporary(temporary);
  }
}

/** Where a folder of the workspace is in the copy. */
function inTree(layers: CommandRequest['layers'], tree: CopyTree, cwd: string): string {
  const of = treesOf(layers, tree).find(({ root }) => isInside(cwd, root));
  if (!of) throw new Error(`the folder of a command must lie in the workspace: ${cwd}`);
  return join(of.path, relative(of.root, cwd));
}

const plainly = ({ command }: CommandRequest): string[] => ['/bin/bash', '-c', command];

async function inSeatbelt(request: CommandRequest, tree: CopyTree, temporary: string): Promise<string[]> {
  const { policy, layers, hidden = [] } = request;
  const real = (path: string) => realpath(path).catch(() => path);
  const options = {
    policy,
    tree: await real(tree.path),
    beside: await Promise.all(pathsOf(tree).slice(1).map(real)),
    temporary,
    home: await real(homedir()),
    links: treesOf(layers, tree).flatMap(({ root, links = [] }) => links.map((path) => join(root, path))),
    hidden: await Promise.all(hidden.map(real)),
  };
  return seatbeltCommand(options, plainly(request));
}

function environmentOf({ environment, policy, layers, tree }: CommandRequest, home: string): Record<string, string> {
  const { user } = ownIdentity();
  const own = commandEnvironment({
    ...workspaceIn(layers),
    environment,
    names: policy.env,
    home,
    user,
    hasNode: false,
  });
  if (!tree) return own;
  // Where there is no repository in the tree, git would find one of the user's that the state folder lies in.
  const above = new Set(treesOf(layers, tree).map(({ path }) => dirname(path)));
  return { ...own, GIT_CEILING_DIRECTORIES: [...above].join(':') };
}

type Launch = {
  cwd: string;
  program: readonly string[];
  environment: Record<string, string>;
  mkfifo: string;
  output: Output;
  cgroup: Cgroup | undefined;
  tree: CopyTree;
  atFirst: Use;
};

/** From start to end; afterwards nothing of it that can be found is alive. The first reason to stop wins. */
async function lead(
  request: CommandRequest,
  { cwd, program, environment, mkfifo, output, cgroup, tree, atFirst }: Launch,
): Promise<{ exitCode: number; stopped: Stopped | undefined; watching: Watching } | { failure: string }> {
  const { signal, timeoutMs, policy } = request;
  const mark = randomUUID();
  const args = [...(await limitsOf(request, cgroup)), mark, cgroup?.procs.join(' ') ?? '', ...program];
  const { reader, writer } = await outputPipe(request.layers, { mkfifo }, ownIdentity());
  let child: ChildProcess;
  let exited: Promise<number | string>;
  try {
    child = spawn('/bin/bash', ['-c', `${await closing()}${script}`, 'codex-lsp', ...args], {
      env: environment,
      cwd,
      detached: true,
      stdio: ['ignore', writer, writer, 'pipe'],
    });
    // At once: a short command may have ended before anything else is awaited.
    exited = exitOf(child);
    const end = child.stdio[lifeline];
    if (end instanceof Duplex) end.on('error', () => {});
  } catch (error) {
    await closeDescriptor(reader);
    return { failure: error instanceof Error ? error.message : String(error) };
  } finally {
    await closeDescriptor(writer);
  }
  const stream = new Socket({ fd: reader, readable: true, writable: false });
  stream.on('data', (chunk: Buffer) => output.add(chunk));
  const drained = new Promise<void>((resolve) => {
    stream.once('close', resolve).once('error', () => resolve());
  });
  let stopped: Stopped | undefined;
  const stop = (limit?: CommandLimit) => {
    stopped ??= { limit };
    // The rest of its group, and whoever has left it, ends below.
    child.kill('SIGKILL');
  };
  const onAbort = () => stop();
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  const timer = setTimeout(() => stop('time'), timeoutMs);
  const watching = watch({
    ...{ uppers: pathsOf(tree), atFirst, policy },
    countsProcesses: false,
    hasRunOut: cgroup?.limits.memory ? cgroup.hasRunOut : async () => false,
    // There is no process namespace to be counted.
    child: () => undefined,
    exceeded: stop,
  });
  try {
    const outcome = await exited;
    if (stopped === undefined && cgroup?.limits.memory && (await cgroup.hasRunOut())) stopped = { limit: 'memory' };
    const reason = stopped;
    if (child.pid !== undefined) await endProcesses(child.pid, mark);
    await Promise.race([drained, delay(drainedWithinMs, undefined, { ref: false })]);
    output.end();
    return typeof outcome === 'string' ? { failure: outcome } : { exitCode: outcome, stopped: reason, watching };
  } finally {
    clearTimeout(timer);
    watching.end();
    signal.removeEventListener('abort', onAbort);
    stream.destroy();
    const end = child.stdio[lifeline];
    if (end instanceof Duplex) end.destroy();
  }
}

const kibibytes = (bytes: number): number => Math.max(1, Math.floor(bytes / 1024));

/**
 * For `ulimit`: KiB of a file, KiB of data, processes; empty where a cgroup holds it. The last is counted for the user as
 * a whole, so over what runs now.
 */
async function limitsOf({ policy }: CommandRequest, cgroup: Cgroup | undefined): Promise<string[]> {
  const running = Number(/\/(\d+) /.exec(await readFile('/proc/loadavg', 'latin1').catch(() => ''))?.[1] ?? 0);
  const processes = running > 0 && !cgroup?.limits.processes ? String(running + policy.processesMax) : '';
  const data = cgroup?.limits.memory ? '' : String(kibibytes(policy.memoryBytesMax));
  return [String(kibibytes(policy.diskBytesMax)), data, processes];
}

/** What the server was started with is not the command's. */
async function closing(): Promise<string> {
  const inherited = (await inheritedDescriptors()).filter((number) => number !== lifeline);
  return inherited.length === 0 ? '' : `exec ${inherited.map((number) => `${number}>&-`).join(' ')}\n`;
}

/** An empty home in which the toolchains of the real one are found. */
async function privateHome(temporary: string): Promise<string> {
  const home = join(temporary, 'home');
  await mkdir(home, { mode: 0o700 });
  for (const path of toolchains) {
    const target = join(homedir(), path);
    if (!(await stat(target).catch(() => undefined))) continue;
    await mkdir(dirname(join(home, path)), { recursive: true });
    await symlink(target, join(home, path));
  }
  return home;
}

async function removeTemporary(folder: string): Promise<void> {
  const remove = () => rm(folder, { recursive: true, force: true });
  await remove().catch(async () => {
    await outputOf('/bin/chmod', ['-R', 'u+rwX', folder]);
    await remove().catch(() => {});
  });
}

const failed = (output: string): CommandResult => ({
  kind: 'ran',
  status: 'failed',
  exitCode: 1,
  output,
  outputBytes: Buffer.byteLength(output),
  durationMs: 0,
});
