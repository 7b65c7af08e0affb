/**
 * The chain of processes of one command: `unshare` (own user and mount namespace) becomes a shell that mounts the
 * overlay at the workspace's own path and becomes `prlimit`, then `bwrap`. A second shell, the holder, keeps the mount
 * alive after the command so that the copy can be looked at, and kills everything when our end of its pipe is closed,
 * also by our death.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { close, constants, open } from 'node:fs';
import { lstat, readFile, rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { inheritedDescriptors } from './descriptors.ts';
import type { Host, Tools } from './host.ts';
import { outputOf, toolEnvironment } from './process.ts';
import type { CopyLayers, SandboxPolicy } from './types.ts';

/** In the chain: what the holder and bwrap say, our lifeline to the holder, the filter, and bwrap's arguments. */
export const descriptor = { status: 3, lifeline: 4, seccomp: 5, arguments: 6 } as const;

/** Paths come in by descriptors, because `:`, `,` and `\` mean something in mount options. */
const script = `
root=$1 upper=$2 work=$3 whiteouts=$4 mount=$5 cgroup=$6; shift 6
[ -z "$cgroup" ] || echo 0 >"$cgroup" || exit 125
if [ -s "$whiteouts" ]; then
  cd "$upper" || exit 125
  xargs -0 sh -c 'for path; do [ -c "./$path" ] || mknod "./$path" c 0 0 || exit 255; done' sh <"$whiteouts" || exit 125
  : >"$whiteouts" || exit 125
fi
"$mount" -t overlay overlay -o lowerdir=/proc/self/fd/7,upperdir=/proc/self/fd/8,workdir=/proc/self/fd/9,userxattr \
  "$root" 7<"$root" 8<"$upper" 9<"$work" || exit 125
cd /
{ exec </dev/null >/dev/null 2>&1 3>&- 5<&- 6<&-; read -r end <&4; kill -9 0; } &
echo "holder $!" >&3
echo 1000 2>/dev/null >/proc/self/oom_score_adj
exec "$@" 4<&-
`;

const goneWithinMs = 5_000;

// Bare descriptors, not handles: a socket takes over the reading one.
const openDescriptor = promisify(open);
const closeDescriptor = promisify(close);

export type Chain = {
  /** What has been said so far. `child`: the first process in the sandbox; `exitCode`: the command ran and ended. */
  readonly told: { holder?: number; child?: number; exitCode?: number; failure?: string };
  readonly output: Socket;
  /** When bwrap, or what came before it, has ended and has said everything. */
  readonly ended: Promise<void>;
  /** Ends the command, whatever it is at; the mount stays if it was there. */
  stop(): void;
  /** Ends the holder, and with it the mount. Afterwards nothing of the chain lives. */
  release(): Promise<void>;
};

export async function startChain(options: {
  host: Host;
  tools: Tools;
  layers: CopyLayers;
  policy: SandboxPolicy;
  bwrapArguments: readonly string[];
  seccomp: Uint8Array | undefined;
  /** A file that the chain joins a cgroup by. */
  cgroup?: string;
  command: string;
}): Promise<Chain> {
  const { host, tools, layers, policy, bwrapArguments, seccomp, cgroup, command } = options;
  const inherited = await inheritedDescriptors();
  const { reader, writer } = await outputPipe(layers, tools);
  let child: ChildProcess;
  try {
    child = spawn(
      tools.unshare,
      [
        ...['-Urm', '--propagation', 'private'],
        ...shell(inherited),
        ...[layers.root, layers.upper, layers.work, layers.whiteouts, tools.mount, cgroup ?? ''],
        ...[tools.prlimit, ...limits(policy, host), '--', tools.bwrap, '--args', String(descriptor.arguments)],
        ...['--', tools.setsid, '/bin/bash', '-c', command],
      ],
      {
        env: toolEnvironment,
        cwd: '/',
        detached: true,
        stdio: ['ignore', writer, writer, 'pipe', 'pipe', 'pipe', 'pipe'],
      },
    );
  } catch (error) {
    await closeDescriptor(reader);
    throw error;
  } finally {
    await closeDescriptor(writer);
  }
  const output = new Socket({ fd: reader, readable: true, writable: false });
  pipeOf(child, descriptor.seccomp).end(seccomp ?? '');
  pipeOf(child, descriptor.arguments).end(bwrapArguments.map((argument) => `${argument}\0`).join(''));
  return follow(child, output);
}

/** dash can't close a descriptor above 9, bash can; the former starts faster. */
function shell(inherited: readonly number[]): string[] {
  const closing = inherited.filter((number) => !Object.values<number>(descriptor).includes(number));
  if (closing.length === 0) return ['/bin/sh', '-c', script, 'sh'];
  return ['/bin/bash', '-c', `exec ${closing.map((number) => `${number}>&-`).join(' ')}\n${script}`, 'bash'];
}

function limits(policy: SandboxPolicy, { limits: hard }: Host): string[] {
  return [
    '--core=0',
    `--fsize=${Math.min(policy.diskBytesMax, hard.fileBytes)}`,
    `--data=${Math.min(policy.memoryBytesMax, hard.dataBytes)}`,
    ...(hard.processes === undefined ? [] : [`--nproc=${Math.min(policy.processesMax, hard.processes)}`]),
  ];
}

/**
 * Both ends of a real pipe: Node's own are sockets, which a command can't open again as `/dev/stdout`. Its name lies
 * beside the upper layer, one per copy, because a copy's commands run one after the other.
 */
async function outputPipe(layers: CopyLayers, tools: Tools): Promise<{ reader: number; writer: number }> {
  const path = join(dirname(layers.upper), 'output');
  const found = await lstat(path).catch(() => undefined);
  // A command may have changed its mode, as `/proc/self/fd/1`.
  const isOurs = found?.isFIFO() && (found.mode & 0o7777) === 0o600;
  if (!isOurs) {
    await rm(path, { recursive: true, force: true });
    await outputOf(tools.mkfifo, ['-m', '600', path]);
  }
  // In this order: a pipe without a reader can't be opened for writing without waiting.
  const reader = await openDescriptor(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  try {
    return { reader, writer: await openDescriptor(path, constants.O_WRONLY | constants.O_NOFOLLOW) };
  } catch (error) {
    await closeDescriptor(reader);
    throw error;
  }
}

function follow(child: ChildProcess, output: Socket): Chain {
  const told: { holder?: number; child?: number; exitCode?: number; failure?: string } = {};
  let text = '';
  let isStopped = false;
  const status = pipeOf(child, descriptor.status);
  const lifeline = pipeOf(child, descriptor.lifeline);
  lifeline.resume();
  const lifelineEnded = ended(lifeline);
  const killGroup = () => kill(child.pid === undefined ? undefined : -child.pid);
  status.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
    told.holder = numberIn(text, /^holder (\d+)$/m);
    told.child = numberIn(text, /"child-pid": (\d+)/);
    told.exitCode = numberIn(text, /"exit-code": (\d+)/);
    if (isStopped) kill(told.child);
  });
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', (error) => {
      told.failure = error.message;
      resolve();
    });
  });
  let hasEnded = false;
  return {
    told,
    output,
    ended: Promise.all([exited, ended(status)]).then(async () => {
      hasEnded = true;
      // Its end is the end of all that were in its process namespace.
      if (told.child !== undefined) await untilGone(told.child);
    }),
    stop() {
      if (isStopped || hasEnded) return;
      isStopped = true;
      kill(told.child);
      // Killed before it has said who is in the sandbox: the whole group then, the holder too.
      setTimeout(() => hasEnded || killGroup(), told.child === undefined ? 300 : 2_000).unref();
    },
    async release() {
      lifeline.end();
      await Promise.race([lifelineEnded, delay(goneWithinMs, undefined, { ref: false }).then(killGroup)]);
      if (told.holder !== undefined) await untilGone(told.holder);
      for (const stream of [status, lifeline, output]) stream.destroy();
    },
  };
}

const ended = (stream: Duplex): Promise<void> =>
  new Promise((resolve) => {
    stream
      .once('end', resolve)
      .once('close', resolve)
      .once('error', () => resolve());
  });

const numberIn = (text: string, pattern: RegExp): number | undefined => {
  const found = pattern.exec(text)?.[1];
  return found === undefined ? undefined : Number(found);
};

function kill(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}

/** A process that is a zombie has given back everything but its number; of a namespace's first, all others are gone. */
async function untilGone(pid: number): Promise<void> {
  const deadline = performance.now() + goneWithinMs;
  for (let waitMs = 1; performance.now() < deadline; waitMs = Math.min(2 * waitMs, 100)) {
    const line = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '');
    if (line === '' || /\) [ZX] /.test(line)) return;
    await delay(waitMs);
  }
}

function pipeOf(child: ChildProcess, number: number): Duplex {
  const stream = child.stdio[number];
  if (!(stream instanceof Duplex)) throw new Error(`the chain has no pipe ${number}`);
  // A chain that ends early leaves them unread; its exit says so.
  return stream.on('error', () => {});
}
