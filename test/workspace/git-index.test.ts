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

/** An index of version 4 or 2: each entry cuts so much from the name before it, and adds so many characters. */
function index(version: 2 | 4, entries: readonly { cut: number; name: string }[]): Buffer {
  const head = Buffer.from(`DIRC\0\0\0${String.fromCharCode(version)}\0\0\0\0`, 'latin1');
  head.writeUInt32BE(entries.length, 8);
  return Buffer.concat([
    head,
    ...entries.flatMap(({ cut, name }) => [
      Buffer.alloc(62),
      Buffer.from(version === 4 ? [cut] : []),
      Buffer.from(`${name}\0`),
    ]),
  ]);
}

const spread = (length: number) => Array.from({ length }, (_, at) => ({ cut: 5, name: `${10_000 + at}` }));
const first = (name: string) => ({ cut: 0, name: `${name}12345` });

test.each([
  ['a name of 40 kB', index(2, [{ cut: 0, name: 'a/'.repeat(20_000) }]), 'too long'],
  ['names that only grow', index(4, Array(9000).fill({ cut: 0, name: 'x' })), 'too long'],
  ['long names out of short entries', index(4, [first('n'.repeat(4000)), ...spread(20_000)]), 'too large'],
  ['more cut from a name than there is', index(4, [first('a'), { cut: 99, name: 'x' }]), 'cuts more'],
])('%s: nothing is tracked, soon', async (_, bytes, problem) => {
  using folder = makeFolder({ '.git/config': '', '.git/index': bytes });
  const problems: string[] = [];
  const startedAt = performance.now();
  expect((await trackedFiles(folder.path, (each) => problems.push(each))(['a'])).size).toBe(0);
  expect(performance.now() - startedAt).toBeLessThan(3_000);
  expect(problems).toEqual([expect.stringContaining(problem)]);
});

test.each([
  ['a pipe', 'mkfifo .git/index .git/commondir .git/config'],
  ['a device', 'ln -s /dev/zero .git/index; ln -s /dev/zero .git/commondir; ln -s /dev/zero .git/config'],
])('where git has %s, it is not waited for', async (_, command) => {
  using folder = makeFolder({ a: '' });
  folder.bash(`mkdir .git; ${command}`);
  const problems: string[] = [];
  expect((await trackedFiles(folder.path, (problem) => problems.push(problem))(['a'])).size).toBe(0);
  expect(problems).toEqual([expect.stringContaining('is no file')]);
});
