/** Who becomes the host, who is let in, and what happens where there can be none. */
import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, readFile, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { createConnection, createServer } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { hostPlace } from '../../server/host/place.ts';
import { say, script, soon } from '../support/model.ts';
import { runProgram, startProgram } from '../support/program.ts';
import { connect, programBench } from '../support/wire.ts';

type Bench = Awaited<ReturnType<typeof programBench>>;

const { version } = JSON.parse(await readFile(join(import.meta.dirname, '../../package.json'), 'utf8'));
const logOf = (it: Bench) => readFile(join(it.workspace.stateDir, 'server.log'), 'utf8').catch(() => '');
const placeOf = (it: Bench) => hostPlace(it.workspace.stateDir, version);

/** A whole session; answers how it ended. */
async function session(it: Bench, env: Record<string, string | undefined> = it.env): Promise<number> {
  const program = startProgram(['--stdio'], { cwd: it.workspace.root, env });
  const client = connect(program.child.stdout, program.child.stdin);
  await client.request('initialize', it.initialize);
  expect(await client.request('codex/status')).toMatchObject({ threads: [] });
  await client.request('shutdown');
  await client.connection.sendNotification('exit');
  return soon(program.ended, 'the exit');
}

test('eight editors that start at once have one host', async () => {
  await using it = await programBench(script());
  const env = { ...it.env, CODEX_LSP_HOST_IDLE_SECONDS: '2' };
  expect(await Promise.all(Array.from({ length: 8 }, () => session(it, env)))).toEqual(Array(8).fill(0));
  const log = await logOf(it);
  expect(log.match(/host .* listens/g)).toHaveLength(1);
  expect(log).not.toContain('without a host');
});

test('a socket left by a host that is gone is no obstacle', async () => {
  await using it = await programBench(script());
  const { folder, socket, lock, token } = await placeOf(it);
  await mkdir(folder, { mode: 0o700 });
  const server = createServer().listen(socket);
  await new Promise((resolve) => server.once('listening', resolve));
  // Its file stays, as after kill -9.
  await rename(socket, `${socket}.kept`);
  await new Promise((resolve) => server.close(resolve));
  await rename(`${socket}.kept`, socket);
  await symlink(JSON.stringify({ pid: 4_000_000, startedAt: '1', purpose: 'turn' }), lock);
  await writeFile(token, 'old\n');
  expect(await session(it)).toBe(0);
  expect(await logOf(it)).toMatch(/host .* listens/);
});

test.each<[what: string, spoil: (folder: string) => Promise<unknown>, why: string]>([
  ['a link', async (folder) => symlink('/tmp', folder), 'is a link'],
  ['a file', async (folder) => writeFile(folder, ''), 'is no folder'],
  [
    'open to others',
    async (folder) => {
      await mkdir(folder);
      await chmod(folder, 0o755);
    },
    'can be entered by others',
  ],
])(
  'a folder of the host that is %s is not trusted: editor and shell are served without a host, and are told why',
  async (_, spoil, why) => {
    await using it = await programBench(script());
    const { folder } = await placeOf(it);
    await spoil(folder);
    expect(await session(it)).toBe(0);
    expect(await logOf(it)).toMatch(new RegExp(`without a host: ${folder} ${why}.*remove it`));
    expect(await runProgram(['threads'], { env: it.env })).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(
        new RegExp(`^codex-lsp: done here, without the host: ${folder} ${why}.*remove it.*\n$`),
      ),
    });
    await rm(folder, { recursive: true, force: true });
  },
);

test('a host that hangs keeps no editor from its work', async () => {
  await using it = await programBench(script());
  const { folder, socket, token } = await placeOf(it);
  await mkdir(folder, { mode: 0o700 });
  await writeFile(token, 'its own\n');
  const sockets = new Set<import('node:net').Socket>();
  const mute = createServer((guest) => sockets.add(guest)).listen(socket);
  await new Promise((resolve) => mute.once('listening', resolve));
  const status = session(it);
  // It is asked again and again; each time it goes away without a word.
  mute.on('connection', (guest) => guest.destroy());
  for (const guest of sockets) guest.destroy();
  expect(await status).toBe(0);
  expect(await logOf(it)).toContain('without a host: the host does not answer');
  mute.close();
});

test('a host whose token is gone: the editor is served without it, and the log says why', async () => {
  await using it = await programBench(script());
  const started = await runProgram(['host', '--start'], { env: it.env });
  const { token } = JSON.parse(started.stdout);
  await rm(token);
  expect(await session(it)).toBe(0);
  expect(await logOf(it)).toContain(`without a host: the token of the host cannot be read: ENOENT`);
});

test.each([
  ['a wrong token', { codexLsp: 1, token: 'wrong', build: '', kind: 'editor', environment: {}, flags: [] }, 'token'],
  ['no greeting', { hello: 'world' }, 'no greeting'],
])('%s is refused with a sentence', async (_, greeting, why) => {
  await using it = await programBench(script());
  const started = await runProgram(['host', '--start'], { env: it.env });
  const { socket } = JSON.parse(started.stdout);
  const guest = createConnection(socket);
  let answer = '';
  guest.setEncoding('latin1').on('data', (text) => {
    answer += text;
  });
  guest.write(`${JSON.stringify(greeting)}\n`);
  await soon(new Promise((resolve) => guest.once('close', resolve)), 'the end');
  expect(answer).toContain(why);
});

test('a program that was built anew has a host of its own; the old one ends with its last editor', async () => {
  await using it = await programBench(script());
  const old = startProgram(['--stdio'], { cwd: it.workspace.root, env: it.env });
  const client = connect(old.child.stdout, old.child.stdin);
  await client.request('initialize', it.initialize);
  const { lock } = await placeOf(it);
  const before = await readlink(lock);
  const pids = [JSON.parse(before).pid];

  // The same files with another time are another build.
  const copy = join(it.workspace.stateDir, 'program');
  const repository = join(import.meta.dirname, '../..');
  for (const part of ['bin', 'dist']) await cp(join(repository, part), join(copy, part), { recursive: true });
  await writeFile(join(copy, 'package.json'), '{"type":"module"}');
  const options = { cwd: it.workspace.root, env: it.env, bin: join(copy, 'bin/codex-lsp.js') };
  const next = startProgram(['--stdio'], options);
  const other = connect(next.child.stdout, next.child.stdin);
  await other.request('initialize', it.initialize);
  expect(await readlink(lock)).not.toBe(before);
  pids.push(JSON.parse(await readlink(lock)).pid);
  for (const one of [client, other]) {
    expect(await one.request('codex/status')).toMatchObject({ threads: [] });
    await one.request('shutdown');
    await one.connection.sendNotification('exit');
  }
  expect(await Promise.all([old.ended, next.ended])).toEqual([0, 0]);
  await expect.poll(() => pids.filter((pid) => existsSync(`/proc/${pid}`)), { timeout: 10_000 }).toEqual([]);
  expect(await logOf(it)).not.toContain('without a host');
});

test('two versions live side by side, and a long state folder has its socket elsewhere', async () => {
  const [old, now] = [await hostPlace('/state', '1.0.0'), await hostPlace('/state', '1.1.0')];
  expect(old.folder).toBe(now.folder);
  expect(new Set([old.socket, now.socket, old.lock, now.lock, old.token, now.token]).size).toBe(6);
  const long = `/${'long/'.repeat(30)}`;
  const far = await hostPlace(long, '1.0.0');
  expect(Buffer.byteLength(far.socket)).toBeLessThanOrEqual(103);
  expect(far.folder).not.toBe((await hostPlace(`${long}er`, '1.0.0')).folder);
});

test('an editor is served where the state folder has a long path', async () => {
  await using it = await programBench(script(say('Hello.')));
  const stateDir = join(it.workspace.stateDir, 'x'.repeat(120));
  await mkdir(stateDir, { mode: 0o700 });
  const program = startProgram(['exec', 'hello'], {
    cwd: it.workspace.root,
    env: { ...it.env, CODEX_LSP_STATE_DIR: stateDir },
  });
  program.child.stdin.end();
  expect(await soon(program.ended, 'exec')).toBe(0);
  const started = await runProgram(['host', '--start'], { env: { ...it.env, CODEX_LSP_STATE_DIR: stateDir } });
  const { socket } = JSON.parse(started.stdout);
  expect(socket.startsWith(stateDir)).toBe(false);
  const listed = await runProgram(['threads'], { env: { ...it.env, CODEX_LSP_STATE_DIR: stateDir } });
  expect(listed.stdout).toContain('hello');
});
