/** A state folder that cannot be written: full, or read-only. Each is a sentence with the way out; nothing is lost, and the server lives on. */
import { execFileSync } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { patch, say, script, startModel } from '../support/model.ts';
import { runProgram, startProgram } from '../support/program.ts';
import { connect } from '../support/wire.ts';
import { makeWorkspace } from '../support/workspace.ts';

const isRoot = process.getuid?.() === 0;

/** A file system of its own at the state folder, of this size. */
async function smallDisk(folder: string, kib: number) {
  await mkdir(folder, { recursive: true });
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${kib}k,mode=0700`, 'tmpfs', folder]);
  return {
    readOnly: () => execFileSync('mount', ['-o', 'remount,ro', folder]),
    async fill() {
      // The last free page goes too.
      await writeFile(join(folder, 'fill'), Buffer.alloc(kib * 1024)).catch(() => {});
    },
    free: () => rm(join(folder, 'fill')),
    [Symbol.dispose]: () => void execFileSync('umount', ['--lazy', folder]),
  };
}

test.runIf(isRoot)(
  'a full disk: said, with the way out; with room again the same thread goes on, and nothing of it is lost',
  async () => {
    await using workspace = await makeWorkspace({ 'a.txt': 'one\n' });
    await using model = await startModel(script(patch('a.txt', '-one', '+ONE'), say('Done.'), say('Again.')));
    const stateDir = join(workspace.stateDir, 'disk');
    using disk = await smallDisk(stateDir, 2048);
    const env = { CODEX_LSP_STATE_DIR: stateDir, OPENAI_API_KEY: 'x', OPENAI_BASE_URL: model.baseURL };
    const program = startProgram(['--no-host'], { cwd: workspace.root, env });
    const client = connect(program.child.stdout, program.child.stdin);
    const capabilities = { experimental: { codex: { events: true } } };
    await client.request('initialize', { processId: null, rootUri: pathToFileURL(workspace.root).href, capabilities });
    const { threadId } = await client.request('codex/runTask', { prompt: 'shout' });
    await client.event(({ event }) => event.type === 'turnCompleted');

    await disk.fill();
    const why = expect.stringMatching(/cannot be written.*no space.*make room/);
    expect(await client.request('codex/accept', { threadId })).toMatchObject({
      applied: [],
      failed: [{ reason: why }],
    });
    expect(await workspace.read('a.txt')).toBe('one\n');
    // Until the last page of the journal is full too.
    const renamed = async () => {
      for (let count = 0; count < 60; count++) {
        await client.request('codex/rename', { threadId, title: `${count} ${'x'.repeat(150)}` });
      }
    };
    await expect(renamed()).rejects.toMatchObject({ message: expect.stringMatching(/cannot be written/) });
    expect(await client.request('codex/threads')).toMatchObject({ threads: [{ threadId, status: 'inReview' }] });
    await disk.free();
    expect(await client.request('codex/accept', { threadId })).toMatchObject({ applied: ['a.txt'], failed: [] });
    const { turnId } = await client.request('codex/runTask', { prompt: 'again', threadId });
    const end = await client.event((one) => one.turnId === turnId && one.event.type === 'turnCompleted');
    expect(end.event).toMatchObject({ status: 'completed' });
    await client.request('shutdown');
    await client.connection.sendNotification('exit');
    expect(await program.ended).toBe(0);
  },
);

test.runIf(isRoot)('read-only: an editor is served and reads, a task is refused with the way out', async () => {
  await using workspace = await makeWorkspace({ 'a.txt': 'one\n' });
  const stateDir = join(workspace.stateDir, 'disk');
  using disk = await smallDisk(stateDir, 2048);
  disk.readOnly();
  const env = { CODEX_LSP_STATE_DIR: stateDir, OPENAI_API_KEY: 'x' };
  const run = (...args: string[]) => runProgram(args, { cwd: workspace.root, env });
  const sentence = `The state folder ${stateDir} cannot be written: it is read-only. To go on, make it writable, or set CODEX_LSP_STATE_DIR to another folder.\n`;
  expect(await run('threads')).toEqual({
    code: 0,
    stdout: '',
    stderr: `codex-lsp: done here, without the host: ${sentence}`,
  });
  expect(await run('host', '--start')).toEqual({ code: 1, stdout: '', stderr: `codex-lsp: ${sentence}` });
  expect(await run('host')).toEqual({ code: 1, stdout: sentence, stderr: '' });
  const exec = await run('exec', 'hello');
  expect(exec).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/state folder .* cannot be written: it is read-only.*CODEX_LSP_STATE_DIR/),
  });
  expect(exec.stderr).not.toMatch(/^ +at /m);
  const program = startProgram(['--stdio'], { cwd: workspace.root, env });
  const client = connect(program.child.stdout, program.child.stdin);
  await client.request('initialize', {
    processId: null,
    rootUri: pathToFileURL(workspace.root).href,
    capabilities: {},
  });
  await expect(client.request('codex/runTask', { prompt: 'x' })).rejects.toMatchObject({
    data: { reason: 'stateFolder' },
    message: expect.stringContaining('read-only'),
  });
  expect(await client.request('codex/status')).toMatchObject({ threads: [] });
  await client.request('shutdown');
  await client.connection.sendNotification('exit');
  expect(await program.ended).toBe(0);
});
