/** A thread that is deleted is gone, from disk too, whoever looks at it meanwhile and whenever the process is killed. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, rename, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTick } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { openTasks } from '../../server/task/open.ts';
import { noDocuments } from '../../server/task/ports.ts';
import { Registry } from '../../server/task/registry.ts';
import { patch, say, script } from '../support/model.ts';
import { diskFace, openBench } from '../support/task.ts';

const rounds = 12;

test('whoever looks at a thread while it is deleted is in nobody’s way, and brings nothing back', async () => {
  const answers = Array.from({ length: rounds }, (_, n) => [patch.add(`new/${n}.txt`, `${n}\n`), say('Done.')]).flat();
  await using bench = await openBench({ files: { 'a.txt': 'a\n' }, script: script(...answers) });
  for (let round = 0; round < rounds; round++) {
    const { threadId } = await bench.run('add one');
    // Another process: its first look opens the copy, and makes what is missing there.
    await bench.restart();
    const { tasks, workspace } = bench;
    const looks = Promise.allSettled(Array.from({ length: 6 }, () => tasks.review(threadId, noDocuments)));
    const deleted = tasks.delete(threadId);
    const late = Promise.allSettled([
      tasks.review(threadId, noDocuments),
      tasks.changeset(threadId, noDocuments),
      tasks.rename(threadId, 'x'),
    ]);
    await deleted;
    await Promise.all([looks, late]);
    await expect(tasks.thread(threadId)).rejects.toMatchObject({ reason: 'unknownThread' });
    expect((await tasks.list({})).threads).toEqual([]);
    expect(readdirSync(join(workspace.stateDir, 'threads'))).toEqual([]);
  }
});

test('one that was being deleted when its process was killed is no thread any more, and its rest is removed by the next', async () => {
  await using bench = await openBench({
    files: { 'a.txt': 'a\n' },
    script: script(patch('a.txt', '-a', '+A'), say('Done.')),
  });
  const { threadId } = await bench.run('shout');
  const folder = bench.tasks.folderOf(threadId);
  await bench.tasks.close();
  const left = `${folder}.x.deleted`;
  await rename(folder, left);
  const young = `${folder}.y.deleted`;
  await mkdir(young);
  await writeFile(join(young, 'journal.jsonl'), '');
  await utimes(left, 1, 1);

  const tasks = await openTasks({ stateDir: bench.workspace.stateDir });
  expect((await tasks.list({})).threads).toEqual([]);
  await expect.poll(() => existsSync(left)).toBe(false);
  // Somebody may be at it.
  expect(existsSync(young)).toBe(true);
  await tasks.close();
});

test('what a process that is gone was deleting is removed at once, also before anybody has asked for its end', async () => {
  await using bench = await openBench({ files: {}, script: script() });
  await bench.tasks.close();
  // The child ends when its input does, and what its parent has become by then never asks for it.
  const become = 'exec 3<&0; (read -r _ <&3) & echo $!; exec sleep 60';
  const parent = spawn('bash', ['-c', become], { stdio: ['pipe', 'pipe', 'inherit'] });
  onTestFinished(() => void parent.kill());
  const [ended] = await once(parent.stdout, 'data');
  await expect.poll(() => readFileSync(`/proc/${parent.pid}/comm`, 'utf8')).toBe('sleep\n');
  parent.stdin.end();
  await expect.poll(() => readFileSync(`/proc/${Number(String(ended))}/stat`, 'utf8')).toContain(') Z ');
  const threads = join(bench.workspace.stateDir, 'threads');
  const folders = [Number(String(ended)), process.pid].map((pid) => join(threads, `t1.${pid}.x1.deleted`));
  for (const folder of folders) {
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'journal.jsonl'), '');
  }
  await bench.restart();
  const [ofGone = '', ofLiving = ''] = folders;
  await expect.poll(() => existsSync(ofGone)).toBe(false);
  expect(existsSync(ofLiving)).toBe(true);
});

test.each([
  ['a start', 0],
  ['a start that is begun', 1],
])('%s and a deletion at once: the turn ends and the thread is gone', async (_name, ticks) => {
  await using bench = await openBench({ files: {}, script: script(say('Done.')) });
  const { threadId } = await bench.run('first');
  const started = bench.start('again', { threadId });
  for (let tick = 0; tick < ticks; tick++) await nextTick();
  const [start, deleted] = await Promise.allSettled([started, bench.tasks.delete(threadId)]);
  expect(deleted.status).toBe('fulfilled');
  if (start.status === 'rejected') expect(start.reason).toMatchObject({ reason: 'unknownThread' });
  else expect(bench.events.at(-1)?.event).toMatchObject({ type: 'turnCompleted', status: 'interrupted' });
  expect(readdirSync(join(bench.workspace.stateDir, 'threads'))).toEqual([]);
});

test('a start that comes while a thread is deleted is refused, or its turn ends with it', async () => {
  for (const ticks of [0, 1, 2, 3, 5, 8]) {
    await using bench = await openBench({ files: {}, script: script(say('Done.')) });
    const { threadId } = await bench.run('first');
    const deleted = bench.tasks.delete(threadId);
    for (let tick = 0; tick < ticks; tick++) await nextTick();
    const [start] = await Promise.allSettled([bench.start('again', { threadId }), deleted]);
    if (start.status === 'rejected') expect(start.reason).toMatchObject({ reason: 'unknownThread' });
    else expect(bench.events.at(-1)?.event).toMatchObject({ type: 'turnCompleted', status: 'interrupted' });
    expect(readdirSync(join(bench.workspace.stateDir, 'threads'))).toEqual([]);
  }
});

test('one that another process has deleted is unknown to all', async () => {
  await using bench = await openBench({
    files: { 'a.txt': 'a\n' },
    script: script(patch('a.txt', '-a', '+A'), say('Done.')),
  });
  const { threadId } = await bench.run('shout');
  const other = await openTasks({ stateDir: bench.workspace.stateDir });
  await other.delete(threadId);
  await other.close();
  const { tasks, workspace } = bench;
  for (const asked of [
    () => tasks.rename(threadId, 'x'),
    () => tasks.thread(threadId),
    () => tasks.changeset(threadId, noDocuments),
    () => bench.start('again', { threadId }),
    () => tasks.delete(threadId),
  ]) {
    await expect(asked()).rejects.toMatchObject({ reason: 'unknownThread' });
  }
  expect((await tasks.list({})).threads).toEqual([]);
  expect(await tasks.waiting({ root: workspace.root })).toEqual([]);
  expect(tasks.approvals({ root: workspace.root })).toEqual([]);
});

test('whose approval it was is asked of lists, and no thread is loaded for one that nobody has', async () => {
  await using bench = await openBench({
    files: { 'a.txt': 'a\n' },
    script: script(patch('a.txt', '-a', '+A'), say('Done.')),
  });
  const { threadId } = await bench.run('shout');
  const { approval } = await bench.event('approvalRequested');
  await bench.restart();
  const registry = new Registry(bench.workspace.stateDir, {
    publish: () => {},
    recoverApply: async () => {},
    recover: async () => {},
  });
  expect(await registry.withApproval('a-of-nobody')).toBeUndefined();
  expect(await registry.withGrant('g-of-nobody')).toBeUndefined();
  expect(registry.all()).toEqual([]);
  expect((await registry.withApproval(approval.approvalId))?.threadId).toBe(threadId);
  await bench.tasks.approve({ approvalId: approval.approvalId, decision: 'decline' }, diskFace);
  await bench.restart();
  const later = new Registry(bench.workspace.stateDir, {
    publish: () => {},
    recoverApply: async () => {},
    recover: async () => {},
  });
  expect((await later.withApproval(approval.approvalId))?.threadId).toBe(threadId);
});
