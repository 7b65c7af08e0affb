/** What doctor says of threads and hosts, and what `--clean` removes: nothing that anybody could miss. */
import { existsSync, readlinkSync } from 'node:fs';
import { mkdir, readdir, rename, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import metadata from '../../package.json' with { type: 'json' };
import { findLeftovers } from '../../server/task/leftovers.ts';
import { threadSizes } from '../../server/task/thread-sizes.ts';
import { patch, say, script, soon } from '../support/model.ts';
import { runProgram } from '../support/program.ts';
import { connect, programBench } from '../support/wire.ts';

const shout = () => script(patch('a.txt', '-one', '+ONE'), say('Done.'));
const dead = JSON.stringify({ pid: 2 ** 22 - 1, startedAt: '1', purpose: 'turn' });

async function withThread() {
  const it = await programBench(shout());
  const run = (...args: string[]) => runProgram(args, { cwd: it.workspace.root, env: it.env });
  expect((await run('exec', 'shout one')).code).toBe(0);
  const threadId = (await run('threads')).stdout.split(' ')[0] ?? '';
  return { it, run, threadId, threads: join(it.workspace.stateDir, 'threads') };
}

test('doctor says how much threads take, and which are the largest', async () => {
  const { it, run, threadId } = await withThread();
  await using _ = it;
  const { code, stdout } = await run('doctor');
  expect(code).toBe(0);
  expect(stdout).toMatch(/Threads\n {2}ok {2}1 \(0 archived\), [\d.]+ KiB: .* in copies, .* in journals/);
  expect(stdout).toMatch(new RegExp(`the largest: ${threadId} [\\d.]+ KiB “shout one”`));
  expect(stdout).toMatch(/Host\n {2}ok {2}none runs/);
  expect(stdout.split('Sandbox')[0]).not.toContain('!!');
});

test('what killed processes have left is said, with the way to mend it; --clean removes it and nothing else', async () => {
  const { it, run, threadId, threads } = await withThread();
  await using _ = it;
  const { stateDir } = it.workspace;
  const folder = join(threads, threadId);
  const kept = await readdir(folder);
  await symlink(dead, join(folder, 'writer.lock'));
  const old = async (path: string, make: (path: string) => Promise<unknown>) => {
    await make(path);
    await utimes(path, 1, 1);
    return path;
  };
  const left = [
    await old(join(folder, 'summary.json.new'), (path) => writeFile(path, 'half')),
    await old(join(stateDir, 'probe-aB3dE6'), (path) => mkdir(path)),
    await old(join(stateDir, 'summaries.json.new'), (path) => writeFile(path, '{')),
    await old(join(threads, `${threadId}0.x.deleted`), (path) => mkdir(path)),
    await old(join(threads, 'tneverbegun'), async (path) => {
      await mkdir(path);
      await symlink(dead, join(path, 'writer.lock'));
    }),
  ];
  // Somebody may be at these.
  const young = join(threads, 'tyoung');
  await mkdir(young);
  await writeFile(join(folder, 'review.diff.x.tmp'), 'just now');

  const { stdout } = await run('doctor');
  for (const sentence of [
    `!!  3 files half-written by a process that is gone: ${left[1]}, ${left[2]}, ${left[0]}`,
    `!!  1 half-deleted thread: ${left[3]}`,
    `!!  1 thread folder of a task that never began: ${left[4]}`,
    `!!  1 lock of a process that is gone, which stops nobody: ${join(folder, 'writer.lock')}`,
    '→ codex-lsp doctor --clean removes it',
  ]) {
    expect(stdout).toContain(sentence);
  }
  const cleaned = await run('doctor', '--clean');
  expect(cleaned).toMatchObject({ code: 0, stderr: '' });
  expect(cleaned.stdout).toContain(`removed ${left[0]}\n`);
  expect(cleaned.stdout).not.toContain('!!');
  expect(left.filter((path) => existsSync(path))).toEqual([]);
  expect(existsSync(young)).toBe(true);
  expect(await readdir(folder)).toEqual([...kept, 'review.diff.x.tmp'].toSorted());
  expect((await run('doctor', '--clean')).stdout).toMatch(/^There was nothing to remove\.\n/);
  expect((await run('diff', threadId)).stdout).toContain('+ONE');
});

test('a thread whose workspace is gone is named, and is not removed: it may come back', async () => {
  const { it, run, threadId } = await withThread();
  await using _ = it;
  const { root, stateDir } = it.workspace;
  await rename(root, `${root}-aside`);
  const elsewhere = (...args: string[]) => runProgram(args, { cwd: stateDir, env: it.env });
  const { stdout } = await elsewhere('doctor', '--clean');
  expect(stdout).toMatch(new RegExp(`!! {2}1 thread whose workspace is gone, .*: ${threadId} in ${root}`));
  expect(stdout).toContain(`codex-lsp delete ${threadId}`);
  await rename(`${root}-aside`, root);
  expect((await run('diff', threadId)).stdout).toContain('+ONE');
});

test('hosts: who runs, since when and for how many; what a killed one left is named, and cleaned', async () => {
  await using it = await programBench(script());
  const program = it.start('--stdio');
  const client = connect(program.child.stdout, program.child.stdin);
  await client.request('initialize', it.initialize);
  const place = join(it.workspace.stateDir, 'host', metadata.version);
  const pid: number = JSON.parse(readlinkSync(`${place}.lock`)).pid;
  const doctor = () => runProgram(['doctor', '--clean'], { env: it.env });
  expect((await doctor()).stdout).toContain(`ok  ${metadata.version} runs: process ${pid}, since 2`);
  expect((await doctor()).stdout).toContain(', 1 connected');

  process.kill(pid, 'SIGKILL');
  await soon(program.ended, 'the end of the relay');
  expect(existsSync(`${place}.sock`)).toBe(true);
  const said = (await runProgram(['doctor'], { env: it.env })).stdout;
  expect(said).toContain(`!!  ${metadata.version} was killed and has left its socket or lock`);
  expect((await doctor()).stdout).toContain(`removed ${place}.sock`);
  expect(await readdir(join(it.workspace.stateDir, 'host'))).toEqual([]);
  expect((await doctor()).stdout).toContain('none runs');
});

test('a thousand threads and many files are looked at in bounded time', async () => {
  const { it, threadId, threads } = await withThread();
  await using _ = it;
  const { stateDir } = it.workspace;
  for (let n = 0; n < 1000; n++) {
    const folder = join(threads, `tmany${n}`);
    await mkdir(folder);
    await writeFile(join(folder, 'journal.jsonl'), '');
    await writeFile(join(folder, 'writer.lock'), '');
  }
  const began = performance.now();
  const { threads: sizes, isWhole } = await threadSizes(stateDir);
  await findLeftovers(stateDir);
  expect(performance.now() - began).toBeLessThan(5_000);
  expect({ count: sizes.length, isWhole }).toEqual({ count: 1001, isWhole: true });
  expect(sizes[0]).toMatchObject({ threadId, title: 'shout one', goneFolders: [] });
  const cut = await threadSizes(stateDir, { filesMax: 2 });
  expect({ count: cut.threads.length, isWhole: cut.isWhole }).toEqual({ count: 1001, isWhole: false });
});
