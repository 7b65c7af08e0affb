/** What the model is told when the sandbox was in the way: only then, and with the parameter that helps. */
import { expect, test } from 'vitest';
import { accessAdvice } from '../../server/agent/tools/access-advice.ts';

type Ended = Parameters<typeof accessAdvice>[0];

const advice = (output: string, more: Partial<Ended> = {}) =>
  accessAdvice({
    output,
    refusedHosts: [],
    access: { approvalPolicy: 'onRequest', network: 'off' },
    opened: { hosts: [], paths: [] },
    root: '/home/ada/project',
    ...more,
  });

const noNames = [
  'curl: (6) Could not resolve host: example.com',
  'curl: (5) Could not resolve proxy: localhost',
  'Error: getaddrinfo ENOTFOUND registry.npmjs.org',
  'npm ERR! request to https://x failed, reason: getaddrinfo EAI_AGAIN x',
  "fatal: unable to access 'https://x/': Could not resolve host: x",
  'Temporary failure in name resolution',
  'ping: x: Name or service not known',
  'connect: Network is unreachable',
  'Error: connect ENETUNREACH 1.1.1.1:443',
];

test.each(noNames)('a network that is closed: %s', (line) => {
  expect(advice(`before\n${line}\nafter`)).toMatch(
    /^The network is off\. .*call shell again with "network": \{"hosts": \["example\.com"\], "reason": "…"\}/,
  );
  expect(advice(line, { access: { approvalPolicy: 'untrusted', network: ['a.org', '*.b.org'] } })).toContain(
    'The network is open to a.org, *.b.org only.',
  );
  expect(advice(line, { access: { approvalPolicy: 'never', network: 'off' } })).toBe(
    'The network is off. It cannot be opened: the approval policy is never. Do without it.',
  );
  expect(advice(line, { access: { approvalPolicy: 'onRequest', network: 'full' } })).toBeUndefined();
});

test('a host that was refused is named, with the very parameter', () => {
  const refusedHosts = ['registry.npmjs.org', 'api.example.org'];
  expect(advice('403', { refusedHosts, access: { approvalPolicy: 'onRequest', network: ['a.org'] } })).toBe(
    'The network is closed to registry.npmjs.org, api.example.org. If the command cannot do without, call shell again with "network": {"hosts": ["registry.npmjs.org", "api.example.org"], "reason": "…"}: the user is asked.',
  );
  expect(advice('403', { refusedHosts, access: { approvalPolicy: 'never', network: ['a.org'] } })).toMatch(
    /^The network is closed to registry\.npmjs\.org.*never\. Do without it\.$/,
  );
  const many = Array.from({ length: 100 }, (_, index) => `h${index}.org`);
  expect(advice('', { refusedHosts: many })?.length).toBeLessThan(600);
});

test.each([
  [['169.254.169.254']],
  [['localhost']],
  [['db']],
  [['[::1]']],
  [['allowed.example', 'a.wide.example']],
  [['once.example']],
  [['evil\u202e.org']],
])('what cannot be opened is not advised to be asked for: %j', (refusedHosts) => {
  const text = advice('403', {
    refusedHosts,
    access: { approvalPolicy: 'onRequest', network: ['allowed.example', '*.wide.example'] },
    opened: { hosts: ['once.example'], paths: [] },
  });
  expect(text).toMatch(
    /^The network is closed to .* It stays so: the sandbox reaches public hosts only\. Do without\.$/,
  );
  expect(text).not.toMatch(/[\u202a-\u202e]|"network"/);
});

test.each([
  'cat: /home/ada/other/a.txt: No such file or directory',
  "Error: ENOENT: no such file or directory, open '/home/ada/.npmrc'",
  "Error: EACCES: permission denied, open '/srv/data'",
  'bash: /srv/run.sh: Permission denied',
  "ls: cannot access '/mnt/x': No such file or directory",
  'open("/home/ada/projects/x"): No such file or directory',
])('a path outside of the workspace: %s', (line) => {
  expect(advice(`${line}\n`)).toMatch(
    /^Nothing outside of the workspace .*"read": \{"paths": \["\/…"\], "reason": "…"\}/,
  );
  expect(advice(line, { access: { approvalPolicy: 'never', network: 'off' } })).toMatch(/never\. Do without it\.$/);
});

test.each([
  '',
  'all is well',
  'cat: a.txt: No such file or directory',
  'cat: ../a.txt: No such file or directory',
  'cat: /home/ada/project/a.txt: No such file or directory',
  'cat: /home/ada/project: Permission denied',
  'bash: /usr/bin/foo: No such file or directory',
  'cat: /tmp/x: No such file or directory',
  'cat: /etc/shadow: Permission denied',
  'see /srv/data for more',
  'No such file or directory\n/srv/data',
  'connection refused',
])('nothing is said of what has another cause: %j', (output) => {
  expect(advice(output)).toBeUndefined();
});

test('what the command could read is not advised again', () => {
  const output = 'cat: /srv/data/x: No such file or directory';
  expect(advice(output, { opened: { hosts: [], paths: ['/srv/data'] } })).toBeUndefined();
  expect(advice(output, { opened: { hosts: [], paths: ['/srv/dat'] } })).toBeDefined();
});

test('both, in two lines; and hostile output costs little', () => {
  expect(advice(`${noNames[0]}\ncat: /srv/x: No such file or directory`)?.split('\n')).toHaveLength(2);
  const hostile = ['/'.repeat(40_000), '/a '.repeat(20_000), `${'='.repeat(40_000)} ENOENT`, '(/'.repeat(20_000)];
  const startedAt = performance.now();
  for (const output of hostile) advice(`${output} ENOENT`);
  expect(performance.now() - startedAt).toBeLessThan(500);
});
