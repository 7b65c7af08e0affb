/** What this machine has, looked up once per process: tools at system paths, system folders, limits, the user. */
import { access, constants, lstat, readFile, readlink, realpath } from 'node:fs/promises';
import { release } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { isInside } from './environment.ts';
import { type Identity, mayReach, mayRead } from './identity.ts';
import { toolOutput } from './launcher.ts';
import { privateKernelPaths, privatePaths } from './private.ts';

export type Tools = {
  bwrap: string;
  unshare: string;
  mount: string;
  mkfifo: string;
  setsid: string;
  /** Only root needs it, to work in another user's repository. */
  setpriv?: string;
};

export type Host = {
  uid: number;
  gid: number;
  user: string;
  home: string;
  bwrap: { version: string; hasSize: boolean; hasDisableUserns: boolean; hasOverlay: boolean };
  /** Top-level folders of the system: read-only, or (`target`) a symbolic link. */
  system: readonly { path: string; target?: string }[];
  kernel: readonly string[];
  secretFiles: readonly string[];
  secretFolders: readonly string[];
  node?: { executable: string; npm?: string };
  /** The real file behind `/etc/resolv.conf`, where it lies under a hidden folder. */
  resolver?: string;
  /** Hard limits of the server itself; `processes` only where the kernel counts them by user namespace (5.14). */
  limits: { processes?: number; fileBytes: number };
};

/** Never looked up through PATH: a workspace may be on it. */
export const toolFolders = ['/usr/bin', '/bin', '/usr/sbin', '/sbin', '/usr/local/bin', '/run/current-system/sw/bin'];
const systemFolders = [
  '/usr',
  '/bin',
  '/sbin',
  '/lib',
  '/lib32',
  '/lib64',
  '/libx32',
  '/etc',
  '/opt',
  '/nix',
  '/gnu',
  '/snap',
  '/home/linuxbrew/.linuxbrew',
  '/run/current-system',
  '/run/wrappers',
];
const secretFiles = ['shadow', 'shadow-', 'gshadow', 'gshadow-', 'sudoers', 'krb5.keytab'].map(
  (name) => `/etc/${name}`,
);
const secretFolders = ['ssh', 'ssl/private', 'sudoers.d', 'kubernetes', 'wireguard', 'NetworkManager', 'letsencrypt']
  .map((name) => `/etc/${name}`)
  // Whoever reaches the daemon of Nix has it build, with a network.
  .concat('/nix/var/nix/daemon-socket');

/** Kernel knobs that belong to the machine: without these a command started by root can write `core_pattern`. */
const kernelFolders = ['/proc/sys', '/proc/irq', '/proc/bus', '/proc/fs', '/proc/pressure', '/proc/sysrq-trigger'];

/** What nobody but root may write in the others needs no mount. */
const kernelFoldersOfAll = ['/proc/sys', '/proc/pressure'];

const names = ['bwrap', 'unshare', 'mount', 'mkfifo', 'setsid'] as const;

/** Where the tools are; or the names of those that are missing. */
export async function findTools(folders: readonly string[] = toolFolders): Promise<Tools | { missing: string[] }> {
  const find = (name: string) => firstExecutable(folders.map((folder) => `${folder}/${name}`));
  const found = await Promise.all(names.map(find));
  const [bwrap, unshare, mount, mkfifo, setsid] = found;
  if (bwrap && unshare && mount && mkfifo && setsid) {
    return { bwrap, unshare, mount, mkfifo, setsid, setpriv: await find('setpriv') };
  }
  return { missing: names.filter((_, index) => found[index] === undefined) };
}

/** `identity`: whom commands run as; the home and the toolchains are theirs. */
export async function readHost(tools: Tools, identity: Identity): Promise<Host> {
  const { uid, gid, user } = identity;
  const version = (await toolOutput(tools.bwrap, ['--version'])).trim().replace(/^\S+ /, '');
  return {
    uid,
    gid,
    user,
    home: await privateHome(identity),
    bwrap: {
      version,
      hasSize: isAtLeast(version, 7),
      hasDisableUserns: isAtLeast(version, 8),
      hasOverlay: makesOverlays(version),
    },
    system: (await Promise.all(systemFolders.map(systemEntry))).filter((entry) => entry !== undefined),
    kernel: await existing(uid === 0 ? kernelFolders : kernelFoldersOfAll),
    ...(await secrets(identity)),
    node: await serverNode(identity),
    resolver: await hiddenResolver(),
    limits: await hardLimits(),
  };
}

/** The system's bubblewrap makes overlays from 0.11 on. */
export const makesOverlays = (version: string): boolean => isAtLeast(version, 11);

/** `minor`: of version 0. */
function isAtLeast(version: string, minor: number): boolean {
  const [major = 0, found = 0] = version.split('.').map(Number);
  return major > 0 || found >= minor;
}

/** Each is a mount of every command: an ordinary user's command needs none for what they can't read anyway. */
async function secrets(identity: Identity): Promise<{ secretFiles: string[]; secretFolders: string[] }> {
  const isRoot = identity.uid === 0;
  const all = isRoot ? await privatePaths() : { files: [], folders: [] };
  const kernel = await privateKernelPaths(isRoot);
  const folders = [...new Set([...(await existing(secretFolders)), ...all.folders, ...kernel.folders])].sort();
  const files = [...new Set([...(await existing(secretFiles)), ...all.files, ...kernel.files])].sort();
  const isOutside = (path: string) => !folders.some((folder) => folder !== path && isInside(path, folder));
  const couldBeRead = isRoot ? files.map(() => true) : await Promise.all(files.map((path) => mayRead(path, identity)));
  return {
    secretFiles: files.filter((path, index) => couldBeRead[index] && isOutside(path)),
    secretFolders: folders.filter(isOutside),
  };
}

/** A tool of the system at one of its own folders. */
export const systemTool = (name: string): Promise<string | undefined> =>
  firstExecutable(toolFolders.map((folder) => `${folder}/${name}`));

async function firstExecutable(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    if (
      await access(path, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return path;
  }
  return undefined;
}

async function systemEntry(path: string): Promise<{ path: string; target?: string } | undefined> {
  const status = await lstat(path).catch(() => undefined);
  if (status?.isSymbolicLink()) return { path, target: await readlink(path) };
  return status?.isDirectory() ? { path } : undefined;
}

/** Real paths: a mount point can't be a symbolic link. */
async function existing(paths: readonly string[]): Promise<string[]> {
  const real = await Promise.all(paths.map((path) => realpath(path).catch(() => undefined)));
  return real.filter((path) => path !== undefined);
}

/** Where an empty home is mounted. Service accounts have homes that can't be hidden, such as `/` or `/usr/sbin`. */
async function privateHome({ uid, home }: Identity): Promise<string> {
  const real = home === undefined ? undefined : await realpath(home).catch(() => undefined);
  if (real === '/root' && uid === 0) return real;
  const isSystem = real === undefined || dirname(real) === '/' || [...toolFolders, ...systemFolders].includes(real);
  return isSystem ? '/home/user' : real;
}

/** Our own, where the identity may reach it too. */
async function serverNode(identity: Identity): Promise<Host['node']> {
  const executable = await realpath(process.execPath).catch(() => undefined);
  if (executable === undefined || !(await mayReach(executable, identity))) return undefined;
  // `/prefix/bin/node` has its npm in `/prefix/lib/node_modules/npm`.
  const isInstalled = basename(dirname(executable)) === 'bin';
  const npm = isInstalled ? join(dirname(dirname(executable)), 'lib/node_modules/npm') : undefined;
  const hasNpm =
    npm !== undefined &&
    (await mayReach(npm, identity)) &&
    (await access(`${npm}/bin/npm-cli.js`).then(
      () => true,
      () => false,
    ));
  return { executable, npm: hasNpm ? npm : undefined };
}

async function hiddenResolver(): Promise<string | undefined> {
  const real = await realpath('/etc/resolv.conf').catch(() => undefined);
  return real !== undefined && !isInside(real, '/etc') && !isInside(real, '/usr') ? real : undefined;
}

/** A limit can't be set above its hard value by an ordinary user. */
async function hardLimits(): Promise<Host['limits']> {
  const text = await readFile('/proc/self/limits', 'utf8').catch(() => '');
  const hard = (name: string) => {
    const value = new RegExp(`^${name} +\\S+ +(\\S+)`, 'm').exec(text)?.[1];
    return value === undefined || value === 'unlimited' ? Number.MAX_SAFE_INTEGER : Number(value);
  };
  const [major = 0, minor = 0] = release().split('.').map(Number);
  const countsByNamespace = major > 5 || (major === 5 && minor >= 14);
  return {
    processes: countsByNamespace ? hard('Max processes') : undefined,
    fileBytes: hard('Max file size'),
  };
}
