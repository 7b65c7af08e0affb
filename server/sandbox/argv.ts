/** From a policy to bwrap's arguments: what a command sees of the machine; pure. */
import { join } from 'node:path';
import { foldersOf, holdsPath, type Workspace } from '../protocol/folders.ts';
import { isInside, nodeFolder } from './environment.ts';
import type { Host } from './host.ts';
import type { BoundSocket } from './sockets.ts';
import type { SandboxPolicy } from './types.ts';
import { outerFirst } from './workspace-mounts.ts';

/** Of the hidden home folder, these may be read: tools and what they have fetched, never credentials. */
export const toolchains = [
  '.asdf',
  '.bun/bin',
  '.cargo/bin',
  '.cargo/git',
  '.cargo/registry',
  '.deno/bin',
  '.dotnet',
  '.ghcup',
  '.juliaup',
  '.local/bin',
  '.local/lib',
  '.local/pipx',
  '.local/share/fnm',
  '.local/share/mise',
  '.local/share/pnpm',
  '.local/share/uv',
  '.m2/repository',
  '.nvm',
  '.opam',
  '.pyenv',
  '.rbenv',
  '.rustup',
  '.sdkman/candidates',
  '.volta',
  'go/bin',
  'go/pkg/mod',
  'sdk',
];

const temporaryBytes = 1024 ** 3;

/** Descriptors the chain of processes opens for bwrap. */
export type BwrapDescriptors = { status: number; seccomp?: number };

/**
 * Everything but the command itself. `cwd` is absolute and inside the workspace; `hidden` folders exist and are never readable.
 * `workspace`: words that put it, and what lies beside it, in its place. `readable`: outside of it.
 */
export function sandboxArguments(
  options: Workspace & {
    policy: SandboxPolicy;
    host: Host;
    workspace: readonly string[];
    readable: readonly { at: string; words: readonly string[] }[];
    sockets: readonly BoundSocket[];
    cwd: string;
    hidden: readonly string[];
    environment: Readonly<Record<string, string>>;
    descriptors: BwrapDescriptors;
    /** More that is bound, as bwrap's arguments. */
    binds?: readonly string[];
  },
): string[] {
  const { policy, host, workspace, readable, sockets, cwd, hidden, environment, descriptors } = options;
  const { binds = [] } = options;
  const hiddenHere = hidden.filter((path) => isSeen(path, { host, readable }));
  const masked = [...host.secretFolders, ...hiddenHere].filter((path) => !holdsPath(options, path));
  const temporary = (path: string) => [
    ...(host.bwrap.hasSize ? ['--size', String(Math.min(temporaryBytes, policy.diskBytesMax))] : []),
    '--tmpfs',
    path,
  ];
  const home = [
    ...temporary(host.home),
    ...toolchains.flatMap((path) => ['--ro-bind-try', join(host.home, path), join(host.home, path)]),
  ];
  const homeIsInside = foldersOf(options).some((folder) => isInside(host.home, folder) && host.home !== folder);
  return [
    ...isolation(policy, host),
    ...['--clearenv', ...Object.entries(environment).flatMap(([name, value]) => ['--setenv', name, value])],
    ...systemTree(host),
    ...temporary('/tmp'),
    ...['--symlink', '../tmp', '/var/tmp'],
    ...temporary('/dev/shm'),
    ...(homeIsInside ? [] : home),
    ...node(host),
    ...binds,
    ...(policy.network === 'full' && host.resolver ? ['--ro-bind', host.resolver, host.resolver] : []),
    // Whoever may read a folder may not read the secrets in it, unless it is them that were named.
    ...[...secrets(host), ...readable].sort(outerFirst).flatMap(({ words }) => words),
    ...hiddenHere.flatMap((path) => ['--tmpfs', path]),
    ...sockets.flatMap(({ from, at }) => ['--ro-bind', from, at]),
    // The workspace comes late: it may itself lie under a folder that was hidden above.
    ...workspace,
    ...(homeIsInside ? home : []),
    // What is left of memory that could be written without a limit; mount points are made in it until here.
    ...['/', '/dev', ...masked].flatMap((path) => ['--remount-ro', path]),
    ...(descriptors.seccomp === undefined ? [] : ['--seccomp', String(descriptors.seccomp)]),
    ...['--json-status-fd', String(descriptors.status), '--chdir', cwd],
  ];
}

/** No session of its own: until the command makes one, the holder reaches all of it with its process group. */
function isolation(policy: SandboxPolicy, host: Host): string[] {
  return [
    ...['--unshare-user', '--uid', String(host.uid), '--gid', String(host.gid)],
    ...['--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup-try'],
    ...(policy.network === 'full' ? [] : ['--unshare-net']),
    ...(host.bwrap.hasDisableUserns ? ['--disable-userns'] : []),
    ...['--die-with-parent', '--cap-drop', 'ALL', '--hostname', 'sandbox'],
  ];
}

function systemTree(host: Host): string[] {
  return [
    ...['--tmpfs', '/'],
    ...host.system.flatMap(({ path, target }) =>
      target === undefined ? ['--ro-bind', path, path] : ['--symlink', target, path],
    ),
    ...['--proc', '/proc'],
    ...host.kernel.flatMap((path) => ['--ro-bind', path, path]),
    ...['--dev', '/dev', '--dir', '/run', '--symlink', '/run', '/var/run'],
  ];
}

const secrets = (host: Host) => [
  ...host.secretFiles.map((at) => ({ at, words: ['--ro-bind', '/dev/null', at] })),
  ...host.secretFolders.map((at) => ({ at, words: ['--tmpfs', at] })),
];

/** The server's Node, and npm beside it where it has one. */
function node(host: Host): string[] {
  if (!host.node) return [];
  const { executable, npm } = host.node;
  return [
    ...['--ro-bind', executable, `${nodeFolder}/bin/node`],
    ...(npm === undefined
      ? []
      : [
          ...['--ro-bind', npm, `${nodeFolder}/lib/node_modules/npm`],
          ...['--symlink', '../lib/node_modules/npm/bin/npm-cli.js', `${nodeFolder}/bin/npm`],
          ...['--symlink', '../lib/node_modules/npm/bin/npx-cli.js', `${nodeFolder}/bin/npx`],
        ]),
  ];
}

/** Whether what lies there on the machine is in the sandbox, the workspace aside. */
export function isSeen(path: string, { host, readable }: { host: Host; readable: readonly { at: string }[] }): boolean {
  const bound = host.system.filter(({ target }) => target === undefined).map((entry) => entry.path);
  return [...bound, ...readable.map(({ at }) => at)].some((folder) => isInside(path, folder));
}
