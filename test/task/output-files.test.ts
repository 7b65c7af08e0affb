/** Long outputs: the item has its ends, and a file beside the journal has it whole. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { progressPrinter } from '../../server/cli/progress.ts';
import { noDocuments } from '../../server/task/ports.ts';
import { say, script, shell } from '../support/model.ts';
import { type Bench, openBench } from '../support/task.ts';

const mebibyte = 1024 ** 2;
const numbers = Array.from({ length: 20_000 }, (_, index) => `${index + 1}\n`).join('');

async function commands({ tasks }: Bench, threadId: string) {
  const { events } = await tasks.thread(threadId);
  return events.flatMap(({ event }) =>
    event.type === 'itemCompleted' && event.item.type === 'command' ? [event.item] : [],
  );
}

const outputsOf = ({ tasks }: Bench, threadId: string): string => join(tasks.folderOf(threadId), 'outputs');

test('what the item leaves out is in its file, whole; the review and the terminal name it', async () => {
  await using bench = await openBench({
    files: { 'a.txt': 'a\n' },
    script: script(shell('seq 1 20000; echo b > a.txt'), shell('seq 1 100; exit 3'), say('Done.')),
  });
  const { threadId } = await bench.run('count');
  const [long, short] = await commands(bench, threadId);
  const path = fileURLToPath(long?.outputFile ?? '');
  expect(readFileSync(path, 'utf8')).toBe(numbers);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(statSync(outputsOf(bench, threadId)).mode & 0o777).toBe(0o700);
  expect(long?.output).toMatch(/^1\n2\n[\s\S]*bytes left out here[\s\S]*\n20000\n$/);
  expect(Buffer.byteLength(long?.output ?? '')).toBeLessThan(17 * 1024);
  expect(short).toMatchObject({ exitCode: 3, output: expect.stringContaining('\n100\n') });
  expect(short).not.toHaveProperty('outputFile');
  expect(readdirSync(outputsOf(bench, threadId))).toHaveLength(1);

  expect(await bench.tasks.reviewDocument(threadId, noDocuments)).toMatch(
    new RegExp(`# .*exit 0.*; its output: ${path}\\)\n`),
  );
  const printed: string[] = [];
  const terminal = new Writable({
    write(chunk, _encoding, done) {
      printed.push(String(chunk));
      done();
    },
  });
  const print = progressPrinter(terminal, { color: false });
  for (const envelope of bench.events) print(envelope);
  expect(printed.join('')).toContain(`all of it: ${path}`);
});

test('an output without end has the first 8 MiB in the file, and a thread the last 64', async () => {
  await using bench = await openBench({
    files: {},
    script: script(
      shell(`head -c ${9 * mebibyte} /dev/zero | tr '\\0' x`),
      say('Done.'),
      shell('seq 1 20000'),
      say('Again.'),
    ),
  });
  const { threadId } = await bench.run('write');
  const [item] = await commands(bench, threadId);
  const path = fileURLToPath(item?.outputFile ?? '');
  const text = readFileSync(path, 'utf8');
  expect(text.slice(0, 8 * mebibyte)).toBe('x'.repeat(8 * mebibyte));
  expect(text.slice(8 * mebibyte)).toBe(`\n[… ${mebibyte} more bytes were written and are not kept …]\n`);

  const folder = outputsOf(bench, threadId);
  for (const name of ['o000000001.txt', 'o000000002.txt']) {
    await writeFile(join(folder, name), '');
    await truncate(join(folder, name), 30 * mebibyte);
  }
  await bench.run('again', { threadId });
  const left = readdirSync(folder);
  expect(left).toHaveLength(3);
  expect(left).not.toContain('o000000001.txt');
});

test('the output of a command that is stopped is kept too', async () => {
  await using bench = await openBench({
    files: {},
    script: script(shell('seq 1 20000; sleep 60')),
  });
  const { threadId } = await bench.start('count');
  const written = () =>
    bench.events.map(({ event }) => (event.type === 'itemDelta' ? event.delta.length : 0)).reduce((a, b) => a + b, 0);
  await expect.poll(written).toBeGreaterThan(20_000);
  await bench.tasks.cancel(threadId);
  await bench.event('turnCompleted');
  const [item] = await commands(bench, threadId);
  expect(item?.status).toBe('killed');
  expect(numbers.startsWith(readFileSync(fileURLToPath(item?.outputFile ?? ''), 'utf8').slice(0, 20_000))).toBe(true);
});

test('where there is no room for the file, the command ends as it did, and a warning says why', async () => {
  await using bench = await openBench({
    files: {},
    script: script(shell('true'), say('First.'), shell('seq 1 20000'), say('Second.')),
  });
  const { threadId } = await bench.run('nothing');
  await writeFile(outputsOf(bench, threadId), 'no folder');
  const { end } = await bench.run('count', { threadId });
  expect(end.status).toBe('completed');
  const [, item] = await commands(bench, threadId);
  expect(item).toMatchObject({ exitCode: 0, output: expect.stringContaining('20000') });
  expect(item).not.toHaveProperty('outputFile');
  await bench.event('warning', ({ message }) => message.startsWith('What a command wrote could not be kept whole: '));
});

test('a fork has outputs of its own, and those of a deleted thread are gone', async () => {
  await using bench = await openBench({
    files: {},
    script: script(shell('seq 1 20000'), say('Done.'), shell('seq 2 20000'), say('Again.')),
  });
  const { threadId } = await bench.run('count');
  const { turnId = '' } = bench.events.at(-1) ?? {};
  await bench.run('again', { threadId });
  const fork = await bench.tasks.fork(threadId, turnId);
  expect(readdirSync(outputsOf(bench, fork.threadId))).toHaveLength(1);
  await bench.tasks.delete(threadId);
  const [item] = await commands(bench, fork.threadId);
  const path = fileURLToPath(item?.outputFile ?? '');
  expect(path.startsWith(outputsOf(bench, fork.threadId))).toBe(true);
  expect(readFileSync(path, 'utf8')).toBe(numbers);
});
