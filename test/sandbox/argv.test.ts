import { describe, expect, test } from 'vitest';
import { sandboxArguments } from '../../server/sandbox/argv.ts';
import type { Host } from '../../server/sandbox/host.ts';
import type { SandboxPolicy } from '../../server/sandbox/types.ts';
import { mountedBefore, workspaceMounts } from '../../server/sandbox/workspace-mounts.ts';

const host: Host = {
  uid: 1001,
  gid: 1002,
  user: 'ann',
  home: '/home/ann',
  bwrap: { version: '0.8.0', hasSize: true, hasDisableUserns: true, hasOverlay: false },
  system: [{ path: '/usr' }, { path: '/bin', target: 'usr/bin' }, { path: '/etc' }],
  kernel: ['/proc/sys'],
  secretFiles: ['/etc/shadow'],
  secretFolders: ['/etc/ssh'],
  node: { executable: '/home/ann/node/bin/node', npm: '/home/ann/node/lib/node_modules/npm' },
  resolver: '/run/resolve/stub.conf',
  limits: { fileBytes: 1 },
};

const policy: SandboxPolicy = {
  mode: 'workspace',
  network: 'off',
  readableRoots: [],
  sockets: [],
  env: [],
  processesMax: 1,
  memoryBytesMax: 1,
  diskBytesMax: 1024 ** 4,
};

function argumentsFor(changes: {
  policy?: Partial<SandboxPolicy>;
  host?: Partial<Host>;
  root?: string;
  hidden?: string[];
}) {
  const root = changes.root ?? '/work/app';
  const all = { ...policy, ...changes.policy };
  const mounts = workspaceMounts({ root, upper: '/s/up', work: '/s/work', whiteouts: '/s/whiteouts' }, undefined);
  return sandboxArguments({
    policy: all,
    host: { ...host, ...changes.host },
    root,
    workspace: mountedBefore(mounts, { isReadOnly: all.mode === 'readOnly' }),
    readable: all.readableRoots.map((at) => ({ at, words: ['--ro-bind-try', at, at] })),
    sockets: [],
    cwd: root,
    hidden: changes.hidden ?? [],
    environment: { HOME: '/home/ann' },
    descriptors: { status: 3, seccomp: 5 },
  }).join(' ');
}

describe('what a policy becomes', () => {
  test.each([
    ['no network', {}, '--unshare-net', true],
    ['the network', { policy: { network: 'full' } }, '--unshare-net', false],
    ['with the network, the resolver', { policy: { network: 'full' } }, '--ro-bind /run/resolve/stub.conf', true],
    ['without it, none', {}, '/run/resolve/stub.conf', false],
    ['a writable workspace', {}, ' --bind /work/app /work/app', true],
    ['a read-only workspace', { policy: { mode: 'readOnly' } }, ' --ro-bind /work/app /work/app', true],
    ["no session but the command's own", {}, '--new-session', false],
    ['a read-only workspace is nowhere writable', { policy: { mode: 'readOnly' } }, ' --bind ', false],
    ['a folder that may be read', { policy: { readableRoots: ['/data/x'] } }, '--ro-bind-try /data/x /data/x', true],
    ['the same user inside', {}, '--unshare-user --uid 1001 --gid 1002', true],
    ['a scrubbed environment', {}, '--clearenv --setenv HOME /home/ann', true],
    ['links of the system as links', {}, '--symlink usr/bin /bin', true],
    ['kernel knobs that no root can turn', {}, '--proc /proc --ro-bind /proc/sys /proc/sys', true],
    ['secret files of the system hidden', {}, '--ro-bind /dev/null /etc/shadow', true],
    ['secret folders of the system hidden', {}, '--tmpfs /etc/ssh', true],
    ['what is memory and has no size is read-only', {}, '--remount-ro / --remount-ro /dev --remount-ro /etc/ssh', true],
    ['but never the workspace', { root: '/etc/ssh/ws' }, '--remount-ro /etc/ssh/ws', false],
    ['nor what lies in it', { root: '/etc' }, '--remount-ro /etc', false],
    ["the server's node", {}, '--ro-bind /home/ann/node/bin/node /run/codex-lsp/node/bin/node', true],
    ['its npm', {}, '--symlink ../lib/node_modules/npm/bin/npm-cli.js /run/codex-lsp/node/bin/npm', true],
    [
      'an old bwrap is asked for nothing new',
      { host: { bwrap: { version: '0.6.1', hasSize: false, hasDisableUserns: false, hasOverlay: false } } },
      '--size',
      false,
    ],
    [
      'an old bwrap has no such option',
      { host: { bwrap: { version: '0.6.1', hasSize: false, hasDisableUserns: false, hasOverlay: false } } },
      '--disable-userns',
      false,
    ],
    ['the copy itself hidden where it would show', { hidden: ['/etc/state/copy'] }, '--tmpfs /etc/state/copy', true],
    ['no mount point for what does not show', { hidden: ['/var/state/copy'] }, '/var/state/copy', false],
  ])('%s', (_, changes, part, isThere) => {
    expect(argumentsFor(changes as Parameters<typeof argumentsFor>[0]).includes(part)).toBe(isThere);
  });
});

describe('the order of mounts', () => {
  test.each([
    ['a workspace in the home', '/home/ann/app', '--tmpfs /home/ann ', '--bind /home/ann/app'],
    ['a workspace in /tmp', '/tmp/app', '--tmpfs /tmp ', '--bind /tmp/app'],
    ['a home in the workspace stays hidden', '/home', '--bind /home /home', '--tmpfs /home/ann '],
  ])('%s', (_, root, first, second) => {
    const text = argumentsFor({ root });
    expect(text).toContain(first);
    expect(text.indexOf(second)).toBeGreaterThan(text.indexOf(first));
  });
});
