/** The copy without any command: reading, patches, buffers, and what survives a new process. */
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { absent, type FileState } from '../../server/changeset/file-state.ts';
import { Copy } from '../../server/workspace/copy.ts';
import { makeFolder } from './folder.ts';

const text = (text: string, mode = 0o644): FileState => ({ kind: 'text', text, mode });

async function openCopy(files: Record<string, string | Uint8Array>) {
  const folder = makeFolder(
    Object.fromEntries(Object.entries(files).map(([path, content]) => [`ws/${path}`, content])),
  );
  mkdirSync(join(folder.path, 'ws'), { recursive: true });
  const options = { dir: join(folder.path, 'state'), root: join(folder.path, 'ws') };
  const copy = await Copy.open(options);
  return {
    ...options,
    copy,
    reopen: () => Copy.open(options),
    write: (more: Record<string, string>) =>
      folder.write(Object.fromEntries(Object.entries(more).map(([path, content]) => [`ws/${path}`, content]))),
    bash: folder.bash,
    upper: (path: string) => readFileSync(join(copy.layers.upper, path), 'utf8'),
    whiteouts: () => readFileSync(copy.layers.whiteouts, 'utf8').split('\0').slice(0, -1).sort(),
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  };
}

describe('patches', () => {
  test('are read back, with their bases, and kept by the next process', async () => {
    using place = await openCopy({ a: 'a\n', 'd/run.sh': '#!\n' });
    place.bash('chmod 755 ws/d/run.sh; chmod 750 ws/d');
    await place.copy.write([
      { path: 'a', state: text('A\n') },
      { path: 'd/run.sh', state: text('#!/bin/sh\n', 0o755) },
      { path: 'new/file', state: text('n') },
    ]);
    const expected = [
      { path: 'a', base: text('a\n'), agent: text('A\n') },
      { path: 'd/run.sh', base: text('#!\n', 0o755), agent: text('#!/bin/sh\n', 0o755) },
      { path: 'new/file', base: absent, agent: text('n') },
    ];
    expect(place.copy.changes()).toEqual(expected);
    expect(await place.copy.read('a')).toEqual(text('A\n'));
    expect(statSync(join(place.copy.layers.upper, 'd')).mode & 0o777).toBe(0o750);
    expect((await place.reopen()).changes()).toEqual(expected);
    expect(readFileSync(join(place.root, 'a'), 'utf8')).toBe('a\n');
  });

  test('delete through the list of whiteouts, only what the user has', async () => {
    using place = await openCopy({ a: 'a\n', 'd/b': 'b\n' });
    await place.copy.write([{ path: 'n', state: text('n') }]);
    await place.copy.write([
      { path: 'a', state: absent },
      { path: 'd/b', state: absent },
      { path: 'n', state: absent },
    ]);
    expect(place.whiteouts()).toEqual(['a', 'd/b']);
    // The folder is there for the whiteout to be made in.
    expect(statSync(join(place.copy.layers.upper, 'd')).isDirectory()).toBe(true);
    expect(await place.copy.read('a')).toEqual(absent);
    expect((await place.reopen()).changes().map(({ path, agent }) => [path, agent.kind])).toEqual([
      ['a', 'absent'],
      ['d/b', 'absent'],
    ]);
    await place.copy.write([{ path: 'a', state: text('back\n') }]);
    expect(place.whiteouts()).toEqual(['d/b']);
  });

  test('that bring a file back to its base are no change any more', async () => {
    using place = await openCopy({ a: 'a\n' });
    await place.copy.write([{ path: 'a', state: text('A\n') }]);
    await place.copy.write([{ path: 'a', state: text('a\n') }]);
    expect(place.copy.changes()).toEqual([]);
    // From now on the file is the user's again.
    place.write({ a: 'user\n' });
    await place.copy.refresh(new Map());
    expect(await place.copy.read('a')).toEqual(text('user\n'));
  });

  test.each([
    ['a path out of the workspace', '../x', text('x')],
    ['git', '.git/config', text('x')],
    ['our own folder', '.codex/local/x', text('x')],
    ['below a file', 'a/x', text('x')],
    ['a folder', 'd', text('x')],
    ['through a symbolic link', 'link/x', text('x')],
    ['over a symbolic link', 'link', text('x')],
    ['a binary file', 'bin', text('x')],
    ['what is no text', 'new', { kind: 'binary', hash: '', size: 0, mode: 0o644 } satisfies FileState],
  ])('are refused as a whole: %s', async (_, path, state) => {
    using outside = makeFolder({});
    using place = await openCopy({ a: 'a\n', 'd/b': 'b\n', bin: Buffer.from([0xff]) });
    symlinkSync(outside.path, join(place.root, 'link'));
    const writes = [
      { path: 'first', state: text('f') },
      { path: 'd/b', state: absent },
      { path, state },
    ];
    await expect(place.copy.write(writes)).rejects.toThrow();
    expect(place.copy.changes()).toEqual([]);
    expect(await place.copy.read('first')).toEqual(absent);
    expect(await place.copy.read('d/b')).toEqual(text('b\n'));
    expect(place.whiteouts()).toEqual([]);
    expect(outside.bash('ls -A')).toBe('');
    expect(place.bash('ls -A state/up state/aside')).toBe('state/aside:\n\nstate/up:\n');
  });

  test('do not follow a symbolic link that stands in the upper layer', async () => {
    using outside = makeFolder({ x: 'outside' });
    using place = await openCopy({});
    symlinkSync(outside.path, join(place.copy.layers.upper, 'd'));
    await expect(place.copy.write([{ path: 'd/x', state: text('in') }])).rejects.toThrow('no folder');
    expect(await place.copy.read('d/x')).toEqual(absent);
    expect(readFileSync(join(outside.path, 'x'), 'utf8')).toBe('outside');
  });
});

describe('buffers', () => {
  test('that differ from the disk are put in, and taken out when they are saved or closed', async () => {
    using place = await openCopy({ a: 'a\n', b: 'b\n' });
    const refresh = (buffers: Record<string, string>) => place.copy.refresh(new Map(Object.entries(buffers)));
    await refresh({ a: 'typed\n', b: 'b\n', 'n/new': 'unsaved\n' });
    expect(place.bash('cd state/up; find . -type f | sort')).toBe('./a\n./n/new\n');
    expect(place.upper('a')).toBe('typed\n');
    place.write({ a: 'typed\n' });
    await refresh({ a: 'typed\n' });
    expect(place.bash('cd state/up; find . -type f')).toBe('');
    expect(place.copy.changes()).toEqual([]);
  });

  test('that have not changed cost no write', async () => {
    using place = await openCopy({ a: 'a\n' });
    await place.copy.refresh(new Map([['a', 'typed\n']]));
    const before = statSync(join(place.copy.layers.upper, 'a')).mtimeMs;
    await place.copy.refresh(new Map([['a', 'typed\n']]));
    expect(statSync(join(place.copy.layers.upper, 'a')).mtimeMs).toBe(before);
  });

  test('are what they are now, whatever they and the file were before, and of whatever length', async () => {
    const mark = '\ufeff';
    const texts = ['', 'a', 'b', 'ab', 'ba', 'é', 'abcd', 'bcda', mark, `${mark}a`, `${mark}abcd`];
    const step = fc.record({
      who: fc.constantFrom('buffer', 'buffer', 'buffer', 'disk'),
      now: fc.constantFrom(...texts),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 6 }), async (steps) => {
        using place = await openCopy({ a: 'a' });
        let disk = 'a';
        for (const { who, now } of steps) {
          if (who === 'disk') {
            place.write({ a: now });
            disk = now;
            continue;
          }
          await place.copy.refresh(new Map([['a', now]]));
          const shown = disk.startsWith(mark) && !now.startsWith(mark) ? mark + now : now;
          expect(await place.copy.read('a')).toEqual(text(shown));
          expect(place.copy.changes()).toEqual([]);
          expect(readdirSync(place.copy.layers.upper)).toEqual(shown === disk ? [] : ['a']);
        }
      }),
      { numRuns: 150 },
    );
  });

  test('that lack only the byte order mark of the file are the file', async () => {
    using place = await openCopy({ a: '\ufeffa\n' });
    await place.copy.refresh(new Map([['a', 'a\n']]));
    expect(await place.copy.read('a')).toEqual(text('\ufeffa\n'));
  });

  test('never over what the agent has changed or deleted', async () => {
    using place = await openCopy({ a: 'a\n', 'd/b': 'b\n' });
    await place.copy.write([
      { path: 'a', state: text('agent\n') },
      { path: 'd/b', state: absent },
    ]);
    await place.copy.refresh(
      new Map([
        ['a', 'typed\n'],
        ['d/b', 'typed\n'],
      ]),
    );
    expect(await place.copy.read('a')).toEqual(text('agent\n'));
    expect(await place.copy.read('d/b')).toEqual(absent);
  });

  test('outside of the project are not put in', async () => {
    using place = await openCopy({});
    await place.copy.refresh(
      new Map([
        ['.git/COMMIT_EDITMSG', 'x'],
        ['../out', 'x'],
        ['.codex/local/review.diff', 'x'],
      ]),
    );
    expect(place.bash('find state/up -type f')).toBe('');
  });
});

test('a seed is a change from what the user has to what the agent shall see', async () => {
  using place = await openCopy({ a: 'disk\n' });
  await place.copy.seed('a', 'one // codex: x\n', 'one\n');
  expect(place.copy.changes()).toEqual([{ path: 'a', base: text('one // codex: x\n'), agent: text('one\n') }]);
  await place.copy.refresh(new Map([['a', 'one // codex: x\n']]));
  expect(place.upper('a')).toBe('one\n');
});

test('the bytes of a file are those of the copy, never of a folder or through a link', async () => {
  using place = await openCopy({ bin: Buffer.from([1, 255]), a: 'a' });
  symlinkSync('/etc', join(place.root, 'link'));
  expect(await place.copy.readBytes('bin')).toEqual(Buffer.from([1, 255]));
  writeFileSync(join(place.copy.layers.upper, 'bin'), Buffer.from([2, 255]));
  expect(await place.copy.readBytes('bin')).toEqual(Buffer.from([2, 255]));
  for (const path of ['none', 'link/passwd', '.git/index']) await expect(place.copy.readBytes(path)).rejects.toThrow();
});

test('settled with nothing, the copy is the workspace again', async () => {
  using place = await openCopy({ a: 'a\n', 'd/b': 'b\n', '.gitignore': 'out\n' });
  await place.copy.write([
    { path: 'a', state: absent },
    { path: 'd/b', state: text('B\n') },
    { path: 'n/n', state: text('n') },
  ]);
  mkdirSync(join(place.copy.layers.upper, 'out'));
  writeFileSync(join(place.copy.layers.upper, 'out/built'), '');
  await place.copy.settle(new Map());
  expect(place.copy.changes()).toEqual([]);
  expect(place.whiteouts()).toEqual([]);
  expect(place.bash('cd state/up; find . -type f; ls ../base')).toBe('./out/built\n');
  expect(await place.copy.read('a')).toEqual(text('a\n'));
});

test('a settling that was broken off is finished by the next process', async () => {
  using place = await openCopy({ a: 'a\n', b: 'b\n' });
  await place.copy.write([
    { path: 'a', state: text('A\n') },
    { path: 'b', state: text('B\n') },
  ]);
  await place.copy.settle(new Map([['a', { base: text('a\n'), agent: text('merged\n') }]]));
  // As if it had ended right after it began.
  const record = JSON.parse(readFileSync(join(place.dir, 'copy.json'), 'utf8'));
  const [{ base }] = record.entries;
  record.settling = [{ path: 'a', base, agent: base }];
  writeFileSync(join(place.dir, 'copy.json'), JSON.stringify({ ...record, entries: [] }));
  const next = await place.reopen();
  expect(next.changes()).toEqual([]);
  expect(await next.read('a')).toEqual(text('a\n'));
});

test('a record that is not ours is an error, not a guess', async () => {
  using place = await openCopy({ a: 'a\n' });
  writeFileSync(join(place.dir, 'copy.json'), '{"version": 9}');
  await expect(place.reopen()).rejects.toThrow();
});
