/** Every kind of action under every policy there can be. */
import { expect, test } from 'vitest';
import { type Action, assess, type Policy } from '../../server/policy/assess.ts';

const approvals = ['untrusted', 'onRequest', 'never'] as const;
const networks = ['off', ['listed.example', '*.wide.example'], 'full'] as const satisfies Policy['network'][];
const modes = ['workspace', 'readOnly'] as const;
const turns = ['task', 'ask'] as const;

const policy = (changes: Partial<Policy> = {}): Policy => ({
  approvalPolicy: 'onRequest',
  mode: 'workspace',
  network: 'off',
  root: '/home/ada/project',
  readableRoots: ['/srv/shared'],
  hidden: ['/home/ada/.local/state/codex-lsp', '/home/ada/project/.env'],
  turnMode: 'task',
  gitIsPlain: false,
  ...changes,
});
const command = (text: string, cwd = ''): Action => ({ kind: 'command', command: text, cwd });
const network = (...hosts: string[]): Action => ({ kind: 'network', hosts, reason: 'install', command: 'npm i' });
const read = (...paths: string[]): Action => ({ kind: 'read', paths, reason: 'names', command: 'cat' });

/** Decisions under untrusted, onRequest and never, each with the network off, a list, and full. */
const table: readonly (readonly [Action, string])[] = [
  [command('npm test'), 'ask ask ask  allow allow allow  allow allow allow'],
  [command('rm -rf src'), 'ask ask ask  allow allow allow  allow allow allow'],
  [command('cat a.txt | head -3'), 'allow allow allow  allow allow allow  allow allow allow'],
  [network('listed.example'), 'ask allow allow  ask allow allow  deny allow allow'],
  [network('a.wide.example'), 'ask allow allow  ask allow allow  deny allow allow'],
  [network('*.b.wide.example'), 'ask allow allow  ask allow allow  deny allow allow'],
  [network('wide.example'), 'ask ask allow  ask ask allow  deny deny allow'],
  [network('evilwide.example'), 'ask ask allow  ask ask allow  deny deny allow'],
  [network('listed.example', 'other.example'), 'ask ask allow  ask ask allow  deny deny allow'],
  ...[
    ['*'],
    ['*.com'],
    ['*.co.uk'],
    ['127.0.0.1'],
    ['10.1.2.3'],
    ['169.254.169.254'],
    ['localhost'],
    ['db.internal'],
    ['2130706433'],
    ['0x7f.1'],
    ['[::1]'],
    ['https://a.example'],
    ['a.example:443'],
    ['a.example/path'],
    ['ada@a.example'],
    ['A.example'],
    ['a.example.'],
    ['a*.example'],
    ['bücher.example'],
    ['100.64.0.1'],
    ['[fd00::1]'],
    ['*.10.0.0.1'],
    [''],
    ['listed.example', '*'],
  ].map((hosts): [Action, string] => [network(...hosts), 'deny deny deny  deny deny deny  deny deny deny']),
  [
    network(...Array.from({ length: 11 }, (_, n) => `h${n}.example`)),
    'deny deny allow  deny deny allow  deny deny allow',
  ],
  [read('/home/ada/project/src'), 'allow allow allow  allow allow allow  allow allow allow'],
  [read('/home/ada/project'), 'allow allow allow  allow allow allow  allow allow allow'],
  [read('/home/ada/project/.env.example'), 'allow allow allow  allow allow allow  allow allow allow'],
  [read('/srv/shared/data'), 'allow allow allow  allow allow allow  allow allow allow'],
  [read('/srv/sharedother'), 'ask ask ask  ask ask ask  deny deny deny'],
  [read('/srv/shared', '/srv/other'), 'ask ask ask  ask ask ask  deny deny deny'],
  [read('/etc/hosts'), 'ask ask ask  ask ask ask  deny deny deny'],
  [read('/runtime'), 'ask ask ask  ask ask ask  deny deny deny'],
  ...[
    '/',
    '//',
    '/proc/1',
    '/run',
    '/run/docker.sock',
    '/var/run/x',
    '/dev/kmsg',
    '/sys',
    '/etc',
    '/home',
    '/home/ada',
    '/home/ada/.local',
    '/home/ada/.local/state/codex-lsp',
    '/home/ada/project/.env',
    '/home/ada/.local/state/codex-lsp/threads/t1',
    '/opt/\u202egpj',
    '/opt/a\nb',
  ].map((path): [Action, string] => [read('/srv/shared', path), 'deny deny deny  deny deny deny  deny deny deny']),
  [read(...Array.from({ length: 11 }, (_, n) => `/opt/${n}`)), 'deny deny deny  deny deny deny  deny deny deny'],
  [read(`/opt/${'x'.repeat(1000)}`), 'deny deny deny  deny deny deny  deny deny deny'],
];

test.each(table)('%j: %s, whatever mode and turn', (action, row) => {
  for (const mode of modes)
    for (const turnMode of turns)
      for (const gitIsPlain of [true, false]) {
        const decisions = approvals.map((approvalPolicy) =>
          networks.map((network) => {
            const assessment = assess(action, policy({ approvalPolicy, network, mode, turnMode, gitIsPlain }));
            if (assessment.decision === 'deny') expect(assessment.reason).toMatch(/^\S.{20,}\.$/u);
            return assessment.decision;
          }),
        );
        expect(decisions.map((three) => three.join(' ')).join('  ')).toBe(row);
      }
});

test('a patch is a matter of mode and turn alone', () => {
  for (const approvalPolicy of approvals)
    for (const network of networks)
      expect(
        modes.flatMap((mode) =>
          turns.map(
            (turnMode) => assess({ kind: 'patch' }, policy({ approvalPolicy, network, mode, turnMode })).decision,
          ),
        ),
      ).toEqual(['allow', 'deny', 'deny', 'deny']);
});

test('git reads only where its configuration starts nothing, and in the folder that was looked at', () => {
  const decide = (action: Action, gitIsPlain: boolean) =>
    assess(action, policy({ approvalPolicy: 'untrusted', gitIsPlain })).decision;
  expect(decide(command('git status'), true)).toBe('allow');
  expect(decide(command('git status'), false)).toBe('ask');
  expect(decide(command('git status', 'vendor'), true)).toBe('ask');
  expect(decide(command('cd vendor && git status'), true)).toBe('ask');
  expect(decide(command('cat a.txt', 'vendor'), false)).toBe('allow');
});

test('what the model is told when nobody may be asked names what is open', () => {
  const reason = (changes: Partial<Policy>) => {
    const assessment = assess(network('other.example'), policy({ approvalPolicy: 'never', ...changes }));
    return assessment.decision === 'deny' ? assessment.reason : '';
  };
  expect(reason({})).toContain('The network is off.');
  expect(reason({ network: ['a.example', 'b.example'] })).toContain('open to a.example, b.example only');
});

const question = (action: Action) => {
  const assessment = assess(action, policy({ approvalPolicy: 'untrusted' }));
  return assessment.decision === 'ask' ? assessment : { title: '', detail: undefined };
};

test('a title is one line, and hides nothing', () => {
  expect(question(command('make')).title).toBe('Run: make');
  expect(question(command('make', 'sub')).title).toBe('Run: make (in sub)');
  expect(question(command('echo a\nrm -rf b')).title).toBe('Run: echo a rm -rf b');
  expect(question(command('echo \u202eb\u200b\u001b[2J\u3164')).title).toBe('Run: echo \ufffdb\ufffd\ufffd[2J\ufffd');
  expect(question(command('make', 's\u202eub')).title).toBe('Run: make (in s\ufffdub)');
  expect(question(network('a.example')).title).toBe('Open the network to a.example');
  expect(question(network('a.example', 'b.example')).title).toBe('Open the network to 2 hosts: a.example, b.example');
  expect(question(read('/opt/a', '/opt/b')).title).toBe('Read 2 paths: /opt/a, /opt/b');
});

test('what has no place in a title is in the detail, and what is cut says so', () => {
  expect(question(command('make')).detail).toBeUndefined();
  expect(question(command('a\nb\u202e')).detail).toBe('a\nb\ufffd');
  const { title, detail } = question(command('x'.repeat(10_000)));
  expect(title).toMatch(/^Run: x+… \(10005 characters in all\)$/);
  expect(title.length).toBeLessThan(320);
  expect(detail).toMatch(/^x{4000}… \(10000 characters in all\)$/);
  expect(question(network('a.example')).detail).toBe('For the command: npm i');
});

test.each([
  ['/w/api/src', 'allow'],
  ['/w/web', 'allow'],
  ['/w/other/x', 'ask'],
  ['/w/api-old', 'ask'],
  ['/w', 'deny'],
  ['/', 'deny'],
  ['/w/web/.env', 'deny'],
])('of a workspace of /w/api and /w/web, reading %s is: %s', (path, decision) => {
  const several = policy({ root: '/w', folders: ['/w/api', '/w/web'], hidden: ['/state', '/w/web/.env'] });
  expect(assess(read(path), several).decision).toBe(decision);
});
