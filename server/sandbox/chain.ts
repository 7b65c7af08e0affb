/**
 * The chain of processes of one command. Where we may make namespaces, `unshare` becomes a shell that mounts the copy at
 * the workspace's own path and becomes `bwrap`; where only bwrap may, it is the shell that comes first,
 * and bwrap mounts. A second shell, the holder, keeps what the first has mounted alive after the command so that the copy
 * can be looked at, and kills everything when our end of its pipe is closed, also by our death.
 */
import { writeFile } from 'node:fs/promises';
import { Socket } from 'node:net';
import type { Cgroup } from './cgroup.ts';
import { inheritedDescriptors } from './descriptors.ts';
import { type Chain, follow } from './follow.ts';
import type { Host } from './host.ts';
import type { Identity } from './identity.ts';
import { launchChain } from './launcher.ts';
import type { Machine } from './machine.ts';
import { closeDescriptor, outputPipe } from './output-pipe.ts';
import { blockBytes, descriptor, type Limits, type Mounter, stage } from './stage.ts';
import type { CopyLayers, SandboxPolicy } from './types.ts';
import { stageWords, type WorkspaceMount } from './workspace-mounts.ts';

export async function startChain(options: {
  machine: Machine;
  layers: CopyLayers;
  policy: SandboxPolicy;
  mounter: Mounter;
  mounts: readonly WorkspaceMount[];
  bwrapArguments: readonly string[];
  /** The chain joins it. */
  cgroup?: Pick<Cgroup, 'procs'>;
  /** A program and its arguments that becomes the command. */
  wrapper?: readonly string[];
  command: string;
}): Promise<Chain> {
  const { machine, layers, policy, mounter, mounts, bwrapArguments, cgroup, wrapper = [], command } = options;
  const { host, tools, identity, seccomp } = machine;
  const inherited = await inheritedDescriptors();
  const { fileBlocks, processes } = limits(policy, host);
  // Counted by namespace: bwrap's own is made later, and before it all that the user runs would count.
  const isCountedInside = mounter === 'itself';
  const { reader, writer } = await outputPipe(layers, tools, identity);
  try {
    const [program, ...args] = stage({
      ...{ mounter, tools, identity, inherited },
      cgroup: cgroup?.procs.join(' ') ?? '',
      limits: isCountedInside ? { fileBlocks } : { fileBlocks, processes },
      words: mounter === 'itself' ? [] : stageWords(mounts),
      next: [
        ...[
          tools.bwrap,
          '--args',
          String(descriptor.arguments),
          '--',
          ...wrapper,
          tools.setsid,
          ...(isCountedInside && processes !== undefined ? limited(processes) : []),
          '/bin/bash',
          '-c',
          command,
        ],
      ],
    });
    const child = await launchChain({
      program,
      args,
      output: writer,
      seccomp,
      bwrapArguments: bwrapArguments.map((argument) => `${argument}\0`).join(''),
    });
    const output = new Socket({ fd: reader, readable: true, writable: false });
    // Nothing is waited for since it was started: what a short chain says and that it ends is not said twice.
    return follow(child, output, (pid) => mapIds(pid, identity));
  } catch (error) {
    await closeDescriptor(reader);
    throw error;
  } finally {
    await closeDescriptor(writer);
  }
}

/** Bytes of one file, in whole blocks. */
export const fileBytesMax = (policy: SandboxPolicy, { limits: hard }: Host): number =>
  Math.floor(Math.min(policy.diskBytesMax, hard.fileBytes) / blockBytes) * blockBytes;

const limits = (policy: SandboxPolicy, host: Host): Limits => ({
  fileBlocks: fileBytesMax(policy, host) / blockBytes,
  ...(host.limits.processes === undefined ? {} : { processes: Math.min(policy.processesMax, host.limits.processes) }),
});

/** Becomes what comes after it, with this limit. */
const limited = (processes: number): string[] => [
  '/bin/bash',
  '-c',
  'ulimit -u "$0" || exit 125; exec "$@"',
  String(processes),
];

/** In the namespace root is root, and the workspace's owner who they are: no more ids than that. */
async function mapIds(pid: number, { uid, gid }: Identity): Promise<void> {
  const lines = (id: number) => [0, ...(id === 0 ? [] : [id])].map((one) => `${one} ${one} 1\n`).join('');
  await writeFile(`/proc/${pid}/uid_map`, lines(uid));
  await writeFile(`/proc/${pid}/gid_map`, lines(gid));
}
