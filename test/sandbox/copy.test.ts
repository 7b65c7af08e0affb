/** The copy's own writes and a command's over each other: what we prepare is what the kernel shows, and back. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { absent, type FileState } from '../../server/changeset/file-state.ts';
import { runInSandbox } from '../../server/sandbox/run.ts';
import { Copy } from '../../server/workspace/copy.ts';
import { bash, makePlace, policy, runOver, treeOf, writeFiles } from './scenario.ts';

const text = (text: string): FileState => ({ kind: 'text', text, mode: 0o644 });

async function open(files: Record<string, string>) {
  const place = makePlace();
  writeFiles(place.root, files);
  const copy = await Copy.open(place);
  return {
    ...place,
    copy,
    run: async (command: string, buffers: Record<string, string> = {}) => {
      const result = await runOver(copy, { command, buffers: new Map(Object.entries(buffers)) });
      if (result.kind !== 'ran') throw new Error(result.reason);
      return result.output;
    },
    reopen: () => Copy.open(place),
    [Symbol.asyncDispose]: () => place[Symbol.asyncDispose](),
  };
}

const paths = (copy: Copy) => copy.changes().map(({ path }) => path);

test('what a patch deletes and adds is so for the next command', async () => {
  await using place = await open({ 'a/b/c': 'c\n', 'a/b/d': 'd\n', 'a/e': 'e\n' });
  await place.copy.write([
    { path: 'a/b/c', state: absent },
    { path: 'a/n/new', state: text('new\n') },
  ]);
  expect(await place.run('find . -type f | sort')).toBe('./a/b/d\n./a/e\n./a/n/new\n');
  expect(paths(place.copy)).toEqual(['a/b/c', 'a/n/new']);
  // The whiteout is real now, and can be written over.
  await place.copy.write([{ path: 'a/b/c', state: text('again\n') }]);
  expect(await place.run('cat a/b/c; rm -rf a/b')).toBe('again\n');
  expect(paths(place.copy)).toEqual(['a/b/c', 'a/b/d', 'a/n/new']);
});

test('a patch may add into a folder that a command deleted; what else was there stays deleted', async () => {
  await using place = await open({ 'd/one': '1\n', 'd/two': '2\n', 'd/sub/three': '3\n' });
  await place.run('rm -rf d');
  expect(await place.copy.read('d/one')).toEqual(absent);
  await place.copy.write([{ path: 'd/sub/new', state: text('new\n') }]);
  expect(await place.copy.read('d/sub/three')).toEqual(absent);
  expect(await place.run('find d -type f')).toBe('d/sub/new\n');
  expect(place.copy.changes().map(({ path, agent }) => `${path} ${agent.kind}`)).toEqual([
    'd/one absent',
    'd/sub/new text',
    'd/sub/three absent',
    'd/two absent',
  ]);
});

test('a patch over unsaved text has that as its base, and a command sees the patched file', async () => {
  await using place = await open({ a: 'disk\n' });
  const buffers = { a: 'typed\n' };
  await place.copy.refresh(new Map(Object.entries(buffers)));
  expect(await place.copy.read('a')).toEqual(text('typed\n'));
  await place.copy.write([{ path: 'a', state: text('patched\n') }]);
  expect(await place.run('cat a', buffers)).toBe('patched\n');
  expect(place.copy.changes()).toEqual([{ path: 'a', base: text('typed\n'), agent: text('patched\n') }]);
});

test('settled: the wanted changes stay, everything else is as the user has it, ignored files are left', async () => {
  await using place = await open({
    '.gitignore': 'out/\n',
    keep: 'keep\n',
    drop: 'drop\n',
    edited: 'edited\n',
    'gone/x': 'x\n',
    'back/y': 'y\n',
    'again/z': 'z\n',
    'again/w': 'w\n',
  });
  await place.run(
    'echo K > keep; echo D > drop; rm edited; rm -rf gone back; rm -rf again && mkdir again && echo Z > again/z; mkdir -p new out; echo n > new/n; echo o > out/o; ln -s /etc link; git init -q .',
  );
  const changes = new Map(place.copy.changes().map(({ path, ...change }) => [path, change]));
  const wanted = new Map([...changes].filter(([path]) => ['keep', 'gone/x', 'again/w'].includes(path)));
  expect(wanted.size).toBe(3);
  await place.copy.settle(wanted);
  expect(new Map(place.copy.changes().map(({ path, ...change }) => [path, change]))).toEqual(wanted);
  expect(await place.run('find . -name .git -prune -o -type f -print | sort')).toBe(
    './.gitignore\n./again/z\n./back/y\n./drop\n./edited\n./keep\n./out/o\n',
  );
  expect(await place.run('cat keep again/z; ls -d .git gone 2>/dev/null')).toBe('K\nz\n.git\n');
  expect(paths(place.copy)).toEqual(['again/w', 'gone/x', 'keep']);
});

test('settled with texts that a merge made, over files that the user has changed', async () => {
  await using place = await open({ a: '1\n2\n3\n' });
  await place.run('sed -i s/3/three/ a');
  writeFiles(place.root, { a: 'one\n2\n3\n' });
  const next = { base: text('one\n2\n3\n'), agent: text('one\n2\nthree\n') };
  await place.copy.settle(new Map([['a', next]]));
  expect(place.copy.changes()).toEqual([{ path: 'a', ...next }]);
  expect(await place.run('cat a')).toBe('one\n2\nthree\n');
});

test('the next process goes on with bases, buffers and settled changes', async () => {
  await using place = await open({ a: 'a\n', b: 'b\n', 'd/x': 'x\n' });
  await place.run('echo A > a; rm -rf d && mkdir d && echo n > d/n', { b: 'typed\n' });
  const before = place.copy.changes();
  const next = await place.reopen();
  expect(next.changes()).toEqual(before);
  expect(await next.read('b')).toEqual(text('typed\n'));
  expect(await next.read('d/x')).toEqual(absent);
  await next.refresh(new Map());
  expect(await next.read('b')).toEqual(text('b\n'));
  expect((await place.reopen()).changes()).toEqual(before);
});

test('a process that ends during a command: the next one knows what changed, and what it can not know', async () => {
  await using place = await open({ a: 'a\n', b: 'b\n' });
  await place.copy.refresh(new Map());
  await runOverWithoutScan(place.copy, 'echo A > a; echo B > b');
  bash(place.root, 'sleep 0.02; echo user > b');
  const next = await place.reopen();
  expect(next.changes()).toEqual([
    { path: 'a', base: text('a\n'), agent: text('A\n') },
    { path: 'b', base: 'unknown', agent: text('B\n') },
  ]);
});

test('removed, nothing of it is left, and the workspace is as it was', async () => {
  await using place = await open({ a: 'a\n' });
  const before = treeOf(place.root);
  await place.run('mkdir -p d/e && touch d/e/f && chmod 000 d/e d; rm a');
  await place.copy.remove();
  expect(bash('/', `ls ${join(place.dir, '..')}`)).toBe('');
  expect(treeOf(place.root)).toEqual(before);
});

async function runOverWithoutScan(copy: Copy, command: string): Promise<void> {
  const result = await runInSandbox({
    layers: copy.layers,
    policy,
    environment: {},
    command,
    cwd: copy.layers.root,
    timeoutMs: 10_000,
    outputBytesMax: 1000,
    signal: new AbortController().signal,
  });
  expect(result).toMatchObject({ kind: 'ran', status: 'completed' });
}
