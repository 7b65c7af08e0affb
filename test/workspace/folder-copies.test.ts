/** A copy of several folders without any command: every path goes to the copy of its folder, or nowhere. */
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { absent, type FileState } from '../../server/changeset/file-state.ts';
import { FolderCopies, openCopy } from '../../server/workspace/folder-copies.ts';
import { makeFolder } from './folder.ts';

const text = (text: string): FileState => ({ kind: 'text', text, mode: 0o644 });

async function openTwo(files: Record<string, string>) {
  const folder = makeFolder(files);
  const root = join(folder.path, 'w');
  for (const name of ['api', 'deep/web']) mkdirSync(join(root, name), { recursive: true });
  const options = {
    dir: join(folder.path, 'state'),
    root,
    folders: [join(root, 'api'), join(root, 'deep/web')],
  };
  const copy = await FolderCopies.open(options);
  await copy.prepare(new Map());
  return {
    ...options,
    copy,
    reopen: () => FolderCopies.open(options),
    bash: folder.bash,
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  };
}

const files = {
  'w/api/a': 'a\n',
  'w/api/dir/x': 'x\n',
  'w/deep/web/w': 'w\n',
  'w/deep/web/dir/y': 'y\n',
  'w/deep/web/.env': 'KEY=1\n',
  'w/around': 'around\n',
  'w/deep/near': 'near\n',
  'w/api-old/a': 'old\n',
};

test('what lies in a folder is read there; what lies around them is nowhere, and for nobody', async () => {
  using place = await openTwo(files);
  const { copy } = place;
  expect(await copy.read('api/a')).toEqual(text('a\n'));
  expect(await copy.read('deep/web/w')).toEqual(text('w\n'));
  expect((await copy.readBytes('deep/web/w')).toString()).toBe('w\n');
  for (const path of [
    'around',
    'deep/near',
    'api-old/a',
    'api',
    'deep/web',
    'a',
    'deep/web/.env',
    '../state/x',
    'api/../around',
    '',
  ]) {
    expect(await copy.read(path)).toEqual(absent);
    await expect(copy.readBytes(path)).rejects.toThrow('is not in the copy');
    expect(await copy.hides(path)).toBe(true);
  }
  expect(await copy.hides('api/a')).toBe(false);
});

test.each(['around', 'deep/near', 'api-old/a', 'api', '../x', 'api/../around', '/etc/x', 'deep/web/.git/config', ''])(
  'nothing is written at %j',
  async (path) => {
    using place = await openTwo(files);
    await expect(
      place.copy.write([
        { path: 'api/a', state: text('A\n') },
        { path, state: text('x') },
      ]),
    ).rejects.toThrow();
    await expect(place.copy.seed(path, 'a', 'b')).rejects.toThrow();
    expect(place.copy.changes()).toEqual([]);
    expect(await place.copy.read('api/a')).toEqual(text('a\n'));
  },
);

test.each([
  ['the first', 'api/dir'],
  ['the last', 'deep/web/dir'],
])('writes to both are all or none, also where %s refuses', async (_, folder) => {
  using place = await openTwo(files);
  const writes = [
    { path: 'api/a', state: text('A\n') },
    { path: 'deep/web/w', state: absent },
    { path: 'deep/web/new/n', state: text('n\n') },
  ];
  await expect(place.copy.write([...writes, { path: folder, state: text('x') }])).rejects.toThrow('dir is a folder');
  for (const copy of [place.copy, await place.reopen()]) {
    expect(copy.changes()).toEqual([]);
    expect(await copy.read('deep/web/w')).toEqual(text('w\n'));
    expect(await copy.read('deep/web/new/n')).toEqual(absent);
  }
  await place.copy.write(writes);
  const paths = ['api/a', 'deep/web/new/n', 'deep/web/w'];
  for (const copy of [place.copy, await place.reopen()]) expect(copy.changes().map(({ path }) => path)).toEqual(paths);
});

test('unsaved text comes in and goes out by its folder; what is decided leaves the copy of either', async () => {
  using place = await openTwo(files);
  const { copy } = place;
  await copy.refresh(
    new Map([
      ['api/a', 'typed\n'],
      ['deep/web/w', 'typed too\n'],
      ['around', 'elsewhere\n'],
    ]),
  );
  expect(await copy.read('api/a')).toEqual(text('typed\n'));
  expect(await copy.read('deep/web/w')).toEqual(text('typed too\n'));
  await copy.refresh(new Map());
  expect(await copy.read('api/a')).toEqual(text('a\n'));

  await copy.write(['api/a', 'api/n', 'deep/web/w'].map((path) => ({ path, state: text('agent\n') })));
  const kept = { base: text('w\n'), agent: text('agent\n') };
  await copy.settle(new Map([['deep/web/w', kept]]));
  expect(copy.changes()).toEqual([{ path: 'deep/web/w', ...kept }]);
  expect(await copy.read('api/n')).toEqual(absent);
});

test('what a command had done in either, when its process was killed, is found by the next one', async () => {
  using place = await openTwo(files);
  await place.copy.refresh(new Map());
  for (const { upper } of [place.copy.layers, ...(place.copy.layers.others ?? [])])
    writeFileSync(join(upper, 'n'), 'n\n');
  const next = await place.reopen();
  expect(next.changes()).toEqual(['api/n', 'deep/web/n'].map((path) => ({ path, base: absent, agent: text('n\n') })));
});

test('whole copies lie to each other as the folders do, and what is done in them is found by folder', async () => {
  using place = await openTwo(files);
  const { copy } = place;
  await copy.refresh(new Map());
  const tree = await copy.materialize({ standsApart: true });
  const [other] = tree.others ?? [];
  expect(other?.root).toBe(place.folders[1]);
  expect(join(tree.path, '../deep/web')).toBe(other?.path);
  place.bash(`cd '${tree.path}'; cat ../deep/web/w; echo n >n; rm ../deep/web/w; test ! -e ../deep/web/.env`);
  expect(await copy.absorb()).toEqual({ problems: [] });
  await copy.scan({ startedAtMs: Date.now() });
  expect(copy.changes().map(({ path }) => path)).toEqual(['api/n', 'deep/web/w']);
});

test('one folder is copied as ever: nothing in its copy says that there could be several', async () => {
  using folder = makeFolder({ 'w/a': 'a\n' });
  const dir = join(folder.path, 'state');
  const copy = await openCopy(dir, { root: join(folder.path, 'w') });
  expect(copy).not.toBeInstanceOf(FolderCopies);
  expect(statSync(join(dir, 'up')).isDirectory()).toBe(true);
  expect(copy.layers.others).toBeUndefined();
});
