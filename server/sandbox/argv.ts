/** From a policy to bwrap's arguments: what a command sees of the machine; pure. */
import { join } from 'node:path';
import { isInside, nodeFolder } from './environment.ts';
import type { Host } from './host.ts';
import type { SandboxPolicy } from './types.ts';

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

/** Everything but the command itself. `cwd` is absolute and inside `root`; `hidden` folders are never readable. */
export function sandboxArguments(options: {
  policy: SandboxPolicy;
  host: Host;
  root: string;
  cwd: string;
  hidden: readonly string[];
  environment: Readonly<Record<string, string>>;
  descriptors: BwrapDescriptors;
}): string[] {
  const { policy, host, root, cwd, hidden, environment, descriptors } = options;
  const hiddenHere = hidden.filter((path) => isReadable(path, policy, host));
  const masked = [...host.secretFolders, ...hiddenHere].filter((path) => !isInside(path, root));
  const temporary = (path: string) => [
    ...(host.bwrap.hasSize ? ['--size', String(Math.min(temporaryBytes, policy.diskBytesMax))] : []),
    '--tmpfs',
    path,
  ];
  const home = [
    ...temporary(host.home),
    ...toolchains.flatMap((path) => ['--ro-bind-try', join(host.home, path), join(host.home, path)]),
  ];
  const homeIsInRoot = isInside(host.home, root) && host.home !== root;
  return [
    ...isolation(policy, host),
    ...['--clearenv', ...Object.entries(environment).flatMap(([name, value]) => ['--setenv', name, value])],
    ...systemTree(host),
    ...temporary('/tmp'),
    ...['--symlink', '../tmp', '/var/tmp'],
    ...temporary('/dev/shm'),
    ...(homeIsInRoot ? [] : home),
    ...node(host),
    ...(policy.network === 'full' && host.resolver ? ['--ro-bind', host.resolver, host.resolver] : []),
    ...policy.readableRoots.flatMap((path) => ['--ro-bind-try', path, path]),
    ...hiddenHere.flatMap((path) => ['--tmpfs', path]),
    // The workspace comes late: it may itself lie under a folder that was hidden above.
    ...[policy.mode === 'readOnly' ? '--ro-bind' : '--bind', root, root],
    ...(homeIsInRoot ? home : []),
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
    ...host.secretFiles.flatMap((path) => ['--ro-bind', '/dev/null', path]),
    ...host.secretFolders.flatMap((path) => ['--tmpfs', path]),
  ];
}

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

function isReadable(path: string, policy: SandboxPolicy, host: Host): boolean {
  const bound = [...host.system.filter(({ target }) => target === undefined).map((entry) => entry.path)];
  return [...bound, ...policy.readableRoots].some((folder) => isInside(path, folder));
}
