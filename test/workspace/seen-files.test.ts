/** Files that are looked at again and again: what is said of them is always what `userState` says. */
import { chmodSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { SeenFiles } from '../../server/workspace/seen-files.ts';
import { userState } from '../../server/workspace/snapshot.ts';
import { makeFolder } from './folder.ts';

const paths = ['a.txt', 'sub/b.txt', 'none.txt'];
/** Files are written now, and looked at by then. */
const later = (): number => Date.now() + 3_600_000;
const longAgo = new Date('2020-01-01T00:00:00Z');

test.each<[string, (root: string) => void]>([
  ['nothing', () => {}],
  [
    'another text of the same length, with the old time put back',
    (root) => {
      writeFileSync(join(root, 'a.txt'), 'A\n');
      utimesSync(join(root, 'a.txt'), longAgo, longAgo);
    },
  ],
  ['a mode', (root) => chmodSync(join(root, 'a.txt'), 0o755)],
  ['a file that is gone', (root) => rmSync(join(root, 'a.txt'))],
  ['a file that came', (root) => writeFileSync(join(root, 'none.txt'), 'new')],
  [
    'a file that became a link',
    (root) => {
      rmSync(join(root, 'a.txt'));
      symlinkSync('sub/b.txt', join(root, 'a.txt'));
    },
  ],
  [
    'a folder that became a link to one with the same file',
    (root) => {
      renameSync(join(root, 'sub'), join(root, 'other'));
      symlinkSync('other', join(root, 'sub'));
    },
  ],
])('after %s', async (_, change) => {
  using folder = makeFolder({ 'a.txt': 'a\n', 'sub/b.txt': 'b\n' });
  const files = new SeenFiles(folder.path, later);
  await files.look(paths, new Map());
  await files.look(paths, new Map());
  passTime(folder.path);
  change(folder.path);
  const found = await files.look(paths, new Map());
  for (const path of paths) expect(found.get(path)).toEqual(await userState(folder.path, path, new Map()));
});

test('what did not change is the very same value, also of a buffer', async () => {
  using folder = makeFolder({ 'a.txt': 'a\n', 'sub/b.txt': 'b\n' });
  const files = new SeenFiles(folder.path);
  const buffers = new Map([['sub/b.txt', 'B\n']]);
  const first = await files.look(paths, buffers);
  const second = await files.look(paths, new Map(buffers));
  for (const path of paths) expect(second.get(path)).toBe(first.get(path));
  expect(second.get('sub/b.txt')).toEqual({ kind: 'text', text: 'B\n', mode: 0o644 });
  const third = await files.look(paths, new Map());
  expect(third.get('sub/b.txt')).toEqual({ kind: 'text', text: 'b\n', mode: 0o644 });
});

test('a look at some files takes the others as they were seen last', async () => {
  using folder = makeFolder({ 'a.txt': 'a\n', 'sub/b.txt': 'b\n' });
  const files = new SeenFiles(folder.path);
  await files.look(paths, new Map());
  writeFileSync(join(folder.path, 'a.txt'), 'A\n');
  writeFileSync(join(folder.path, 'sub/b.txt'), 'B\n');
  const some = await files.look(paths, new Map(), new Set(['a.txt']));
  expect([some.get('a.txt'), some.get('sub/b.txt')]).toMatchObject([{ text: 'A\n' }, { text: 'b\n' }]);
  const all = await files.look(paths, new Map());
  expect(all.get('sub/b.txt')).toMatchObject({ text: readFileSync(join(folder.path, 'sub/b.txt'), 'utf8') });
});

test('a file that was only just written is read again: its stamp may be that of what is written next', async () => {
  using folder = makeFolder({ 'a.txt': 'a\n' });
  const files = new SeenFiles(folder.path);
  for (let round = 0; round < 200; round++) {
    writeFileSync(join(folder.path, 'a.txt'), `${round % 2}\n`);
    expect((await files.look(['a.txt'], new Map())).get('a.txt')).toMatchObject({ text: `${round % 2}\n` });
  }
});

/** Until the clock of the file system has gone on. */
function passTime(root: string): void {
  const probe = join(root, 'probe');
  const stampNow = () => {
    writeFileSync(probe, '');
    return statSync(probe, { bigint: true }).ctimeNs;
  };
  const start = stampNow();
  while (stampNow() === start);
}
