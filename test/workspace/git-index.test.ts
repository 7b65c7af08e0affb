import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { trackedFiles } from '../../server/workspace/git-index.ts';
import { makeFolder } from './folder.ts';

const files = {
  'a.txt': '',
  'dir/long name é.txt': '',
  'dir/sub/x': '',
  [`${'deep/'.repeat(60)}f`]: '',
  [`${'n'.repeat(90)}`]: '',
};
const all = Object.keys(files);

test.each([2, 3, 4])('version %i', async (version) => {
  using folder = makeFolder(files);
  folder.bash('git init -q . && git add -A');
  // An intent to add needs the flags of version 3.
  if (version === 3) folder.bash('echo x > later; git add -N later');
  folder.bash(`git update-index --index-version ${version}`);
  const tracked = trackedFiles(folder.path, (problem) => expect.fail(problem));
  const asked = [...all, 'dir/', 'dir/sub/', 'di/', 'no', 'dir/no'];
  expect([...(await tracked(asked))]).toEqual([...all, 'dir/', 'dir/sub/']);
});

test('it is read again when it has changed', async () => {
  using folder = makeFolder({ a: '', b: '' });
  folder.bash('git init -q . && git add a');
  const tracked = trackedFiles(folder.path);
  expect([...(await tracked(['a', 'b']))]).toEqual(['a']);
  folder.bash('git add b');
  expect([...(await tracked(['a', 'b']))]).toEqual(['a', 'b']);
});

test('a folder of the repository, and a linked worktree', async () => {
  using folder = makeFolder({ 'main/sub/x': '', 'main/y': '' });
  folder.bash(
    'cd main && git init -q . && git add -A && git -c user.name=a -c user.email=a@b commit -qm x && git worktree add -q ../linked',
  );
  expect([...(await trackedFiles(join(folder.path, 'main/sub'))(['x', 'y']))]).toEqual(['x']);
  expect([...(await trackedFiles(join(folder.path, 'linked'))(['sub/x', 'y', 'z']))]).toEqual(['sub/x', 'y']);
});

test('a repository of sha256', async () => {
  using folder = makeFolder({ a: '', b: '' });
  folder.bash('git init -q --object-format=sha256 . && git add -A');
  expect([...(await trackedFiles(folder.path)(['a', 'b']))]).toEqual(['a', 'b']);
});

test('without git, and without an index, nothing is tracked', async () => {
  using folder = makeFolder({ a: '' });
  expect((await trackedFiles(folder.path)(['a'])).size).toBe(0);
  folder.bash('git init -q .');
  expect((await trackedFiles(folder.path)(['a'])).size).toBe(0);
});

test.each([
  ['an unknown version', Buffer.from('DIRC\0\0\0\u0009\0\0\0\u0001')],
  ['no index at all', Buffer.from('hello')],
  ['an end too early', Buffer.from('DIRC\0\0\0\u0002\0\0\0\u0005abc')],
])('%s tracks nothing and is reported', async (_, bytes) => {
  using folder = makeFolder({ a: '' });
  folder.bash('git init -q . && git add a');
  rmSync(join(folder.path, '.git/index'));
  writeFileSync(join(folder.path, '.git/index'), bytes);
  const problems: string[] = [];
  expect((await trackedFiles(folder.path, (problem) => problems.push(problem))(['a'])).size).toBe(0);
  expect(problems).toEqual([expect.stringContaining('git index')]);
});
