/** Coming to a host in the moment in which another takes its place. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { connectHost } from '../../server/host/connect.ts';
import { firstLine } from '../../server/host/first-line.ts';
import { hostPlace, openHostFolder } from '../../server/host/place.ts';

test.each([
  ['the token of the next', 'next', { socket: expect.anything() }],
  ['the same token, and no', 'first', { refused: 'not you', exitCode: 1 }],
])('answered by a host while there is %s', async (_name, later, expected) => {
  const stateDir = await mkdtemp(join(tmpdir(), 'codex-lsp-test-'));
  onTestFinished(() => rm(stateDir, { recursive: true }));
  const place = await hostPlace(stateDir, '1');
  await openHostFolder(place.folder);
  await writeFile(place.token, 'first\n');
  const server = createServer(async (socket) => {
    const hello = JSON.parse((await firstLine(socket, { bytesMax: 65_536, timeoutMs: 5_000 })) ?? '');
    // The first that answers is the one that goes.
    if (hello.token === 'first') await writeFile(place.token, `${later}\n`);
    const isNexts = hello.token === 'next';
    socket.write(`${JSON.stringify(isNexts ? { welcome: true } : { refused: 'not you', exitCode: 1 })}\n`);
  });
  await new Promise<void>((resolve) => server.listen(place.socket, resolve));
  const introduction = { kind: 'editor' as const, build: 'b', environment: {}, flags: [] };
  const connected = await connectHost({ stateDir, version: '1', introduction });
  expect(connected).toMatchObject(expected);
  if ('socket' in connected) connected.socket.destroy();
  server.close();
});
