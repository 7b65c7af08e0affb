/** The same over a real process: the built program, on stdio and on a socket. */
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { EventEnvelope } from '../../server/protocol/thread.ts';
import { patch, say, script, shell, soon } from '../support/model.ts';
import { connect, programBench } from '../support/wire.ts';

const isEnd = ({ event }: EventEnvelope) => event.type === 'turnCompleted';

test.each([['--stdio'], ['--no-host'], []])('on stdio (%s): a task from initialize to exit', async (...args) => {
  await using it = await programBench(script(shell('cat a.txt'), patch('a.txt', '-one', '+ONE'), say('Done.')));
  const program = it.start(...args);
  const client = connect(program.child.stdout, program.child.stdin);
  const { capabilities } = await client.request('initialize', it.initialize);
  expect(capabilities).toMatchObject({ experimental: { codex: { version: 1 } } });
  await client.connection.sendNotification('initialized', {});
  const { threadId } = await client.request('codex/runTask', { prompt: 'shout' });
  await client.event(isEnd);
  expect(client.heard.slice(0, 4)).toEqual([
    { kind: 'response', what: 'initialize' },
    { kind: 'response', what: 'codex/runTask' },
    { kind: 'event', what: 'threadStarted' },
    { kind: 'event', what: 'turnStarted' },
  ]);
  expect(await client.request('codex/accept', { threadId })).toMatchObject({ applied: ['a.txt'], failed: [] });
  expect(await it.workspace.read('a.txt')).toBe('ONE\ntwo\n');
  await client.request('shutdown');
  await client.connection.sendNotification('exit');
  expect(await soon(program.ended, 'the exit')).toBe(0);
  expect(program.stderr()).toBe('');
});

test('--pipe: over a socket that the editor has opened', async () => {
  await using it = await programBench(script(say('Hello.')));
  const path = join(it.workspace.stateDir, 'editor.sock');
  const connected = Promise.withResolvers<Socket>();
  const server = createServer((socket) => connected.resolve(socket)).listen(path);
  const program = it.start(`--pipe=${path}`);
  const socket = await soon(connected.promise, 'the connection');
  const client = connect(socket, socket);
  await client.request('initialize', it.initialize);
  await client.request('codex/runTask', { prompt: 'say hello' });
  expect((await client.event(isEnd)).event).toMatchObject({ status: 'completed', summary: 'Hello.' });
  await client.request('shutdown');
  await client.connection.sendNotification('exit');
  expect(await soon(program.ended, 'the exit')).toBe(0);
  server.close();
  expect(program.stdout()).toBe('');
});

test.each(['the connection closes', 'kill -9', 'SIGTERM'])(
  'without a host, the editor or server goes in the middle of a command (%s): no process lives on; the next one shows the thread',
  async (how) => {
    await using it = await programBench(script(shell('echo started; setsid sleep 300 & sleep 300')));
    const program = it.start('--stdio', '--no-host');
    const client = connect(program.child.stdout, program.child.stdin);
    await client.request('initialize', it.initialize);
    const { threadId } = await client.request('codex/runTask', { prompt: 'wait' });
    await client.event(({ event }) => event.type === 'itemDelta' && event.delta.includes('started'));
    if (how === 'kill -9') program.child.kill('SIGKILL');
    else if (how === 'SIGTERM') program.child.kill('SIGTERM');
    else program.child.stdin.end();
    await soon(program.ended, 'the end');

    const next = it.start('--stdio', '--no-host');
    const again = connect(next.child.stdout, next.child.stdin);
    await again.request('initialize', it.initialize);
    expect(await again.request('codex/threads')).toMatchObject({ threads: [{ threadId, status: 'interrupted' }] });
    await again.request('shutdown');
    await again.connection.sendNotification('exit');
    expect(await soon(next.ended, 'the exit')).toBe(0);
  },
);

test('garbage on the wire, unknown methods and bad parameters: answered or ignored, and the server lives on', async () => {
  await using it = await programBench(script());
  const program = it.start('--stdio');
  const client = connect(program.child.stdout, program.child.stdin);
  await expect(client.request('codex/status')).rejects.toMatchObject({ code: -32002 });
  await client.request('initialize', it.initialize);
  await expect(client.request('nonsense/method')).rejects.toMatchObject({ code: -32601 });
  await expect(client.request('codex/runTask', { prompt: 7 })).rejects.toMatchObject({
    code: -32602,
    message: expect.stringContaining('prompt'),
  });
  await expect(client.request('codex/changeset', { threadId: 'nope' })).rejects.toMatchObject({
    code: -32803,
    data: { reason: 'unknownThread' },
  });
  await expect(client.request('codex/changeset', { threadId: '../../etc' })).rejects.toMatchObject({ code: -32803 });
  await client.connection.sendNotification('textDocument/didChange', { nonsense: true });
  expect(await client.request('codex/status')).toMatchObject({ threads: [] });
  await client.request('shutdown');
  await client.connection.sendNotification('exit');
  expect(await soon(program.ended, 'the exit')).toBe(0);
});
