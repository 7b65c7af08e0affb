import { expect, test } from 'vitest';
import { type Action, assess, type Policy } from '../../server/policy/assess.ts';
import { isKnownReadOnly } from '../../server/policy/read-only-commands.ts';

const policy = (changes: Partial<Policy>): Policy => ({
  approvalPolicy: 'onRequest',
  mode: 'workspace',
  network: 'off',
  turnMode: 'task',
  ...changes,
});
const command = (text: string): Action => ({ kind: 'command', command: text, cwd: '' });
const read = {
  kind: 'read',
  paths: ['/etc/hosts'],
  reason: 'names',
  command: 'cat /etc/hosts',
} as const satisfies Action;
const network: Action = { kind: 'network', hosts: ['example.org'], reason: 'install', command: 'npm i' };
const patch: Action = { kind: 'patch' };

test.each<[Action, Partial<Policy>, 'allow' | 'ask' | 'deny']>([
  [command('npm test'), {}, 'allow'],
  [command('rm -rf src'), {}, 'allow'],
  [command('npm test'), { approvalPolicy: 'never' }, 'allow'],
  [command('npm test'), { approvalPolicy: 'untrusted' }, 'ask'],
  [command('cat a.txt | head -3'), { approvalPolicy: 'untrusted' }, 'allow'],
  [read, {}, 'ask'],
  [read, { approvalPolicy: 'untrusted' }, 'ask'],
  [read, { approvalPolicy: 'never' }, 'deny'],
  ...['/', '//', '/proc/1', '/run', '/run/docker.sock', '/var/run/x', '/dev/kmsg', '/sys'].map(
    (path): [Action, Partial<Policy>, 'deny'] => [{ ...read, paths: ['/usr/share', path] }, {}, 'deny'],
  ),
  [{ ...read, paths: ['/runtime'] }, {}, 'ask'],
  [network, {}, 'deny'],
  [network, { approvalPolicy: 'never' }, 'deny'],
  [network, { network: 'full' }, 'allow'],
  [patch, {}, 'allow'],
  [patch, { approvalPolicy: 'untrusted' }, 'allow'],
  [patch, { turnMode: 'ask' }, 'deny'],
  [patch, { mode: 'readOnly' }, 'deny'],
])('%j under %j: %s', (action, changes, decision) => {
  expect(assess(action, policy(changes)).decision).toBe(decision);
});

test.each([
  'ls -la',
  'cat a b',
  'git status',
  'git log --oneline -5',
  'rg TODO src | wc -l',
  "sed -n '1,20p' a.txt",
  'find . -name "x.ts" -type f',
  'pwd && ls; true',
  'grep -rn "some words" src',
])('known to change nothing: %s', (text) => {
  expect(isKnownReadOnly(text)).toBe(true);
});

test.each([
  '',
  'npm test',
  'ls > out',
  'cat $(which node)',
  'cat `id`',
  'ls &',
  'FOO=1 ls',
  'find . -delete',
  'find . -exec rm {} +',
  "sed -n '1w out' a.txt",
  "sed -i 's/a/b/' a.txt",
  'git diff --output=x',
  'git -c core.pager=x log',
  'git diff --ext-diff',
  'rg --pre cat x',
  'sort -o a a',
  'base64 -o x a',
  'cat "$HOME/.ssh/id_rsa"',
  "cat 'unclosed",
  'ls | tee x',
  '(ls)',
  'cat <(ls)',
  'ls |& cat',
  'env ls',
  'ls\\\nrm',
])('not known to: %s', (text) => {
  expect(isKnownReadOnly(text)).toBe(false);
});

test('a title is one line, and hides nothing', () => {
  const title = (text: string) => {
    const assessment = assess(command(text), policy({ approvalPolicy: 'untrusted' }));
    return assessment.decision === 'ask' ? assessment.title : '';
  };
  expect(title('echo a\nrm -rf b')).toBe('Run: echo a rm -rf b');
  expect(title('echo \u202eb\u200b\u001b[2J')).toBe('Run: echo \ufffdb\ufffd\ufffd[2J');
  expect(title('x'.repeat(10_000)).length).toBeLessThan(320);
});
