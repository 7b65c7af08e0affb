/** The tools alone: their arguments, held strictly to what they declare, and what the model is told. */
import { expect, test } from 'vitest';
import { z } from 'zod';
import type { Call } from '../../server/agent/repair.ts';
import { argumentsSchema } from '../../server/agent/tools/shell.ts';
import { runTool, toolDefinitions } from '../../server/agent/tools/table.ts';
import type { ToolContext } from '../../server/agent/tools/tool.ts';
import { resolveWorkdir } from '../../server/agent/tools/workdir.ts';
import type { Workbench } from '../../server/agent/workbench.ts';
import type { ThreadEvent } from '../../server/protocol/thread.ts';
import type { CommandResult } from '../../server/sandbox/types.ts';
import { type Asked, fakeWorkbench, ran } from './fake-workbench.ts';

type Tried = { output: string; stopTurn?: boolean; asked: Asked[]; events: ThreadEvent[] };

async function tryTool(name: string, args: unknown, answers: Partial<Workbench> = {}): Promise<Tried> {
  const workbench = fakeWorkbench(answers);
  const events: ThreadEvent[] = [];
  const context: ToolContext = {
    workbench,
    limits: { commandSeconds: 60, outputTokens: 100 },
    emit: (event) => events.push(event),
    newId: () => 'i',
    signal: new AbortController().signal,
    root: '/work/place',
  };
  const call: Call = { type: 'function_call', call_id: 'c', name, arguments: JSON.stringify(args) };
  return { ...(await runTool(call, context)), asked: workbench.asked, events };
}

const refused: [string, string, unknown, RegExp][] = [
  ['shell without a command', 'shell', {}, /command: .*expected string/],
  ['an empty command', 'shell', { command: '' }, /command/],
  ['a list as command', 'shell', { command: ['ls'] }, /command: .*expected string/],
  [
    'an unknown parameter',
    'shell',
    { command: 'ls', sandbox: 'off' },
    /unknown parameter "sandbox".*parameters are command, workdir/,
  ],
  ['two unknown parameters', 'shell', { command: 'ls', a: 1, b: null }, /unknown parameter "a", "b"/],
  ['an unknown parameter that is null', 'shell', { command: 'ls', escalate: null }, /unknown parameter "escalate"/],
  [
    'an unknown parameter further in',
    'shell',
    { command: 'ls', read: { paths: ['/x'], reason: 'r', all: true } },
    /"read\.all"/,
  ],
  ['a timeout that is no integer', 'shell', { command: 'ls', timeoutMs: 1.5 }, /timeoutMs/],
  ['a timeout of nothing', 'shell', { command: 'ls', timeoutMs: 0 }, /timeoutMs/],
  ['a timeout as text', 'shell', { command: 'ls', timeoutMs: '10' }, /timeoutMs/],
  ['a network without hosts', 'shell', { command: 'ls', network: { hosts: [], reason: 'r' } }, /network\.hosts/],
  ['a network without a reason', 'shell', { command: 'ls', network: { hosts: ['a'] } }, /network\.reason/],
  ['a network that is just true', 'shell', { command: 'ls', network: true }, /network/],
  [
    'a relative path to read',
    'shell',
    { command: 'ls', read: { paths: ['x'], reason: 'r' } },
    /read\.paths\.0: must be an absolute path/,
  ],
  ...['*', '*.com', 'https://a.example', 'a.example:443', 'a@b.example', 'a.example/x', '10.0.0.1', 'localhost'].map(
    (host): [string, string, unknown, RegExp] => [
      `the host ${host}`,
      'shell',
      { command: 'ls', network: { hosts: ['a.example', host], reason: 'r' } },
      /network\.hosts\.1: .*Write a plain name such as example\.com/,
    ],
  ),
  ['a folder outside', 'shell', { command: 'ls', workdir: '../x' }, /workdir must be a folder inside the workspace/],
  ['a patch as a command', 'shell', { command: "apply_patch <<'EOF'\nEOF" }, /tool of its own/],
  ['a list', 'shell', [], /arguments: .*expected object/],
  ['null', 'shell', null, /arguments: .*expected object/],
  ['a patch under another name', 'apply_patch', { input: 'x' }, /unknown parameter "input"/],
  ['an empty patch', 'apply_patch', { patch: '' }, /patch/],
  ['a plan of nothing', 'update_plan', { plan: [] }, /plan/],
  ['a plan with a new status', 'update_plan', { plan: [{ step: 'a', status: 'done' }] }, /plan\.0\.status/],
  [
    'a plan with two steps in progress',
    'update_plan',
    { plan: ['a', 'b'].map((step) => ({ step, status: 'in_progress' })) },
    /at most one/,
  ],
];

test.each(refused)('refused with a sentence, and nothing done: %s', async (_name, tool, args, sentence) => {
  const { output, asked, events } = await tryTool(tool, args);
  expect(output).toMatch(sentence);
  expect(asked).toEqual([]);
  expect(events).toEqual([
    { type: 'itemCompleted', item: expect.objectContaining({ type: 'tool', name: tool, status: 'failed', output }) },
  ]);
});

test('null is the same as absent', async () => {
  const nulls = { command: 'ls', workdir: null, timeoutMs: null, network: null, read: null };
  expect((await tryTool('shell', nulls)).asked).toEqual((await tryTool('shell', { command: 'ls' })).asked);
  expect((await tryTool('update_plan', { explanation: null, plan: [{ step: 'a', status: 'pending' }] })).output).toBe(
    'Plan updated.',
  );
});

test('what the definitions declare is what is accepted', () => {
  const [shell, patch, plan] = toolDefinitions(true);
  expect(shell).toMatchObject({
    type: 'function',
    name: 'shell',
    parameters: { required: ['command'], additionalProperties: false },
  });
  const { properties } = z.object({ properties: z.looseObject({}) }).parse(shell?.parameters);
  expect(Object.keys(properties)).toEqual(Object.keys(argumentsSchema.shape));
  expect(JSON.stringify(shell)).not.toMatch(/escalat|unsandboxed|outside of it/);
  expect(patch).toMatchObject({ type: 'custom', format: { type: 'grammar', syntax: 'lark' } });
  expect(plan).toMatchObject({ type: 'function', name: 'update_plan' });
  expect(JSON.stringify(toolDefinitions(true))).toBe(JSON.stringify(toolDefinitions(true)));
  expect(toolDefinitions(false)[1]).toMatchObject({ type: 'function', parameters: { required: ['patch'] } });
});

test('a command asks for the network, then for reading, then to run; the first no ends it', async () => {
  const network = { hosts: ['registry.example.org'], reason: 'to install' };
  const read = { paths: ['/opt/data'], reason: 'to compare' };
  const all = await tryTool('shell', { command: 'make', workdir: 'sub', network, read });
  expect(all.asked).toEqual([
    ['permit', { kind: 'network', ...network, command: 'make' }],
    ['permit', { kind: 'read', ...read, command: 'make' }],
    ['permit', { kind: 'command', command: 'make', cwd: 'sub' }],
    ['run', 'make', { cwd: 'sub', timeoutMs: 60_000, opened: { hosts: network.hosts, paths: read.paths } }],
  ]);
  expect(all.events[0]).toMatchObject({ type: 'itemStarted', item: { status: 'running', reason: 'to install' } });

  const none = await tryTool(
    'shell',
    { command: 'make', network, read },
    {
      permit: async ({ kind }) => (kind === 'read' ? { allowed: false, reason: 'No.' } : { allowed: true }),
    },
  );
  expect(none.asked.map(([what, asked]) => (what === 'permit' ? asked.kind : what))).toEqual(['network', 'read']);
  expect(none.output).toBe('The command was not run: No.');
});

test.each([
  [undefined, 60_000],
  [5_000, 5_000],
  [3_600_000, 60_000],
])('a timeout of %s is %i within the limit of the settings', async (timeoutMs, expected) => {
  const { asked } = await tryTool('shell', { command: 'ls', timeoutMs });
  expect(asked.at(-1)).toEqual(['run', 'ls', { cwd: '', timeoutMs: expected, opened: { hosts: [], paths: [] } }]);
});

const ends: [string, CommandResult, RegExp][] = [
  ['well', ran('fine\n'), /^Exit code: 0\nWall time: 1\.2 s\nOutput:\nfine\n$/],
  ['badly', ran('', { status: 'failed', exitCode: 3 }), /^Exit code: 3\nWall time: 1\.2 s\nNo output\.$/],
  [
    'late',
    ran('x', { status: 'killed', exitCode: undefined, limit: 'time' }),
    /^Killed: it ran longer than 60 s.*timeoutMs/,
  ],
  [
    'loud',
    ran('x', { status: 'killed', exitCode: 137, limit: 'output', outputBytes: 99 }),
    /^Killed: it wrote 99 bytes.*\nExit code: 137/,
  ],
  ['fat', ran('x', { status: 'failed', exitCode: 1, limit: 'memory' }), /^Held by a limit: .*memory.*\nExit code: 1/],
  ['crowded', ran('x', { status: 'killed', limit: 'processes' }), /more processes than may run/],
  ['full', ran('x', { status: 'failed', limit: 'disk' }), /disk/],
];

test.each(ends)('a command that ends %s', async (_name, result, expected) => {
  const { output, events } = await tryTool('shell', { command: 'x' }, { runCommand: async () => result });
  expect(output).toMatch(expected);
  expect(events.at(-1)).toMatchObject({ type: 'itemCompleted', item: { type: 'command', id: 'i' } });
});

test('a command that did not run this time is no verdict on the machine', async () => {
  const reason = 'The workspace could not be copied: ENOSPC';
  const result: CommandResult = { kind: 'unavailable', reason, remedy: 'Make room.' };
  const { output } = await tryTool('shell', { command: 'x' }, { runCommand: async () => result });
  expect(output).toMatch(/^The command did not run\. The workspace could not be copied: ENOSPC Make room\. /);
  expect(output).not.toMatch(/this machine|No command will run/);
});

test('hosts that were refused are in the item, and the model is told how to ask for them', async () => {
  const refusedHosts = ['registry.npmjs.org'];
  const { output, events } = await tryTool(
    'shell',
    { command: 'npm i' },
    { runCommand: async () => ran('npm error 403\n', { status: 'failed', exitCode: 1, refusedHosts }) },
  );
  expect(output).toMatch(
    /^Exit code: 1\n.*\nOutput:\nnpm error 403\n\n?The network is closed to registry\.npmjs\.org\. /,
  );
  expect(output).toContain('"network": {"hosts": ["registry.npmjs.org"], "reason": "…"}');
  expect(events.at(-1)).toMatchObject({ item: { type: 'command', refusedHosts } });
  const never = await tryTool(
    'shell',
    { command: 'npm i' },
    {
      runCommand: async () => ran('', { refusedHosts }),
      access: () => ({ approvalPolicy: 'never', network: ['a.org'] }),
    },
  );
  expect(never.output).toMatch(/closed to registry\.npmjs\.org\. It cannot be opened: the approval policy is never\./);
  expect(never.output).not.toContain('"network"');
  const none = await tryTool('shell', { command: 'ls' }, { runCommand: async () => ran('a\n', { refusedHosts: [] }) });
  expect(none.events.at(-1)).toMatchObject({ item: { type: 'command', refusedHosts: undefined } });
  expect(none.output.endsWith('a\n')).toBe(true);
});

test('what is asked for has one form: hosts in small letters, paths without detours', async () => {
  const network = { hosts: ['Registry.NPMJS.org.', '*.Example.com'], reason: 'r' };
  const read = { paths: ['/opt//data/', '/opt/a/../b'], reason: 'r' };
  const { asked } = await tryTool('shell', { command: 'ls', network, read });
  expect(asked.at(-1)).toMatchObject([
    'run',
    'ls',
    { opened: { hosts: ['registry.npmjs.org', '*.example.com'], paths: ['/opt/data', '/opt/b'] } },
  ]);
  expect(asked.slice(0, 2)).toMatchObject([
    ['permit', { hosts: ['registry.npmjs.org', '*.example.com'] }],
    ['permit', { paths: ['/opt/data', '/opt/b'] }],
  ]);
});

test('long output keeps head and tail within the tokens there are, and says what is missing', async () => {
  const long = Array.from({ length: 1000 }, (_, line) => `line ${line}\n`).join('');
  const { output, events } = await tryTool('shell', { command: 'x' }, { runCommand: async () => ran(long) });
  expect(output).toContain('line 0\n');
  expect(output).toContain('line 999\n');
  expect(output).toMatch(/\[… \d+ bytes left out here …\]/);
  expect(Buffer.byteLength(output)).toBeLessThan(100 * 4 + 120);
  const last = events.at(-1);
  expect(last?.type === 'itemCompleted' && last.item.type === 'command' && last.item.output?.length).toBeLessThan(500);
});

test('a failed patch says that nothing was changed, and where it failed', async () => {
  const { output, events } = await tryTool(
    'apply_patch',
    { patch: 'x' },
    {
      applyPatch: async () => ({ ok: false, error: 'a.txt: no such line' }),
    },
  );
  expect(output).toBe('The patch failed and nothing was changed: a.txt: no such line');
  expect(events).toEqual([
    {
      type: 'itemCompleted',
      item: { id: 'i', type: 'patch', files: [], status: 'failed', error: 'a.txt: no such line' },
    },
  ]);
});

test.each([
  [undefined, ''],
  [null, ''],
  ['', ''],
  ['.', ''],
  ['./src/', 'src'],
  ['src/../lib', 'lib'],
  ['/work/place', ''],
  ['/work/place/', ''],
  ['/work/place/src', 'src'],
  ['..', undefined],
  ['src/../..', undefined],
  ['/work', undefined],
  ['/work/placebo', undefined],
  ['/etc', undefined],
  ['a\0b', undefined],
])('workdir %j is %j', (workdir, expected) => {
  const resolved = resolveWorkdir(workdir, '/work/place');
  expect(resolved.ok ? resolved.value : undefined).toBe(expected);
});

test.each<[string | null, string | undefined]>([
  [null, 'api'],
  ['', 'api'],
  ['web', 'web'],
  ['web/src/', 'web/src'],
  ['/work/web', 'web'],
  ['.', undefined],
  ['src', undefined],
  ['other', undefined],
  ['api-old', undefined],
  ['api/../other', undefined],
  ['/work', undefined],
  ['/work/other', undefined],
])('in a workspace of api and web, workdir %j is %j', (workdir, expected) => {
  const resolved = resolveWorkdir(workdir, '/work', ['/work/api', '/work/web']);
  expect(resolved.ok ? resolved.value : undefined).toBe(expected);
  if (!resolved.ok) expect(resolved.problem).toContain("one of the workspace's folders (api, web)");
});
