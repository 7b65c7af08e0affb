/** A thread that is deleted is gone, from disk too, whoever looks at it meanwhile and whenever the process is killed. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, rename, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openTasks } from '../../server/task/open.ts';
import { noDocuments } from '../../server/task/ports.ts';
import { patch, say, script } from '../support/model.ts';
import { openBench } from '../support/task.ts';

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
