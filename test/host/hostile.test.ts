/** What others may throw at the host: it lives on, says why, and tells nobody its token. */
import { chownSync } from 'node:fs';
import { lstat, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { createConnection, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { strangersMax } from '../../server/host/accept.ts';
import { encodeFrame } from '../../server/host/frames.ts';
import { openHostFolder } from '../../server/host/place.ts';
import { filesBelow } from '../support/files-below.ts';
import { say, script, shell, soon } from '../support/model.ts';
import { runProgram } from '../support/program.ts';
import { connect, programBench } from '../support/wire.ts';

type Bench = Awaited<ReturnType<typeof programBench>>;

const isRoot = process.getuid?.() === 0;
const ordinaryId = 54_321;
/** Of the program that these tests start. */
const build = (await stat(join(import.meta.dirname, '../../dist/main.js'))).mtimeMs.toString(36);

async function started(it: Bench): Promise<{ socket: string; token: string; secret: string }> {
  const { socket, token } = JSON.parse((await runProgram(['host', '--start'], { env: it.env })).stdout);
  return { socket, token, secret: (await readFile(token, 'utf8')).trim() };
}

async function editor(it: Bench) {
  const program = it.start('--stdio');
  const client = connect(program.child.stdout, program.child.stdin);
  await client.request('initialize', it.initialize);
  await client.connection.sendNotification('initialized', {});
  return {
    client,
    async leave() {
      await client.request('shutdown');
      await client.connection.sendNotification('exit');
      return soon(program.ended, 'the exit');
    },
  };
}

const logOf = (it: Bench) => readFile(join(it.workspace.stateDir, 'server.log'), 'utf8');
const opened = (socket: string) =>
  new Promise<Socket>((resolve, reject) => {
    const guest = createConnection(socket, () => resolve(guest)).on('error', reject);
  });
const closed = (guest: Socket) =>
  soon(
    new Promise<string>((resolve) => {
      let said = '';
      guest.on('error', () => {});
      guest.setEncoding('latin1').on('data', (text) => {
        said += text;
      });
      guest.once('close', () => resolve(said));
    }),
    'the end of the connection',
  );
const hello = (secret: string, args: string[]) =>
  `${JSON.stringify({
    codexLsp: 1,
    build,
    token: secret,
    environment: {},
    flags: [],
    kind: 'command',
    args,
    cwd: '/',
    terminal: { stdin: false, stdout: false, stderr: false },
  })}\n`;

test('a crowd that says nothing shuts nobody out: an editor is served meanwhile, and by the host when they have gone', async () => {
  await using it = await programBench(script());
  const before = await editor(it);
  const { socket } = await started(it);
  const crowd = await Promise.all(Array.from({ length: strangersMax }, () => opened(socket)));
  expect(await before.client.request('codex/status')).toMatchObject({ threads: [] });
  const beside = await editor(it);
  expect(await beside.client.request('codex/status')).toMatchObject({ threads: [] });
  expect(await beside.leave()).toBe(0);
  expect(await logOf(it)).toContain(`${strangersMax} connections wait to be let in`);
  expect(await logOf(it)).toContain('without a host: the host does not answer');
  await Promise.all(crowd.map((guest) => closed(guest.destroy())));
  const unserved = (await logOf(it)).split('without a host').length;
  await (await editor(it)).leave();
  expect((await logOf(it)).split('without a host')).toHaveLength(unserved);
  await before.leave();
});

const mebibytes = (count: number): Buffer => Buffer.alloc(count * 1024 ** 2, 'x');

test.each<[what: string, bytes: (secret: string) => (Buffer | string)[], says: RegExp]>([
  ['a first line without an end', () => ['{', mebibytes(5)], /no greeting/],
  [
    'a body without an end',
    () => ['Content-Length: 99999999\r\n\r\n', mebibytes(5)],
    /initialize is too large: the first message may have 4 MiB/,
  ],
  ['a head without an end', () => ['Content-', mebibytes(5)], /initialize is too large/],
  ['another protocol', () => ['GET / HTTP/1.1\r\nHost: x\r\n\r\n'], /host\.token/],
  ['a greeting that is no object', () => ['{{{{\n'], /no greeting/],
  [
    'no frame after the greeting',
    (secret) => [hello(secret, ['exec', '-']), Buffer.alloc(4096, 0xff)],
    /^{"welcome":true}\n/,
  ],
  [
    'input after its end',
    (secret) => [
      hello(secret, ['exec', '-']),
      encodeFrame('stdinEnd'),
      encodeFrame('stdin', Buffer.from('x')),
      encodeFrame('stdinEnd'),
    ],
    /prompt is empty/,
  ],
  [
    'more input than a prompt has',
    (secret) => [hello(secret, ['exec', '-']), ...Array.from({ length: 17 }, () => encodeFrame('stdin', mebibytes(1)))],
    /stdin has more than 16 MiB/,
  ],
])('%s: refused, and the host lives on', async (_, bytes, says) => {
  await using it = await programBench(script());
  const other = await editor(it);
  const { socket, secret } = await started(it);
  const guest = await opened(socket);
  const answer = closed(guest);
  for (const part of bytes(secret)) guest.write(part);
  expect(await answer).toMatch(says);
  expect(await other.client.request('codex/status')).toMatchObject({ threads: [] });
  expect(await logOf(it)).not.toMatch(/uncaught|unhandled|without a host/);
  await other.leave();
});

test('neither the token nor the environment of a connection is written anywhere', async () => {
  await using it = await programBench(script(shell('env; true'), say('Hello.')));
  const one = await editor(it);
  const { socket, token, secret } = await started(it);
  const refused = await opened(socket);
  refused.write(hello(`${secret}x`, ['threads']));
  await closed(refused);
  await one.client.request('codex/runTask', { prompt: 'hello' });
  await one.client.event(({ event }) => event.type === 'turnCompleted');
  const holding: string[] = [];
  for (const path of filesBelow(it.workspace.stateDir)) {
    // The host may be writing meanwhile, and what it has renamed is found by its new name.
    const status = await lstat(path).catch(() => undefined);
    if (!status?.isFile()) continue;
    const text = await readFile(path, 'latin1').catch(() => '');
    if ([secret, 'sk-test-secret'].some((word) => text.includes(word))) holding.push(path);
  }
  expect(holding).toEqual([token]);
  expect((await stat(token)).mode & 0o777).toBe(0o600);
  await one.leave();
});

test('a folder of the host that another user has made first is not used', async () => {
  const folder = isRoot ? await mkdtemp(join(tmpdir(), 'codex-lsp-planted-')) : '/usr';
  if (isRoot) chownSync(folder, ordinaryId, ordinaryId);
  await expect(openHostFolder(folder)).rejects.toThrow('belongs to another user; remove it');
  if (isRoot) await rm(folder, { recursive: true });
});

test('another user reaches neither the socket nor the token', async () => {
  await using it = await programBench(script());
  const one = await editor(it);
  const { socket, token } = await started(it);
  // Where we are not root, whoever has no rights beside our own is shown by the modes alone.
  for (const path of [socket, token]) expect((await stat(path)).mode & 0o077).toBe(0);
  expect((await stat(join(socket, '..'))).mode & 0o777).toBe(0o700);
  if (isRoot) {
    const tried = await tryAs(ordinaryId, socket, token);
    expect(tried).toMatch(/connect: Permission denied\n.*Permission denied/);
    expect(await tryAs(0, socket, token)).toMatch(/connect: yes\n[\w-]{43}/);
  }
  await one.leave();
});

async function tryAs(uid: number, socket: string, token: string): Promise<string> {
  const { spawnSync } = await import('node:child_process');
  const perl = `perl -MSocket -e 'socket S, AF_UNIX, SOCK_STREAM, 0; print "connect: ", connect(S, sockaddr_un($ARGV[0])) ? "yes" : $!, "\\n"' "$0"; cat "$1"`;
  const { stdout, stderr } = spawnSync('/bin/sh', ['-c', perl, socket, token], {
    uid,
    gid: uid,
    cwd: '/',
    encoding: 'utf8',
  });
  return stdout + stderr;
}
