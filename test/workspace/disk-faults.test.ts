/** What the server writes while the disk fills up, or the user changes files at the same moment. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { absent, type FileState } from '../../server/changeset/file-state.ts';
import { type DiskEntry, writeToDisk } from '../../server/workspace/disk.ts';
import { removeRemains } from '../../server/workspace/disk-folders.ts';
import { makeFolder } from './folder.ts';

const text = (text: string, mode = 0o644): FileState => ({ kind: 'text', text, mode });
const binary: FileState = { kind: 'binary', hash: 'h', size: 1, mode: 0o644 };

/** Runs `meanwhile` after everything was checked, and before anything is written. */
const write = (root: string, entries: readonly DiskEntry[], meanwhile: () => void = () => {}) =>
  writeToDisk(root, [...entries, { path: 'last', before: absent, after: binary }], async () => {
    meanwhile();
    return Buffer.from([0xff]);
  });

const files = { a: 'a\n', 'd/b': 'b\n', c: 'c\n' };
const entries: DiskEntry[] = [
  { path: 'a', before: text('a\n'), after: text('A\n') },
  { path: 'new/deep/n', before: absent, after: text('n\n') },
  { path: 'to', from: 'd/b', before: text('b\n'), after: text('B\n') },
  { path: 'c', before: text('c\n'), after: text('C\n') },
];
const listing = 'find . -mindepth 1 ! -type d | sort | xargs -d "\\n" tail -n +1; find . -type d | sort';

describe('all is as it was', () => {
  test.each<[string, string, (root: string) => void]>([
    ['where a file is changed in the last moment', 'c', (root) => writeFileSync(join(root, 'c'), 'typed\n')],
    ['where a file is removed in the last moment', 'c', (root) => rmSync(join(root, 'c'))],
    ['where a file becomes executable in the last moment', 'c', (root) => chmodSync(join(root, 'c'), 0o755)],
    [
      'where a file becomes a folder meanwhile',
      'c',
      (root) => {
        rmSync(join(root, 'c'));
        mkdirSync(join(root, 'c/in'), { recursive: true });
      },
    ],
    [
      'where another takes the name of a new file',
      'new/deep/n',
      (root) => writeFileSync(join(root, 'new/deep/n'), 'mine'),
    ],
    ['where another takes the goal of a rename', 'to', (root) => writeFileSync(join(root, 'to'), 'mine')],
  ])('%s', async (_, path, meanwhile) => {
    using folder = makeFolder(files);
    using twin = makeFolder(files);
    if (path === 'new/deep/n') mkdirSync(join(twin.path, 'new/deep'), { recursive: true });
    meanwhile(twin.path);
    const { written, failed } = await write(folder.path, entries, () => meanwhile(folder.path));
    expect(written).toEqual([]);
    expect(failed).toEqual([{ path, reason: expect.stringContaining(`${path} has changed on disk since`) }]);
    expect(folder.bash(listing)).toBe(twin.bash(listing));
  });

  test('what is written over while the rest is written is not brought back, and is named', async () => {
    const many = Array.from({ length: 300 }, (_, index) => `f${index}`);
    using folder = makeFolder({ ...files, ...Object.fromEntries(many.map((path) => [path, 'x\n'])) });
    const a = join(folder.path, 'a');
    const typing = (async () => {
      while (readFileSync(a, 'utf8') !== 'A\n') await new Promise(setImmediate);
      writeFileSync(a, 'A\ntyped\n');
    })();
    const { failed } = await write(
      folder.path,
      [
        entries[0] ?? { path: '', before: absent, after: absent },
        ...many.map((path) => ({ path, before: text('x\n'), after: text('X\n') })),
        { path: 'c', before: text('c\n'), after: text('C\n') },
      ],
      () => writeFileSync(join(folder.path, 'c'), 'mine\n'),
    );
    await typing;
    expect(failed).toEqual([
      { path: 'c', reason: expect.stringContaining('changed on disk') },
      { path: 'a', reason: expect.stringContaining('could not be taken back'), isWritten: true },
    ]);
    expect(readFileSync(a, 'utf8')).toBe('A\ntyped\n');
    expect(folder.bash('cat f* | sort -u; ls -A | grep -c codex-lsp || true')).toBe('x\n0\n');
  });

  test.runIf(process.getuid?.() === 0)('where the disk is full, or a part of it cannot be written', async () => {
    using folder = makeFolder(files);
    const mount = (path: string, options: string) => {
      mkdirSync(join(folder.path, path));
      execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', join(folder.path, path)]);
    };
    mount('small', 'size=64k');
    mount('fixed', 'size=64k,ro');
    try {
      const before = folder.bash(listing);
      for (const [path, reason] of [
        ['small/n', 'ENOSPC'],
        ['fixed/n', 'EROFS'],
      ] as const) {
        const after = text(`${'x'.repeat(99)}\n`.repeat(2000));
        const { written, failed } = await write(folder.path, [...entries, { path, before: absent, after }]);
        expect({ written, failed }).toEqual({
          written: [],
          failed: [{ path, reason: expect.stringContaining(reason) }],
        });
        expect(folder.bash(listing)).toBe(before);
      }
    } finally {
      for (const path of ['small', 'fixed']) execFileSync('umount', [join(folder.path, path)]);
    }
  });
});

test('what is made again for the user has all of its mode, and what comes from the agent only the executable bit', async () => {
  using folder = makeFolder({});
  await writeToDisk(
    folder.path,
    [
      { path: 'mine', before: absent, after: text('m\n', 0o600), restores: true },
      { path: 'theirs', before: absent, after: text('t\n', 0o600) },
    ],
    () => Promise.reject(new Error('no binary here')),
  );
  const modeOf = (path: string) => statSync(join(folder.path, path)).mode & 0o777;
  expect([modeOf('mine'), modeOf('theirs')]).toEqual([0o600, 0o644 & ~process.umask()]);
});

test('after a crash, what was half-written goes, and so do the folders made for it, if nothing else is in them', async () => {
  using folder = makeFolder({
    '.p1.x.codex-lsp': 'half',
    'made/.p1.x.codex-lsp': 'half',
    'used/.p1.x.codex-lsp': 'half',
    'used/mine': 'm',
    '.p2.x.codex-lsp': 'of another',
  });
  using outside = makeFolder({ '.p1.x.codex-lsp': 'not ours' });
  folder.bash(`ln -s ${outside.path} link; mkdir -p left/a`);
  const paths = ['a', 'made/n', 'used/n', 'link/n', 'gone/n'];
  await removeRemains(folder.path, { paths, folders: ['made', 'used', 'link', 'gone'], gone: ['left/a/b'], tag: 'p1' });
  expect(folder.bash('find . -mindepth 1 | sort')).toBe('./.p2.x.codex-lsp\n./link\n./used\n./used/mine\n');
  expect(outside.bash('ls -A')).toBe('.p1.x.codex-lsp\n');
});
