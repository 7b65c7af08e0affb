import { chmodSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readState, textBytesMax, userState } from '../../server/workspace/snapshot.ts';
import { makeFolder } from './folder.ts';

test('each kind of file is what it is', async () => {
  using folder = makeFolder({
    'text.txt': 'a\r\nb',
    'bom.txt': '\ufeffa\n',
    'latin1.txt': Buffer.from([0x68, 0xe9]),
    'surrogate.txt': Buffer.from([0xed, 0xa0, 0x80]),
    'large.txt': 'x'.repeat(textBytesMax + 1),
    'nul.txt': 'a\0b',
    empty: '',
  });
  folder.bash('ln -s text.txt link; ln -s /nowhere dangling; mkfifo pipe; mkdir dir; chmod 755 empty');
  const states = await Promise.all(
    [
      'text.txt',
      'bom.txt',
      'latin1.txt',
      'surrogate.txt',
      'large.txt',
      'nul.txt',
      'empty',
      'link',
      'dangling',
      'pipe',
      'dir',
      'no',
    ].map((path) => readState(folder.path, path)),
  );
  expect(states).toEqual([
    { kind: 'text', text: 'a\r\nb', mode: 0o644 },
    { kind: 'text', text: '\ufeffa\n', mode: 0o644 },
    { kind: 'binary', hash: expect.stringMatching(/^[0-9a-f]{64}$/), size: 2, mode: 0o644 },
    { kind: 'binary', hash: expect.any(String), size: 3, mode: 0o644 },
    { kind: 'binary', hash: expect.stringMatching(/^[0-9a-f]{64}$/), size: textBytesMax + 1, mode: 0o644 },
    { kind: 'binary', hash: expect.any(String), size: 3, mode: 0o644 },
    { kind: 'text', text: '', mode: 0o755 },
    { kind: 'symlink', target: 'text.txt' },
    { kind: 'symlink', target: '/nowhere' },
    { kind: 'other', what: 'pipe' },
    { kind: 'absent' },
    { kind: 'absent' },
  ]);
});

test.each([[0], [100], [7_999], [9_000]])(
  'a NUL at %i makes UTF-8 binary; git looks at the first 8000 bytes only',
  async (at) => {
    using folder = makeFolder({ 'a.dat': Buffer.from(`${'x'.repeat(at)}\0${'é'.repeat(100)}\n`) });
    expect(await readState(folder.path, 'a.dat')).toMatchObject({ kind: 'binary', size: at + 202 });
  },
);

test('nothing is read through a symbolic link, or below a file', async () => {
  using outside = makeFolder({ 'secret/key': 'k' });
  using folder = makeFolder({ file: 'f' });
  folder.bash(`ln -s ${outside.path}/secret out; mkdir real; ln -s real alias; echo x > real/x`);
  expect(await readState(folder.path, 'out/key')).toEqual({ kind: 'absent' });
  expect(await readState(folder.path, 'alias/x')).toEqual({ kind: 'absent' });
  expect(await readState(folder.path, 'file/x')).toEqual({ kind: 'absent' });
  expect(await readState(folder.path, 'real/x')).toMatchObject({ kind: 'text' });
});

test('the buffer is over the disk, with the mode of the file', async () => {
  using folder = makeFolder({ run: 'old', 'bin.dat': Buffer.from([0xff]) });
  chmodSync(`${folder.path}/run`, 0o755);
  const buffers = new Map([
    ['run', 'new'],
    ['unsaved', 'u'],
  ]);
  expect(await userState(folder.path, 'run', buffers)).toEqual({ kind: 'text', text: 'new', mode: 0o755 });
  expect(await userState(folder.path, 'unsaved', buffers)).toEqual({ kind: 'text', text: 'u', mode: 0o644 });
  expect(await userState(folder.path, 'bin.dat', buffers)).toMatchObject({ kind: 'binary' });
});
