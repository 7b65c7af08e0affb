/** Approvals and grants, without an editor: who may answer what, how often, and how long it holds. */
import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Approval, Grant } from '../../server/protocol/thread.ts';
import { openTasks } from '../../server/task/open.ts';
import { gate, patch, type Script, say, script, shell, soon, toolOutputs } from '../support/model.ts';
import { type Bench, diskFace, openBench } from '../support/task.ts';

const files = { 'a.txt': 'one\n' };

/** A bench that asks for every command. */
const careful = (answers: Script) =>
  openBench({ files, script: answers, settings: (settings) => ({ ...settings, approvalPolicy: 'untrusted' }) });

const asked = async (bench: Bench, where: (approval: Approval) => boolean = () => true): Promise<Approval> =>
  (await bench.event('approvalRequested', ({ approval }) => where(approval))).approval;

const resolutions = ({ events }: Bench) =>
  events.flatMap(({ event }) => (event.type === 'approvalResolved' ? [event] : []));

const commands = ({ events }: Bench) =>
  events.flatMap(({ event }) => (event.type === 'itemCompleted' && event.item.type === 'command' ? [event.item] : []));

const told = ({ model }: Bench) => model.requests.slice(1).map((request) => toolOutputs(request).at(-1) ?? '');

test.each([
  ['accept', 'accept'],
  ['accept', 'decline'],
  ['decline', 'accept'],
  ['acceptForThread', 'accept'],
  ['cancel', 'accept'],
] as const)('answered at once by %s and by %s: one wins, the other is told which', async (first, second) => {
  const ends = first === 'cancel' ? [] : [say('Done.')];
  await using bench = await careful(script(shell('touch made'), ...ends));
  const { threadId } = await bench.start('touch');
  const { approvalId } = await asked(bench);
  const answers = await Promise.allSettled(
    [first, second].map((decision) => bench.tasks.approve({ approvalId, decision }, diskFace)),
  );
  expect(answers).toMatchObject([
    { status: 'fulfilled', value: { approvalId, decision: first } },
    {
      status: 'rejected',
      reason: { reason: 'alreadySettled', message: expect.stringContaining(first), data: { decision: first } },
    },
  ]);
  const { status } = await bench.event('turnCompleted');
  expect(status).toBe(first === 'cancel' ? 'interrupted' : 'completed');
  expect(resolutions(bench).filter((event) => event.approvalId === approvalId)).toHaveLength(1);
  const isMade = first === 'accept' || first === 'acceptForThread';
  expect(await bench.review(threadId)).toEqual(isMade ? ['made:1 pending'] : []);
  // Later is as late as at once.
  await expect(bench.tasks.approve({ approvalId, decision: 'accept' }, diskFace)).rejects.toMatchObject({
    reason: 'alreadySettled',
  });
});

test('an answer and a cancel at once: exactly one settles it, and a command runs only on a yes that came first', async () => {
  for (const order of ['answer first', 'cancel first']) {
    await using bench = await careful(script(shell('touch made')));
    const { threadId } = await bench.start('touch');
    const { approvalId } = await asked(bench);
    const steps = [
      () => bench.tasks.approve({ approvalId, decision: 'accept' }, diskFace),
      () => bench.tasks.cancel(threadId),
    ];
    const [one, other] = order === 'answer first' ? steps : steps.toReversed();
    await Promise.allSettled([one?.(), other?.()]);
    expect(await bench.event('turnCompleted')).toMatchObject({ status: 'interrupted' });
    const settled = resolutions(bench);
    expect(settled).toHaveLength(1);
    if (settled[0]?.decision === 'withdrawn') expect(commands(bench)).toMatchObject([{ status: 'declined' }]);
    expect(bench.tasks.approvals({ threadId })).toEqual([]);
  }
});

const endings: [what: string, end: (bench: Bench, threadId: string) => Promise<unknown>][] = [
  ['cancelling the turn', (bench, threadId) => bench.tasks.cancel(threadId)],
  ['deleting the thread', (bench, threadId) => bench.tasks.delete(threadId)],
  ['shutting down', (bench) => bench.tasks.close()],
];

test.each(endings)('%s withdraws what waits, and nothing runs', async (_, end) => {
  await using bench = await careful(script(shell('touch made')));
  const { threadId } = await bench.start('touch');
  const { approvalId } = await asked(bench);
  await end(bench, threadId);
  await bench.event('turnCompleted');
  expect(resolutions(bench)).toEqual([{ type: 'approvalResolved', approvalId, decision: 'withdrawn' }]);
  expect(commands(bench)).toMatchObject([{ status: 'declined' }]);
  const late = bench.tasks.approve({ approvalId, decision: 'accept' }, diskFace);
  await expect(late).rejects.toMatchObject({ reason: expect.stringMatching(/^(alreadySettled|unknownApproval)$/) });
});

test('a later turn withdraws the question about the changes of the one before', async () => {
  await using bench = await openBench({ files, script: script(patch('a.txt', '-one', '+ONE'), say('1.'), say('2.')) });
  const { threadId } = await bench.run('shout');
  const { approvalId } = await asked(bench, ({ kind }) => kind === 'changes');
  await bench.run('go on', { threadId });
  expect(resolutions(bench)[0]).toMatchObject({ approvalId, decision: 'withdrawn' });
  await expect(bench.tasks.approve({ approvalId, decision: 'accept' }, diskFace)).rejects.toMatchObject({
    reason: 'alreadySettled',
    message: expect.stringContaining('withdrawn'),
  });
  expect(await bench.workspace.read('a.txt')).toBe('one\n');
});

test('"for this thread" is no answer to finished changes: an error to whoever says it, and they stay pending', async () => {
  await using bench = await openBench({ files, script: script(patch('a.txt', '-one', '+ONE'), say('Done.')) });
  const { threadId } = await bench.run('shout');
  const { approvalId } = await asked(bench, ({ kind }) => kind === 'changes');
  const answer = bench.tasks.approve({ approvalId, decision: 'acceptForThread' }, diskFace);
  await expect(answer).rejects.toMatchObject({ name: 'InvalidParams', message: expect.stringMatching(/^decision: /) });
  expect(bench.tasks.approvals({ threadId })).toMatchObject([{ approvalId }]);
  await expect(bench.tasks.approve({ approvalId: 'anope', decision: 'accept' }, diskFace)).rejects.toMatchObject({
    reason: 'unknownApproval',
  });
  await bench.tasks.approve({ approvalId, decision: 'accept' }, diskFace);
  await bench.event('applied');
});

test('another process sees what waits, and can not answer for the one that runs the turn', async () => {
  await using bench = await careful(script(shell('touch made'), say('Done.')));
  const { threadId } = await bench.start('touch');
  const { approvalId } = await asked(bench);
  const other = await openTasks({ stateDir: bench.workspace.stateDir });
  expect(await other.waiting({ root: bench.workspace.root })).toMatchObject([{ approvalId, threadId }]);
  const refused = { reason: 'turnRunning', message: expect.stringContaining(String(process.pid)) };
  await expect(other.approve({ approvalId, decision: 'accept' }, diskFace)).rejects.toMatchObject(refused);
  expect(bench.tasks.approvals({ threadId })).toHaveLength(1);
  await other.close();
  await bench.tasks.approve({ approvalId, decision: 'decline' }, diskFace);
  await bench.event('turnCompleted');
});

test('a command granted for the thread is not asked again; another folder, text or thread is; revoked it is asked again', async () => {
  const again = [shell('touch made', { workdir: 'sub' }), shell('touch made '), shell('touch made'), say('Done.')];
  await using bench = await careful(
    script(shell('touch made'), ...again, shell('touch made'), say('Other.'), shell('touch made'), say('Last.')),
  );
  await bench.workspace.write('sub/b.txt', 'b\n');
  const answer = async (approval: Approval, decision: 'acceptForThread' | 'decline' = 'decline') =>
    bench.tasks.approve({ approvalId: approval.approvalId, decision }, diskFace);
  const { threadId } = await bench.start('touch');
  const first = await asked(bench);
  await answer(first, 'acceptForThread');
  await answer(await asked(bench, ({ cwd }) => cwd === 'sub'));
  await answer(await asked(bench, ({ command }) => command === 'touch made '));
  await bench.event('turnCompleted');
  expect(commands(bench).map(({ status }) => status)).toEqual(['completed', 'declined', 'declined', 'completed']);

  const grants = await bench.tasks.grants({ threadId });
  expect(grants).toEqual([
    {
      grantId: expect.stringContaining(first.approvalId),
      threadId,
      kind: 'command',
      command: 'touch made',
      cwd: '',
      at: expect.stringMatching(/^\d{4}-.*Z$/),
    } satisfies Grant,
  ]);
  const { threadId: otherId } = await bench.start('touch in another thread');
  const other = await asked(bench, (approval) => approval.threadId === otherId);
  await answer(other);
  await bench.event('turnCompleted', ({ summary }) => summary === 'Other.');
  expect(await bench.tasks.grants({ threadId: otherId })).toEqual([]);

  await bench.restart();
  expect(await bench.tasks.grants({ root: bench.workspace.root })).toEqual(grants);
  const [grant] = grants;
  await bench.tasks.revoke(grant?.grantId ?? '');
  expect(await bench.tasks.grants({ threadId })).toEqual([]);
  await bench.restart();
  expect(await bench.tasks.grants({ threadId })).toEqual([]);
  for (const grantId of [grant?.grantId ?? '', 'gnope', '']) {
    await expect(bench.tasks.revoke(grantId)).rejects.toMatchObject({ reason: 'unknownGrant' });
  }
  await bench.start('touch again', { threadId });
  const last = await asked(bench, (approval) => approval.threadId === threadId && approval.turnId !== first.turnId);
  await answer(last);
  await bench.event('turnCompleted', ({ summary }) => summary === 'Last.');
});

test('two that take one grant back at once: one does', async () => {
  await using bench = await careful(script(shell('touch made'), say('Done.')));
  const { threadId } = await bench.start('touch');
  const { approvalId } = await asked(bench);
  await bench.tasks.approve({ approvalId, decision: 'acceptForThread' }, diskFace);
  await bench.event('turnCompleted');
  const [grant] = await bench.tasks.grants({ threadId });
  const both = await Promise.allSettled([1, 2].map(() => bench.tasks.revoke(grant?.grantId ?? '')));
  expect(both).toMatchObject([{ status: 'fulfilled' }, { status: 'rejected', reason: { reason: 'unknownGrant' } }]);
});

test('a path granted once is open for that command; granted for the thread, for all that follow, until it is taken back', async () => {
  const outside = await realpath(await mkdtemp(join(tmpdir(), 'codex-lsp-outside-')));
  await writeFile(join(outside, 'names'), 'ada\n');
  const path = join(outside, 'names');
  const read = { read: { paths: [`${outside}//names/`], reason: 'the \u202enames' } };
  const cat = `cat ${path}`;
  const held = gate(shell(cat));
  await using bench = await openBench({
    files,
    script: script(shell(cat, read), shell(cat), shell(cat, read), shell(cat, read), shell(cat), held, say('Done.')),
  });
  const { threadId } = await bench.start('read');
  const first = await asked(bench);
  expect(first).toMatchObject({ kind: 'read', paths: [path], reason: 'the \ufffdnames', title: `Read ${path}` });
  await bench.tasks.approve({ approvalId: first.approvalId, decision: 'accept' }, diskFace);
  const second = await asked(bench, ({ approvalId }) => approvalId !== first.approvalId);
  await bench.tasks.approve({ approvalId: second.approvalId, decision: 'acceptForThread' }, diskFace);
  await soon(held.arrived, 'the last command');
  const [grant] = await bench.tasks.grants({ threadId });
  expect(grant).toMatchObject({ kind: 'read', paths: [path] });
  // While the turn runs: the next command does without.
  await bench.tasks.revoke(grant?.grantId ?? '');
  held.open();
  await bench.event('turnCompleted');
  expect(told(bench).map((output) => output.includes('ada'))).toEqual([true, false, true, true, true, false]);
  expect(bench.events.filter(({ event }) => event.type === 'approvalRequested')).toHaveLength(2);
  await rm(outside, { recursive: true });
});

test('under never nobody is asked, and nothing is told of what lies outside', async () => {
  const read = (path: string) => ({ read: { paths: [path], reason: 'r' } });
  await using bench = await openBench({
    files,
    settings: (settings) => ({ ...settings, approvalPolicy: 'never' }),
    script: script(
      shell('ls /srv/there', read('/srv')),
      shell('ls /nowhere', read('/nowhere/at/all')),
      shell('curl https://example.org', { network: { hosts: ['example.org'], reason: 'r' } }),
      say('Done.'),
    ),
  });
  await bench.run('look');
  const [there, nowhere, network] = told(bench);
  expect(there).toContain('the approval policy is never');
  expect(nowhere).toBe(there);
  expect(network).toMatch(/approval policy is never.*network is off/);
  expect(commands(bench).map(({ status }) => status)).toEqual(['declined', 'declined', 'declined']);
  expect(bench.events.some(({ event }) => event.type === 'approvalRequested')).toBe(false);
});

test('hosts are asked for as they are shown, and a grant of the thread opens them for what follows', async () => {
  const hosts = ['Example.org.', '*.example.net'];
  await using bench = await openBench({
    files,
    script: script(
      shell('true', { network: { hosts, reason: 'to install' } }),
      shell('true', { network: { hosts: ['a.example.net'], reason: 'again' } }),
      shell('true', { network: { hosts: ['example.net'], reason: 'more' } }),
      say('Done.'),
      say('Second.'),
    ),
  });
  const { threadId } = await bench.start('install');
  const first = await asked(bench);
  expect(first).toMatchObject({
    kind: 'network',
    hosts: ['example.org', '*.example.net'],
    title: 'Open the network to 2 hosts: example.org, *.example.net',
    reason: 'to install',
  });
  await bench.tasks.approve({ approvalId: first.approvalId, decision: 'acceptForThread' }, diskFace);
  const second = await asked(bench, ({ approvalId }) => approvalId !== first.approvalId);
  expect(second.hosts).toEqual(['example.net']);
  await bench.tasks.approve({ approvalId: second.approvalId, decision: 'decline' }, diskFace);
  await bench.event('turnCompleted');
  expect(commands(bench).map(({ status }) => status)).toEqual(['completed', 'completed', 'declined']);
  expect(await bench.tasks.grants({ threadId })).toMatchObject([{ kind: 'network', hosts: first.hosts }]);
  await bench.run('go on', { threadId });
  expect(JSON.stringify(bench.model.requests.at(-1)?.input)).toContain('example.org, *.example.net</network>');
});

test('a command that finds a host closed is told by which name to ask, and not when it is open', async () => {
  const fetch = 'curl -sS -m 20 http://other.example.org/ 2>&1';
  await using bench = await openBench({
    files,
    settings: (settings) => ({ ...settings, sandbox: { ...settings.sandbox, network: ['listed.example'] } }),
    script: script(
      shell(fetch),
      shell('true', { network: { hosts: ['other.example.org'], reason: 'r' } }),
      say('Done.'),
    ),
  });
  await bench.start('fetch');
  const { approvalId } = await asked(bench);
  await bench.tasks.approve({ approvalId, decision: 'accept' }, diskFace);
  await bench.event('turnCompleted');
  const [closed, open] = told(bench);
  expect(closed).toMatch(
    /The network is closed to other\.example\.org\. .*"network": \{"hosts": \["other\.example\.org"\]/,
  );
  expect(open).not.toContain('The network');
});

const gitStarters: [what: string, command: string][] = [
  ['a key of its configuration', "git config core.fsmonitor './run'"],
  ['another configuration', 'git config extensions.worktreeConfig true'],
  ['a configuration elsewhere', 'mkdir other && echo ../other > .git/commondir'],
  ['submodules', 'touch .gitmodules'],
  [
    'a repository inside',
    'mkdir sub && cd sub && git init -q && git -c user.name=a -c user.email=a@b commit -q --allow-empty -m x && cd .. && git add sub',
  ],
];

test.each(gitStarters)('git is not asked for, until it may start a program: %s', async (_, command) => {
  const look = 'git status --short && git log --oneline';
  await using bench = await careful(script(shell(look), shell(command), shell(look), say('Done.')));
  await bench.start('look');
  const first = await asked(bench);
  expect(first.command).toBe(command);
  await bench.tasks.approve({ approvalId: first.approvalId, decision: 'accept' }, diskFace);
  const second = await asked(bench, ({ approvalId }) => approvalId !== first.approvalId);
  expect(second.command).toBe(look);
  await bench.tasks.approve({ approvalId: second.approvalId, decision: 'decline' }, diskFace);
  await bench.event('turnCompleted');
  expect(commands(bench)).toMatchObject([
    { status: 'completed', exitCode: 0 },
    { status: 'completed', exitCode: 0 },
    { status: 'declined' },
  ]);
});
