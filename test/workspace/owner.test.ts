/** Root at work in another user's repository: what is written there, and in the copy of it, belongs to that user. */
import { chownSync, lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { absent, type FileState } from '../../server/changeset/file-state.ts';
import { writeAtomically } from '../../server/workspace/atomic.ts';
import { readSmallFile } from '../../server/workspace/bounded-file.ts';
import { Copy } from '../../server/workspace/copy.ts';
import { writeToDisk } from '../../server/workspace/disk.ts';
import { inFolder, withFile } from '../../server/workspace/owner.ts';
import { stateAt } from '../../server/workspace/snapshot.ts';
import { makeFolder } from './folder.ts';

const text = (text: string, mode = 0o644): FileState => ({ kind: 'text', text, mode });
const noBinary = () => Promise.reject(new Error('no binary here'));

const user = 54_321;
const group = 54_322;

/** Owner and group of everything below a folder, links too. */
function owners(folder: string): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return Object.fromEntries(
    names.sort().map((name) => {
      const { uid, gid } = lstatSync(join(folder, name));
      return [name, `${uid}:${gid}`];
    }),
  );
}

function repository(files: Record<string, string>) {
  const folder = makeFolder(Object.fromEntries(Object.entries(files).map(([path, text]) => [`ws/${path}`, text])));
  folder.bash(`chown -R ${user}:${group} ws`);
  return { ...folder, root: join(folder.path, 'ws') };
}

describe.runIf(process.getuid?.() === 0)('as root', () => {
  test('an apply keeps owner and group of what is there, and gives what is new to whoever has the folder', async () => {
    using folder = repository({ mod: 'old\n', 'sub/from': 'r\n', 'other/x': 'x\n', 'third/y': 'y\n' });
    chownSync(join(folder.root, 'mod'), 7, 8);
    chownSync(join(folder.root, 'other'), 9, 10);
    const { failed } = await writeToDisk(
      folder.root,
      [
        { path: 'mod', before: text('old\n'), after: text('new\n') },
        { path: 'new/in/folder', before: absent, after: text('n\n') },
        { path: 'other/new', before: absent, after: text('n\n') },
        { path: 'to', from: 'sub/from', before: text('r\n'), after: text('R\n') },
      ],
      noBinary,
    );
    expect(failed).toEqual([]);
    expect(owners(folder.root)).toEqual({
      mod: '7:8',
      new: `${user}:${group}`,
      'new/in': `${user}:${group}`,
      'new/in/folder': `${user}:${group}`,
      other: '9:10',
      'other/new': '9:10',
      'other/x': `${user}:${group}`,
      third: `${user}:${group}`,
      'third/y': `${user}:${group}`,
      to: `${user}:${group}`,
    });
  });

  test('what is taken back after a failure, and what an undo makes again, belongs to whom it did', async () => {
    using folder = repository({ mod: 'old\n', del: 'd\n', from: 'f\n' });
    for (const path of ['mod', 'del', 'from']) chownSync(join(folder.root, path), 7, 8);
    const before = owners(folder.root);
    const failing = await writeToDisk(
      folder.root,
      [
        { path: 'mod', before: text('old\n'), after: text('new\n') },
        { path: 'del', before: text('d\n'), after: absent },
        { path: 'n/to', from: 'from', before: text('f\n'), after: text('F\n') },
        { path: 'x', before: absent, after: { kind: 'binary', hash: 'h', size: 1, mode: 0o644 } },
      ],
      noBinary,
    );
    expect(failing.failed).toHaveLength(1);
    expect(owners(folder.root)).toEqual(before);
    const write = (entries: Parameters<typeof writeToDisk>[1]) => writeToDisk(folder.root, entries, noBinary);
    await write([{ path: 'mod', before: text('old\n'), after: text('new\n') }]);
    await write([{ path: 'del', before: text('d\n'), after: absent }]);
    await write([{ path: 'mod', before: text('new\n'), after: text('old\n') }]);
    await write([{ path: 'del', before: absent, after: text('d\n') }]);
    expect(owners(folder.root)).toEqual({ ...before, del: `${user}:${group}` });
  });

  test('a file that came to lie elsewhere, because a folder was replaced by a link, is given to nobody', async () => {
    using folder = repository({ 'd/x': 'x\n' });
    using outside = makeFolder({});
    await rename(join(folder.root, 'd'), join(folder.root, 'aside'));
    symlinkSync(outside.path, join(folder.root, 'd'));
    const options = { mode: 0o644, beside: join(folder.root, 'd'), owner: { uid: user, gid: group } };
    await expect(writeAtomically(join(folder.root, 'd/new'), 'n', options)).rejects.toThrow('was replaced meanwhile');
    expect(outside.bash('ls -A')).toBe('');
  });

  test('an apply reaches nothing outside where the owner has replaced a folder by a link, also above the workspace', async () => {
    using folder = repository({ 'd/x': 'x\n', 'd/gone': 'g\n' });
    using outside = makeFolder({ 'ws/d/gone': 'g\n' });
    const { root } = folder;
    const apply = (path: string, before: FileState, after: FileState) =>
      writeToDisk(root, [{ path, before, after }], noBinary);
    folder.bash(`mv ws kept; ln -s ${outside.path}/ws ws`);
    const before = outside.bash('ls -lR');
    for (const [path, was, after] of [
      ['new', absent, text('n\n')],
      ['d/new', absent, { kind: 'symlink', target: '../x' }],
      ['f/new', absent, text('n\n')],
      ['d/gone', text('g\n'), absent],
    ] as const) {
      expect((await apply(path, was, after)).failed, path).toHaveLength(1);
    }
    expect(outside.bash('ls -lR')).toBe(before);
  });

  test('what is done in a folder is done in that one, whatever stands at its path meanwhile', async () => {
    using folder = repository({ 'd/x': 'x\n' });
    using outside = makeFolder({ x: 'x\n' });
    await inFolder(join(folder.root, 'd'), async (at) => {
      await rename(join(folder.root, 'd'), join(folder.root, 'aside'));
      symlinkSync(outside.path, join(folder.root, 'd'));
      await rm(join(at, 'x'));
    });
    expect(outside.bash('ls -A')).toBe('x\n');
    expect(folder.bash('ls -A ws/aside')).toBe('');
    await expect(inFolder(join(folder.root, 'd'), async () => 'done')).rejects.toThrow('was replaced meanwhile');
  });

  test('what is read is the file that was looked at, whatever the owner puts in its place', async () => {
    using folder = repository({ 'd/x': 'x\n', 'd/y': 'y\n' });
    using outside = makeFolder({ x: 'of root\n', y: 'of root\n' });
    const path = join(folder.root, 'd/x');
    const looked = lstatSync(path, { bigint: true });
    const read = () => withFile(path, looked, (file) => readFile(file, 'utf8'));
    expect(await read()).toBe('x\n');
    folder.bash('mv ws/d/x ws/d/kept; mkfifo ws/d/x');
    await expect(read()).rejects.toThrow('was replaced meanwhile');
    folder.bash('rm ws/d/x; mv ws/d/kept ws/d/x; mv ws/d ws/kept');
    symlinkSync(outside.path, join(folder.root, 'd'));
    await expect(read()).rejects.toThrow('was replaced meanwhile');
    expect(await stateAt(path, undefined, { isTheirs: true })).toEqual({ kind: 'other', what: 'unreadable file' });
    expect(await readSmallFile(path, 100, { isTheirs: true })).toBeUndefined();
  });

  test('everything in the layers and in the tree of a copy belongs to the user', async () => {
    using folder = repository({ a: 'a\n', 'd/b': 'b\n', 'd/e/c': 'c\n', link: '' });
    folder.bash(`rm ws/link; ln -s a ws/link; chown -h ${user}:${group} ws/link`);
    const copy = await Copy.open({ dir: join(folder.path, 'state'), root: folder.root });
    await copy.refresh(new Map([['d/b', 'typed\n']]));
    await copy.write([
      { path: 'a', state: absent },
      { path: 'n/m/new', state: text('n\n') },
    ]);
    const startedAtMs = Date.now();
    const { path } = await copy.materialize();
    // As a command that is run by root would leave them.
    folder.bash(`cd state/tree; echo c > d/e/c; mkdir -p q/r; echo s > q/r/s; ln -s a q/l`);
    await copy.absorb();
    await copy.scan({ startedAtMs });
    await copy.settle(new Map(copy.changes().map(({ path, ...change }) => [path, change])));
    await copy.materialize();
    for (const place of [copy.layers.upper, path]) {
      const found = owners(place);
      expect(Object.keys(found).length).toBeGreaterThan(5);
      expect(new Set(Object.values(found))).toEqual(new Set([`${user}:${group}`]));
    }
    for (const place of ['state/up', 'state/work', 'state/tree']) {
      expect(lstatSync(join(folder.path, place))).toMatchObject({ uid: user, gid: group });
    }
    expect(lstatSync(join(folder.path, 'state'))).toMatchObject({ uid: 0, mode: 0o40700 });
    expect(owners(folder.root).a).toBe(`${user}:${group}`);
  });

  test('what the user may not read is there in the tree, empty and closed', async () => {
    using folder = repository({ open: 'o\n', secret: 'root only\n', 'shared/x': 'x\n', 'closed/x': 'x\n' });
    folder.bash(
      'chown 0:0 ws/secret ws/closed; chmod 600 ws/secret; chmod 700 ws/closed; chown 0:54322 ws/shared/x; chmod 640 ws/shared/x',
    );
    const copy = await Copy.open({ dir: join(folder.path, 'state'), root: folder.root });
    const { path } = await copy.materialize();
    expect(folder.bash('cd state/tree; cat open shared/x; wc -c < secret; stat -c %a secret; ls -A closed')).toBe(
      'o\nx\n0\n0\n',
    );
    await copy.refresh(new Map());
    const startedAtMs = Date.now();
    await copy.materialize();
    await copy.absorb();
    await copy.scan({ startedAtMs });
    expect(copy.changes()).toEqual([]);
    expect(readFileSync(join(path, 'open'), 'utf8')).toBe('o\n');
  });
});

test('in our own repository nothing changes hands', async () => {
  using folder = makeFolder({ 'ws/a': 'a\n' });
  mkdirSync(join(folder.path, 'ws/d'));
  const copy = await Copy.open({ dir: join(folder.path, 'state'), root: join(folder.path, 'ws') });
  await copy.write([{ path: 'd/new', state: text('n\n') }]);
  const { uid, gid } = lstatSync(folder.path);
  expect(new Set(Object.values(owners(copy.layers.upper)))).toEqual(new Set([`${uid}:${gid}`]));
});
