import { chmodSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { absent, type FileState } from '../../server/changeset/file-state.ts';
import { type DiskEntry, writeToDisk } from '../../server/workspace/disk.ts';
import { readState } from '../../server/workspace/snapshot.ts';
import { makeFolder } from './folder.ts';

const text = (text: string, mode = 0o644): FileState => ({ kind: 'text', text, mode });
const noBinary = () => Promise.reject(new Error('no binary here'));
const modeOf = (path: string) => statSync(path).mode & 0o777;

test('each kind of change is written', async () => {
  using folder = makeFolder({ mod: 'old\n', del: 'd\n', 'sub/from': 'r\n', run: 'x\n', bin: Buffer.from([0xff, 1]) });
  chmodSync(join(folder.path, 'mod'), 0o600);
  const before = await readState(folder.path, 'bin');
  const result = await writeToDisk(
    folder.path,
    [
      { path: 'mod', before: text('old\n', 0o600), after: text('new\n') },
      { path: 'del', before: text('d\n'), after: absent },
      { path: 'deep/er/to', from: 'sub/from', before: text('r\n'), after: text('renamed\n') },
      { path: 'run', before: text('x\n'), after: text('x\n', 0o755) },
      { path: 'bin', before, after: { kind: 'binary', hash: 'h', size: 3, mode: 0o644 } },
      { path: 'link', before: absent, after: { kind: 'symlink', target: 'mod' } },
      { path: 'new', before: absent, after: text('n', 0o755) },
    ],
    async (path, hash) => Buffer.from([0xfe, path.length, hash.length]),
  );
  expect(result.failed).toEqual([]);
  expect(result.written).toEqual(['mod', 'del', 'deep/er/to', 'run', 'bin', 'link', 'new']);
  expect(folder.bash('find . -mindepth 1 | sort; cat mod deep/er/to; readlink link; od -An -tu1 bin')).toBe(
    './bin\n./deep\n./deep/er\n./deep/er/to\n./link\n./mod\n./new\n./run\nnew\nrenamed\nmod\n 254   3   1\n',
  );
  expect(['mod', 'run', 'new'].map((path) => modeOf(join(folder.path, path)))).toEqual([0o600, 0o755, 0o755]);
});

describe('a folder in the place of a file, and a file in the place of a folder', () => {
  const entries: DiskEntry[] = [
    { path: 'd', before: absent, after: text('file\n') },
    { path: 'd/in/x', before: text('x\n'), after: absent },
    { path: 'd/y', before: text('y\n'), after: absent },
    { path: 'f/deep/z', before: absent, after: text('z\n') },
    { path: 'f', before: text('f\n'), after: absent },
  ];
  const files = { 'd/in/x': 'x\n', 'd/y': 'y\n', f: 'f\n' };
  const listing = 'find . -type f | sort | xargs tail -n +1';

  test('are written, and taken back', async () => {
    using folder = makeFolder(files);
    const before = folder.bash(listing);
    expect(await writeToDisk(folder.path, entries, noBinary)).toMatchObject({ failed: [] });
    expect(folder.bash('cat d f/deep/z')).toBe('file\nz\n');
    const back = entries.map(({ path, before, after }) => ({ path, before: after, after: before }));
    expect(await writeToDisk(folder.path, back, noBinary)).toMatchObject({ failed: [] });
    expect(folder.bash(listing)).toBe(before);
  });

  test('are as they were where something fails, or something else is in the folder', async () => {
    using folder = makeFolder(files);
    const before = folder.bash(listing);
    const missing: DiskEntry = {
      path: 'n',
      before: absent,
      after: { kind: 'binary', hash: 'h', size: 1, mode: 0o644 },
    };
    const { failed } = await writeToDisk(folder.path, [...entries, missing], noBinary);
    expect(failed).toEqual([{ path: 'n', reason: 'no binary here' }]);
    expect(folder.bash(listing)).toBe(before);
    folder.write({ 'd/in/mine': 'm\n' });
    const other = folder.bash(listing);
    expect((await writeToDisk(folder.path, entries, noBinary)).failed).toMatchObject([{ path: 'd' }]);
    expect(folder.bash(listing)).toBe(other);
  });
});

describe('nothing at all is written', () => {
  test.each([
    ['where a file has changed', { path: 'a', before: text('other'), after: text('x') }, 'changed on disk'],
    ['where a file has gone', { path: 'none', before: text('was'), after: text('x') }, 'changed on disk'],
    ['where a new file is there already', { path: 'a', before: absent, after: text('x') }, 'changed on disk'],
    [
      'where a rename meets a file',
      { path: 'a', from: 'first', before: text('1'), after: text('1') },
      'exists already',
    ],
    ['where a folder stands', { path: 'd', before: absent, after: text('x') }, 'is a folder'],
    ['through a symbolic link', { path: 'link/x', before: absent, after: text('x') }, 'symbolic link'],
    ['below a file', { path: 'a/x', before: absent, after: text('x') }, 'through the file'],
    ['out of the workspace', { path: '../x', before: absent, after: text('x') }, '".."'],
    ['into git', { path: '.git/hooks/x', before: absent, after: text('x') }, '.git'],
    ['of a special file', { path: 'p', before: absent, after: { kind: 'other', what: 'pipe' } as const }, 'pipe'],
  ])('%s', async (_, entry, reason) => {
    using outside = makeFolder({});
    using folder = makeFolder({ a: 'a', first: '1', 'd/x': 'x' });
    symlinkSync(outside.path, join(folder.path, 'link'));
    const good = { path: 'good', before: absent, after: text('g') };
    const { written, failed } = await writeToDisk(folder.path, [good, entry], noBinary);
    expect(written).toEqual([]);
    expect(failed).toEqual([{ path: entry.path, reason: expect.stringContaining(reason) }]);
    expect(folder.bash('ls -A')).toBe('a\nd\nfirst\nlink\n');
    expect(outside.bash('ls -A')).toBe('');
  });

  test('and what was is brought back where a later one fails half-way', async () => {
    using folder = makeFolder({ a: 'a\n', b: 'b\n', c: 'c\n', bin: Buffer.from([0xff]) });
    chmodSync(join(folder.path, 'b'), 0o755);
    const bin = await readState(folder.path, 'bin');
    const { written, failed } = await writeToDisk(
      folder.path,
      [
        { path: 'a', before: text('a\n'), after: text('A\n') },
        { path: 'b', before: text('b\n', 0o755), after: absent },
        { path: 'bin', before: bin, after: absent },
        { path: 'n/ew', from: 'c', before: text('c\n'), after: text('C\n') },
        { path: 'x', before: absent, after: { kind: 'binary', hash: 'h', size: 1, mode: 0o644 } },
      ],
      noBinary,
    );
    expect({ written, failed }).toEqual({ written: [], failed: [{ path: 'x', reason: 'no binary here' }] });
    expect(folder.bash('ls -A; cat a b c; od -An -tu1 bin')).toBe('a\nb\nbin\nc\na\nb\nc\n 255\n');
    expect(modeOf(join(folder.path, 'b'))).toBe(0o755);
  });
});
