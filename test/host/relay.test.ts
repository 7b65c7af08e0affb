/** The relay alone, between real sockets: nothing is lost or held back, and it ends when either side does. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createConnection, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, type Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { runThere } from '../../server/host/command-near.ts';
import { firstLine } from '../../server/host/first-line.ts';
import { encodeFrame, frameBytesMax } from '../../server/host/frames.ts';
import { relay } from '../../server/host/relay.ts';
import { soon } from '../support/model.ts';

const totalBytes = 50 * 1024 ** 2;
const timeoutMs = 60_000;

/** Two ends of a real connection; the second stays half open, as the host's does. */
async function pair() {
  const folder = await mkdtemp(join(tmpdir(), 'codex-lsp-relay-'));
  const path = join(folder, 's');
  const server = createServer({ allowHalfOpen: true });
  const far = new Promise<Socket>((resolve) => server.once('connection', resolve));
  await new Promise<void>((resolve) => server.listen(path, resolve));
  const near = createConnection(path).on('error', () => {});
  return {
    near,
    far: await far,
    async [Symbol.asyncDispose]() {
      near.destroy();
      (await far).destroy();
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true });
    },
  };
}

/** No byte of LSP is below 9. */
function* parts(): Generator<Buffer> {
  for (let sent = 0; sent < totalBytes; ) {
    const part = randomBytes(Math.min(1 + Math.floor(Math.random() * 300_000), totalBytes - sent)).map(
      (byte) => byte | 8,
    );
    sent += part.length;
    yield Buffer.from(part.buffer, part.byteOffset, part.length);
  }
}

async function send(to: NodeJS.WritableStream): Promise<string> {
  const hash = createHash('sha256');
  for (const part of parts()) {
    hash.update(part);
    if (!to.write(part)) await new Promise((resolve) => to.once('drain', resolve));
  }
  return hash.digest('hex');
}

/** With rests between, so that both ends are full again and again. */
async function take(from: Readable, bytes: number): Promise<string> {
  const hash = createHash('sha256');
  let taken = 0;
  for await (const chunk of from.iterator({ destroyOnReturn: false })) {
    const part = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    hash.update(part.subarray(0, bytes - taken));
    taken += part.length;
    if (taken >= bytes) break;
    if (taken % 7 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  return hash.digest('hex');
}

test('50 MiB each way at once arrive as they were sent, and the exit code after them', {
  timeout: timeoutMs,
}, async () => {
  await using toHost = await pair();
  await using toEditor = await pair();
  const ended = relay({ input: toEditor.near, output: toEditor.near }, toHost.near);
  const [sentIn, sentOut, gotIn, gotOut] = await soon(
    Promise.all([send(toEditor.far), send(toHost.far), take(toHost.far, totalBytes), take(toEditor.far, totalBytes)]),
    'all of it',
    timeoutMs,
  );
  expect(gotIn).toBe(sentIn);
  expect(gotOut).toBe(sentOut);
  toHost.far.end(Buffer.of(1));
  expect(await soon(ended, 'the end')).toBe(1);
});

test('an editor that closes its end ends the host’s, and what the host says then still comes', async () => {
  await using toHost = await pair();
  const [input, output] = [new PassThrough(), new PassThrough()];
  const ended = relay({ input, output }, toHost.near);
  input.end('bye');
  let heard = '';
  toHost.far.setEncoding('utf8').on('data', (text) => {
    heard += text;
  });
  await soon(new Promise((resolve) => toHost.far.once('end', resolve)), 'the end');
  expect(heard).toBe('bye');
  toHost.far.write('last words');
  toHost.far.end(Buffer.of(0));
  expect(await soon(ended, 'the exit code')).toBe(0);
  expect(String(output.read())).toBe('last words');
});

test('an editor that reads no more ends the connection, however much is on its way', async () => {
  await using toHost = await pair();
  const output = new PassThrough();
  const ended = relay({ input: new PassThrough(), output }, toHost.near);
  toHost.far.on('error', () => {}).write(Buffer.alloc(1024 ** 2, 'x'));
  await soon(new Promise((resolve) => output.once('readable', resolve)), 'its first bytes');
  output.destroy(new Error('EPIPE'));
  expect(await soon(ended, 'the end')).toBeUndefined();
});

test('a host that goes away in the middle has given no exit code', async () => {
  await using toHost = await pair();
  const ended = relay({ input: new PassThrough(), output: new PassThrough() }, toHost.near);
  toHost.far.write('half a mess');
  toHost.far.destroy();
  expect(await soon(ended, 'the end')).toBeUndefined();
});

test('a command whose output nobody reads any more is seen to its end', async () => {
  await using toHost = await pair();
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  stdout.on('error', () => {});
  const { signal } = new AbortController();
  const ended = runThere(toHost.near, { stdin, stdout, stderr, signal });
  toHost.far.write(encodeFrame('stdout', Buffer.alloc(frameBytesMax)));
  await soon(new Promise((resolve) => stdout.once('readable', resolve)), 'its first bytes');
  stdout.destroy(new Error('EPIPE'));
  for (let count = 0; count < 8; count += 1) toHost.far.write(encodeFrame('stdout', Buffer.alloc(frameBytesMax)));
  toHost.far.end(encodeFrame('exit', Uint8Array.of(7)));
  expect(await soon(ended, 'the exit code')).toBe(7);
});

test.each([
  ['no frame', Buffer.alloc(64, 0xff), undefined],
  ['an end without a code', encodeFrame('exit'), 1],
])('%s from a host ends the command', async (_, bytes, code) => {
  await using toHost = await pair();
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const ended = runThere(toHost.near, { stdin, stdout, stderr, signal: new AbortController().signal });
  toHost.far.on('error', () => {}).end(bytes);
  expect(await soon(ended, 'the end')).toBe(code);
});

test('a line that comes byte by byte has a time for all of it', async () => {
  const drip = new PassThrough();
  const timer = setInterval(() => drip.write('x'), 5);
  expect(await soon(firstLine(drip, { bytesMax: 1_000_000, timeoutMs: 100 }), 'the limit')).toBeUndefined();
  clearInterval(timer);
});

test('a stream that is gone by then has no line, and none is waited for', async () => {
  const stream = new PassThrough();
  stream.destroy();
  await new Promise((resolve) => stream.once('close', resolve));
  expect(await soon(firstLine(stream, { bytesMax: 100, timeoutMs: 60_000 }), 'the answer', 1_000)).toBeUndefined();
});

test('what follows the first line stays in the stream', async () => {
  const stream = new PassThrough();
  stream.write('first\nsec');
  stream.end('ond');
  expect(await firstLine(stream, { bytesMax: 100, timeoutMs: 1_000 })).toBe('first');
  expect(Buffer.concat(await stream.toArray()).toString()).toBe('second');
});
