/** What is sent to one editor: whole messages, those of a moment together, and no more than there is room for. */
import { PassThrough, Writable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { liveBytesMax, Outgoing, waitingBytesMax } from '../../server/editor/outgoing.ts';
import { serve } from '../../server/editor/serve.ts';
import { FakeTasks } from '../support/fake-tasks.ts';

const text = 'x'.repeat(20_000);
const event = (type: string) => ({
  jsonrpc: '2.0',
  method: '$/codex/event',
  params: { threadId: 't1', event: { type, text } },
});

/** An editor that takes nothing: what is written to it waits. */
const deaf = () => new Writable({ write() {}, highWaterMark: 1 });

test('messages of one moment are one write; each has the length of its bytes', async () => {
  const chunks: string[] = [];
  const output = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk.toString());
      done();
    },
  });
  const outgoing = new Outgoing(output, () => {});
  const messages = [{ jsonrpc: '2.0', method: 'é' }, event('usage')];
  for (const message of messages) void outgoing.write(message);
  await nextTurn();
  const framed = messages.map((message) => {
    const body = JSON.stringify(message);
    return `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
  });
  expect(chunks).toEqual([framed.join('')]);
});

test('an editor that does not read is not told what happens live; at the limit it is served no longer', async () => {
  const output = deaf();
  let overflows = 0;
  const outgoing = new Outgoing(output, () => {
    overflows += 1;
  });
  for (let count = 0; count < 1_000; count++) await outgoing.write(event('itemDelta'));
  await nextTurn();
  expect(output.writableLength).toBeGreaterThan(liveBytesMax);
  expect(output.writableLength).toBeLessThan(liveBytesMax + 50_000);
  // What is kept is told as long as there is room.
  const before = output.writableLength;
  await outgoing.write(event('usage'));
  await nextTurn();
  expect(output.writableLength).toBeGreaterThan(before);
  for (let count = 0; count < waitingBytesMax / 10_000; count++) await outgoing.write(event('usage'));
  await nextTurn();
  expect(overflows).toBe(1);
  expect(output.writableLength).toBeLessThan(waitingBytesMax + 100_000);
});

test('what is written right before the end is sent', async () => {
  const output = new PassThrough();
  const outgoing = new Outgoing(output, () => {});
  void outgoing.write(event('usage'));
  outgoing.dispose();
  expect(String(output.read())).toContain('usage');
  void outgoing.write(event('usage'));
  await nextTurn();
  expect(output.read()).toBeNull();
});

test('the connection of an editor that has not read ends with a line in the log; the others are told on', async () => {
  const tasks = new FakeTasks();
  tasks.add('t1', '/work', 'running');
  const lines: string[] = [];
  const open = (output: Writable) => {
    const input = new PassThrough();
    const ended = new Promise<number>((exit) => {
      const around = { tasks, environment: {}, settings: [], version: '0', stateFolder: '/state', homeFolder: '/home' };
      serve({ ...around, input, output, exit, log: (line) => lines.push(line) });
    });
    const params = { rootUri: 'file:///work', capabilities: { experimental: { codex: { events: true } } } };
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params });
    input.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
    return ended;
  };
  let heard = 0;
  const reads = new Writable({
    write(chunk: Buffer, _encoding, done) {
      heard += chunk.length;
      done();
    },
  });
  const stopped = deaf();
  const [ends] = [open(stopped), open(reads)];
  await expect.poll(() => heard > 0 && stopped.writableLength > 0).toBe(true);
  for (let count = 0; count < waitingBytesMax / 10_000 && !stopped.destroyed; count++) {
    tasks.emit('t1', { type: 'warning', message: text });
    await nextTurn();
  }
  expect(await ends).toBe(1);
  expect(stopped.destroyed).toBe(true);
  expect(heard).toBeGreaterThan(waitingBytesMax / 2);
  expect(lines.filter((line) => line.includes('did not read'))).toHaveLength(1);
});
