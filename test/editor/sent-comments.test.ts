import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { keepSent, sentComments } from '../../server/editor/sent-comments.ts';

async function threadFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'codex-lsp-sent-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

test('what was sent is known again, whoever asks', async () => {
  const folder = await threadFolder();
  expect(await sentComments(folder)).toEqual(new Set());
  await keepSent(folder, ['a1', 'b2']);
  await keepSent(folder, []);
  await keepSent(folder, ['c3']);
  expect(await sentComments(folder)).toEqual(new Set(['a1', 'b2', 'c3']));
});

test('it does not grow without end', async () => {
  const folder = await threadFolder();
  const many = Array.from({ length: 10_000 }, (_, at) => `key${at}`);
  await keepSent(folder, many);
  await keepSent(folder, ['last']);
  expect(await sentComments(folder)).toEqual(new Set(['last']));
});

test('a thread that was deleted is not made anew', async () => {
  const gone = join(await threadFolder(), 'gone');
  await expect(keepSent(gone, ['a1'])).rejects.toThrow('ENOENT');
  await expect(stat(gone)).rejects.toThrow('ENOENT');
});
