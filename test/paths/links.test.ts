/** Real folders, real links: whatever path is asked for, nothing outside the workspace is read or written. */
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { absent } from '../../server/changeset/file-state.ts';
import { writeToDisk } from '../../server/workspace/disk.ts';
import { pathProblem } from '../../server/workspace/paths.ts';
import { isReachable, readState } from '../../server/workspace/snapshot.ts';
import { makeFolder } from '../workspace/folder.ts';
import { fileName, hostilePath } from './hostile.ts';

type Entry = { at: readonly string[]; kind: 'file' | 'folder' | 'link'; target: string };

const few = () => fc.constantFrom('a', 'b', 'A', 'caf\u00e9', 'cafe\u0301', '..a', 'new\nline');
const entry = (): fc.Arbitrary<Entry> =>
  fc.record({
    at: fc.array(few(), { minLength: 1, maxLength: 3 }),
    kind: fc.constantFrom('file', 'folder', 'link'),
    target: fc.constantFrom(
      '..',
      '../..',
      '/',
      '../outside',
      '../../outside',
      '../outside/secret',
      'a',
      'b',
      '.',
      './a/../..',
      '/etc',
      '/proc/self/root',
    ),
  });

/** What does not fit the tree so far is left out. */
function plant(root: string, entries: readonly Entry[]): void {
  for (const { at, kind, target } of entries) {
    const path = join(root, ...at);
    try {
      // Only in folders of the workspace itself: one after the other, because a link may stand for one.
      for (let depth = 1; depth < at.length; depth++) {
        const folder = join(root, ...at.slice(0, depth));
        if (!existsSync(folder)) mkdirSync(folder);
        if (!lstatSync(folder).isDirectory()) throw new Error('behind a link');
      }
      if (kind === 'folder') mkdirSync(path);
      else if (kind === 'file') writeFileSync(path, 'theirs\n', { flag: 'wx' });
      else symlinkSync(target, path);
    } catch {
      // Taken, or behind a link.
    }
  }
}

const pathInside = () =>
  fc
    .array(fc.oneof(few(), few(), fc.constantFrom('secret', 'outside', 'etc', 'passwd')), {
      minLength: 1,
      maxLength: 4,
    })
    .map((names) => names.join('/'));

function place(entries: readonly Entry[]) {
  const folder = makeFolder({ 'outside/secret': 'OUTSIDE\n' });
  const root = join(folder.path, 'root');
  mkdirSync(root);
  plant(root, entries);
  return { root, outside: join(folder.path, 'outside'), [Symbol.dispose]: () => folder[Symbol.dispose]() };
}

test('a path that can be reached leads through no link', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(entry(), { maxLength: 8 }), pathInside(), async (entries, path) => {
      using here = place(entries);
      const state = await readState(here.root, path);
      expect(state.kind === 'text' && state.text).not.toBe('OUTSIDE\n');
      if (!(await isReachable(here.root, path))) {
        expect(state).toEqual(absent);
        return;
      }
      for (let folder = dirname(join(here.root, path)); folder !== here.root; folder = dirname(folder)) {
        expect(lstatSync(folder).isSymbolicLink()).toBe(false);
      }
    }),
    { numRuns: 60 },
  );
});

test('an accepted change is written where it says, or nowhere', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(entry(), { maxLength: 8 }),
      fc.oneof(pathInside(), hostilePath()),
      async (entries, path) => {
        using here = place(entries);
        const before = await readState(here.root, path).catch(() => absent);
        const after = { kind: 'text', text: 'ours\n', mode: 0o644 } as const;
        const { written } = await writeToDisk(here.root, [{ path, before, after }], () => Promise.reject(new Error()));
        expect(readdirSync(here.outside)).toEqual(['secret']);
        expect(readFileSync(join(here.outside, 'secret'), 'utf8')).toBe('OUTSIDE\n');
        if (written.length === 0) return;
        expect(pathProblem(path)).toBe(undefined);
        const file = join(here.root, path);
        expect(lstatSync(file).isFile()).toBe(true);
        expect(realpathSync(file)).toBe(file);
        expect(readFileSync(file, 'utf8')).toBe('ours\n');
      },
    ),
    { numRuns: 60 },
  );
});

test('two forms of a name are two files', async () => {
  await fc.assert(
    fc.asyncProperty(fileName(), async (name) => {
      const [one, other] = [name.normalize('NFC'), name.normalize('NFD')];
      if (one === other || pathProblem(one) !== undefined || pathProblem(other) !== undefined) return;
      using here = place([]);
      writeFileSync(join(here.root, other), 'theirs\n');
      const after = { kind: 'text', text: 'ours\n', mode: 0o644 } as const;
      await writeToDisk(here.root, [{ path: one, before: absent, after }], () => Promise.reject(new Error()));
      expect(readFileSync(join(here.root, other), 'utf8')).toBe('theirs\n');
      expect(readFileSync(join(here.root, one), 'utf8')).toBe('ours\n');
      rmSync(join(here.root, one));
    }),
    { numRuns: 100 },
  );
});
