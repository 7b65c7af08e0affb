/**
 * macOS: from a policy to a profile of Seatbelt and the arguments of `sandbox-exec`; pure. It has never run on a Mac:
 * what is tested is that the text is well formed, and says what it should.
 */
import { dirname, join } from 'node:path';
import { toolchains } from './argv.ts';
import type { SandboxPolicy } from './types.ts';

export const sandboxExec = '/usr/bin/sandbox-exec';

export type SeatbeltOptions = {
  policy: SandboxPolicy;
  /** The whole copy, real path: the only folder of the user's that may be read and, if the policy lets it, written. */
  tree: string;
  /** Of folders outside the workspace, real paths of whole copies: the same holds for them. */
  beside?: readonly string[];
  /** Real path of a folder that is private to this command. */
  temporary: string;
  /** The user's home folder, real path: hidden but for toolchains. */
  home: string;
  /** Absolute: the user's own dependency folders, which may be read. */
  links: readonly string[];
  /** Absolute: never readable, whatever else is said, but for the tree if it lies there. */
  hidden: readonly string[];
  /** Of our proxy on loopback, where the policy names hosts. Without it a list of hosts is no network. */
  proxyPort?: number;
};

const systemFolders = [
  '/System',
  '/usr',
  '/bin',
  '/sbin',
  '/opt',
  '/nix',
  '/Library/Apple',
  '/Library/Developer',
  '/Library/Frameworks',
  '/Library/Java',
  '/Applications/Xcode.app',
  '/private/etc',
  '/private/var/db/dyld',
  '/private/var/db/timezone',
  '/private/var/select',
];
const systemFiles = ['/private/var/db/xcode_select_link', '/dev/autofs_nowait'];
/** Looked at on the way to other files; `/etc`, `/tmp` and `/var` are links. */
const wayFolders = ['/', '/private', '/private/var', '/etc', '/tmp', '/var', '/dev', '/Library', '/Applications'];
const devices = ['/dev/null', '/dev/zero', '/dev/random', '/dev/urandom', '/dev/dtracehelper'];
const writableDevices = ['/dev/null', '/dev/zero', '/dev/dtracehelper'];

/** By these only facts of the machine are read; `kern.procargs2`, which has other programs' environment, is not here. */
const facts = [
  'kern.argmax',
  'kern.boottime',
  'kern.hostname',
  'kern.maxfilesperproc',
  'kern.maxproc',
  'kern.osproductversion',
  'kern.osrelease',
  'kern.ostype',
  'kern.osvariant_status',
  'kern.osversion',
  'kern.secure_kernel',
  'kern.tcsm_available',
  'kern.tcsm_enable',
  'kern.usrstack64',
  'kern.version',
  'machdep.ptrauth_enabled',
  'sysctl.proc_cputype',
  'vm.loadavg',
];
const factPrefixes = ['hw.', 'machdep.cpu.'];

/** Who the user is; nothing that starts a program, and neither keychain nor pasteboard. */
const services = ['com.apple.system.opendirectoryd.libinfo'];
/** Names of hosts and checks of certificates, where the network is open. */
const networkServices = [
  'com.apple.SystemConfiguration.DNSConfiguration',
  'com.apple.SystemConfiguration.configd',
  'com.apple.networkd',
  'com.apple.trustd.agent',
];

/** `sandbox-exec` with all it needs before the command itself, which is an argument of its own. */
export function seatbeltCommand(options: SeatbeltOptions, command: readonly string[]): string[] {
  const { profile, parameters } = seatbeltProfile(options);
  const definitions = [...parameters].flatMap(([name, path]) => ['-D', `${name}=${path}`]);
  return [sandboxExec, '-p', profile, ...definitions, '--', ...command];
}

/** The profile names paths only by parameter: no path is ever a part of its text. The last rule that matches holds. */
export function seatbeltProfile(options: SeatbeltOptions): { profile: string; parameters: Map<string, string> } {
  const { policy, tree, beside = [], temporary, home, links, hidden } = options;
  const parameters = new Map<string, string>();
  const under = (name: string, path: string) => {
    if (path.includes('\0')) throw new Error('a path can not hold a NUL');
    parameters.set(name, path);
    return `(subpath (param ${quoted(name)}))`;
  };
  const each = (name: string, paths: readonly string[]) => paths.map((path, index) => under(`${name}_${index}`, path));
  const tools = toolchains.map((path) => join(home, path));
  const readable = [...tools, ...policy.readableRoots, ...links, tree, ...beside, temporary];
  const way = [...new Set([...wayFolders, ...readable.flatMap(foldersAbove)])];
  const above = way.map((path, index) => {
    parameters.set(`ABOVE_${index}`, path);
    return `(literal (param ${quoted(`ABOVE_${index}`)}))`;
  });
  const own = [under('TREE', tree), under('TEMPORARY', temporary), ...each('BESIDE', beside)];
  const writable = policy.mode === 'readOnly' ? [under('TEMPORARY', temporary)] : own;
  const lines = [
    '(version 1)',
    '(deny default)',
    '(allow process-exec)',
    '(allow process-fork)',
    '(allow signal (target same-sandbox))',
    '(allow process-info* (target same-sandbox))',
    '(allow ipc-posix-sem)',
    ...rule('allow sysctl-read', [...named('sysctl-name', facts), ...named('sysctl-name-prefix', factPrefixes)]),
    ...rule('allow mach-lookup', named('global-name', services)),
    ...rule('allow file-read*', [
      ...named('subpath', systemFolders),
      ...named('literal', [...systemFiles, ...devices]),
    ]),
    ...rule('allow file-read* file-write*', named('subpath', ['/dev/fd'])),
    ...rule('allow file-write-data', named('literal', writableDevices)),
    ...rule('deny file-read* file-write*', [under('HOME', home)]),
    ...rule('allow file-read*', [
      ...each('TOOLCHAIN', tools),
      ...each('READ', policy.readableRoots),
      ...each('LINK', links),
    ]),
    ...rule('deny file-read* file-write*', each('HIDDEN', hidden)),
    ...rule('allow file-read-metadata', above),
    ...rule('allow file-read-data', named('literal', ['/'])),
    ...rule('allow file-read*', own),
    ...rule('allow file-write*', writable),
    ...network(options, own, each('SOCKET', policy.sockets)),
  ];
  return { profile: `${lines.join('\n')}\n`, parameters };
}

/** A word of the profile's language as a literal string. */
export function quoted(text: string): string {
  if (text.includes('\0')) throw new Error('a string of a profile can not hold a NUL');
  return `"${text.replace(/[\\"]/g, '\\$&').replace(/\n/g, '\\n').replace(/\r/g, '\\r').replace(/\t/g, '\\t')}"`;
}

/** Loopback is the machine's own here, with the user's services: closed, but for the port of our proxy. */
function network({ policy, proxyPort }: SeatbeltOptions, own: readonly string[], sockets: readonly string[]): string[] {
  const byAddress = policy.network === 'full' ? ['(remote ip)'] : [];
  const byProxy =
    typeof policy.network !== 'string' && policy.network.length > 0 && proxyPort !== undefined
      ? [`(remote ip ${quoted(`localhost:${proxyPort}`)})`]
      : [];
  const services = policy.network === 'full' ? named('literal', ['/private/var/run/mDNSResponder']) : [];
  const unix = (side: 'local' | 'remote', paths: readonly string[]) =>
    paths.map((path) => `(${side} unix-socket ${path})`);
  return [
    ...rule('allow network-bind', unix('local', own)),
    ...rule('allow network-outbound', [...unix('remote', own), ...unix('remote', sockets)]),
    ...rule('allow network-outbound', [...byAddress, ...byProxy, ...services]),
    ...(policy.network === 'full'
      ? [
          ...rule('allow network-bind network-inbound', ['(local ip)']),
          ...rule('allow mach-lookup', named('global-name', networkServices)),
        ]
      : []),
  ];
}

/** A rule without a filter would hold for everything, so there is none then. */
function rule(head: string, filters: readonly string[]): string[] {
  return filters.length === 0 ? [] : [`(${head}\n  ${filters.join('\n  ')})`];
}

const named = (filter: string, names: readonly string[]): string[] =>
  names.map((name) => `(${filter} ${quoted(name)})`);

function foldersAbove(path: string): string[] {
  const folders: string[] = [];
  for (let folder = dirname(path); folder !== dirname(folder); folder = dirname(folder)) folders.push(folder);
  return folders;
}
