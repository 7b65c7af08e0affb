/** One host, many editors and shells: real processes, over the socket. */
import { readFile, readlink, stat } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { EventEnvelope } from '../../server/protocol/thread.ts';
import { gate, patch, say, script, shell, soon } from '../support/model.ts';
import { runProgram } from '../support/program.ts';
import { connect, programBench, type WireClient } from '../support/wire.ts';

type Bench = Awaited<ReturnType<typeof programBench>>;

const isEnd = ({ event }: EventEnvelope) => event.type === 'turnCompleted';
const hasSaid =
  (text: string) =>
  ({ event }: EventEnvelope) =>
    event.type === 'itemDelta' && event.delta.includes(text);

async function attach(it: Bench, ...args: string[]) {
  const program = it.start('--stdio', ...args);
  const client = connect(program.child.stdout, program.child.stdin);
  await client.request('initialize', it.initialize);
  await client.connection.sendNotification('initialized', {});
  return { program, client };
}

async function leave({ program, client }: Awaited<ReturnType<typeof attach>>): Promise<number> {
  await client.request('shutdown');
  await client.connection.sendNotification('exit');
  return soon(program.ended, 'the exit');
}

const hostPid = async (it: Bench): Promise<number> => {
  const lock = await readlink(join(it.workspace.stateDir, 'host', `${await version()}.lock`));
  return JSON.parse(lock).pid;
};
const version = async (): Promise<string> =>
  JSON.parse(await readFile(join(import.meta.dirname, '../../package.json'), 'utf8')).version;

test('an editor is killed in the middle of a command: the turn goes on, another editor sees it live and accepts', async () => {
  const held = gate(patch('a.txt', '-one', '+ONE'));
  await using it = await programBench(script(shell('echo started; sleep 1; echo went on'), held, say('Done.')));
  const first = await attach(it);
  const { threadId } = await first.client.request('codex/runTask', { prompt: 'shout' });
  await first.client.event(hasSaid('started'));
  const host = await hostPid(it);
  first.program.child.kill('SIGKILL');
  await soon(first.program.ended, 'its end');

  const second = await attach(it);
  expect(await hostPid(it)).toBe(host);
  expect(await second.client.request('codex/threads')).toMatchObject({ threads: [{ threadId, status: 'running' }] });
  expect(JSON.stringify((await held.arrived).input)).toContain('went on');
  held.open();
  expect((await second.client.event(isEnd)).event).toMatchObject({ status: 'completed' });
  expect(await second.client.request('codex/accept', {})).toMatchObject({ applied: ['a.txt'], failed: [] });
  expect(await it.workspace.read('a.txt')).toBe('ONE\ntwo\n');
  expect(await leave(second)).toBe(0);
});

test('a question is seen by every editor, and whoever comes first answers it, also a shell', async () => {
  await using it = await programBench(
    script(shell('curl -s http://example.org', { network: { hosts: ['example.org'], reason: 'to look' } }), say('No.')),
  );
  const [first, second] = [await attach(it), await attach(it)];
  await first.client.request('codex/runTask', { prompt: 'look' });
  const isAsked = ({ event }: EventEnvelope) => event.type === 'approvalRequested';
  const asked = await Promise.all([first, second].map(({ client }) => client.event(isAsked)));
  const [approvalId, same] = asked.map(({ event }) => event.type === 'approvalRequested' && event.approval.approvalId);
  expect(same).toBe(approvalId);
  expect(await second.client.request('codex/approvals')).toMatchObject({ approvals: [{ approvalId }] });
  await second.client.request('codex/approve', { approvalId, decision: 'decline' });
  await expect(first.client.request('codex/approve', { approvalId, decision: 'accept' })).rejects.toMatchObject({
    data: { reason: 'alreadySettled', decision: 'decline' },
  });
  await first.client.event(isEnd);
  await leave(first);
  await leave(second);
});

test('a shell works on the threads of the host: exec is seen live in the editor, and its changes are accepted there', async () => {
  await using it = await programBench(script(shell('cat a.txt'), patch('a.txt', '-one', '+ONE'), say('Shouted.')));
  const editor = await attach(it);
  const exec = it.start('exec', '-');
  exec.child.stdin.end('shout\n');
  expect((await editor.client.event(isEnd)).event).toMatchObject({ status: 'completed' });
  expect(await soon(exec.ended, 'the end of exec')).toBe(0);
  expect(exec.stdout()).toBe('Shouted.\n');
  expect(exec.stderr()).toContain('+ONE');
  const { threads } = await editor.client.request('codex/threads');
  expect(threads).toMatchObject([{ status: 'inReview', title: 'shout' }]);
  const listed = await runProgram(['threads'], { cwd: it.workspace.root, env: it.env });
  expect(listed).toMatchObject({ code: 0, stderr: '' });
  expect(listed.stdout).toContain('inReview');
  const applied = await runProgram(['apply', listed.stdout.split(' ')[0] ?? ''], {
    cwd: it.workspace.root,
    env: it.env,
  });
  expect(applied).toMatchObject({ code: 0, stdout: 'applied a.txt\n' });
  expect(await it.workspace.read('a.txt')).toBe('ONE\ntwo\n');
  await editor.client.event(({ event }) => event.type === 'applied');
  await leave(editor);
});

test.each(['SIGINT', 'SIGKILL'] as const)(
  '%s of a shell whose task the host carries out stops the turn',
  async (name) => {
    await using it = await programBench(script(shell('echo started; sleep 300')));
    const editor = await attach(it);
    const exec = it.start('exec', 'wait');
    await editor.client.event(hasSaid('started'));
    exec.child.kill(name);
    expect((await editor.client.event(isEnd)).event).toMatchObject({ status: 'interrupted' });
    expect(await soon(exec.ended, 'the end of exec')).toBe(name === 'SIGINT' ? 130 : 137);
    await leave(editor);
  },
);

test('a shell that asks the host has its own folder, errors, exit codes, and reads no stdin that it does not need', async () => {
  await using it = await programBench(script());
  const editor = await attach(it);
  const run = (...args: string[]) => runProgram(args, { cwd: it.workspace.root, env: it.env, input: '' });
  expect(await run('exec', '--cd', 'nowhere', 'x')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("'nowhere'"),
  });
  expect(await run('diff', 'tunknown')).toMatchObject({ code: 1, stderr: expect.stringContaining('tunknown') });
  expect(await run('-c', 'nonsense', 'threads')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('nonsense'),
  });
  expect(await run('exec', ' ')).toMatchObject({ code: 2, stderr: expect.stringContaining('empty') });
  const loop = it.start('threads');
  // Nobody takes it: the pipe stays full, and the program ends all the same.
  loop.child.stdin.on('error', () => {});
  loop.child.stdin.write('x'.repeat(4 * 1024 * 1024));
  expect(await soon(loop.ended, 'the end')).toBe(0);
  await leave(editor);
});

test('settings and keys belong to the connection, not to whoever started the host', async () => {
  await using it = await programBench(script(say('Hello.')));
  const without = await attach(it);
  const env = { ...it.env, OPENAI_API_KEY: undefined };
  const exec = await runProgram(['exec', 'hello'], { cwd: it.workspace.root, env });
  expect(exec).toMatchObject({ code: 1, stderr: expect.stringContaining('OPENAI_API_KEY is not set') });
  const { threadId } = await without.client.request('codex/runTask', { prompt: 'hello' });
  const end = await without.client.event((envelope) => isEnd(envelope) && envelope.threadId === threadId);
  expect(end.event).toMatchObject({ status: 'completed' });
  const environ = await readFile(`/proc/${await hostPid(it)}/environ`, 'utf8');
  expect(environ).not.toContain('OPENAI_API_KEY');
  expect(environ).toContain('CODEX_LSP_STATE_DIR');
  await leave(without);
});

test('a host that is killed: its editors are told by the end of their server, and the next one finds the thread', async () => {
  await using it = await programBench(script(shell('echo started; setsid sleep 300 & sleep 300')));
  const first = await attach(it);
  const { threadId } = await first.client.request('codex/runTask', { prompt: 'wait' });
  await first.client.event(hasSaid('started'));
  const host = await hostPid(it);
  process.kill(host, 'SIGKILL');
  expect(await soon(first.program.ended, 'the end of the relay')).toBe(1);
  const second = await attach(it);
  expect(await hostPid(it)).not.toBe(host);
  expect(await second.client.request('codex/threads')).toMatchObject({
    threads: [{ threadId, status: 'interrupted' }],
  });
  await leave(second);
});

test('an editor that connects to the socket itself needs no relay; without the token it is refused', async () => {
  await using it = await programBench(script(say('Hello.')));
  const editor = await attach(it);
  const started = await runProgram(['host', '--start'], { env: it.env });
  const { socket, token } = JSON.parse(started.stdout);
  const environment = { OPENAI_API_KEY: 'sk-test-secret', OPENAI_BASE_URL: it.env.OPENAI_BASE_URL };
  const host = { token: (await readFile(token, 'utf8')).trim(), environment };
  const open = (initializationOptions: object): { client: WireClient; opened: Promise<unknown> } => {
    const direct = createConnection(socket);
    const client = connect(direct, direct);
    return { client, opened: client.request('initialize', { ...it.initialize, initializationOptions }) };
  };
  await expect(open({ host: { token: 'wrong' } }).opened).rejects.toMatchObject({ code: -32002 });
  await expect(open({}).opened).rejects.toMatchObject({ code: -32002, message: expect.stringContaining('host.token') });
  const bad = open({ host: { ...host, flags: ['nonsense'] } });
  await expect(bad.opened).rejects.toMatchObject({ code: -32002, message: expect.stringContaining('nonsense') });
  const { client, opened } = open({ host, model: 'gpt-test' });
  expect(await opened).toMatchObject({ capabilities: { experimental: { codex: { version: 1 } } } });
  await client.request('codex/runTask', { prompt: 'hello' });
  expect((await client.event(isEnd)).event).toMatchObject({ status: 'completed' });
  expect(await client.request('codex/status')).toMatchObject({ model: 'gpt-test' });
  client.connection.end();
  await leave(editor);
});

test('the host ends by itself when nobody is there and nothing runs, and leaves no socket', async () => {
  await using it = await programBench(script());
  const editor = await attach(it);
  const host = await hostPid(it);
  const socket = join(it.workspace.stateDir, 'host', `${await version()}.sock`);
  expect((await stat(socket)).mode & 0o777).toBe(0o600);
  await leave(editor);
  await expect.poll(() => isAlive(host), { timeout: 5_000 }).toBe(false);
  await expect(stat(socket)).rejects.toMatchObject({ code: 'ENOENT' });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
