/** Whether one path lies in another: one answer for every room, and the one that counting the names gives. */
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { pathOf, uriOf, within } from '../../server/editor/uri.ts';
import { isInside } from '../../server/sandbox/environment.ts';
import { contains, unfitRoot } from '../../server/task/root.ts';
import { folderPath, hostileName, hostilePath } from './hostile.ts';

/** The names that are left when every `..` has taken one away. */
function namesOf(path: string): string[] {
  const names: string[] = [];
  for (const name of path.split('/')) {
    if (name === '..') names.pop();
    else if (name !== '' && name !== '.') names.push(name);
  }
  return names;
}

const liesIn = (path: string, folder: string): boolean => {
  const names = namesOf(path);
  return namesOf(folder).every((name, index) => names[index] === name);
};

const pathNear = () =>
  fc
    .tuple(folderPath(), fc.array(hostileName(), { maxLength: 5 }))
    .map(([folder, names]) => [folder, ...names].join('/'));

test('every room answers as the names do', () => {
  fc.assert(
    fc.property(folderPath(), fc.oneof(pathNear(), folderPath()), (folder, path) => {
      const expected = liesIn(path, folder);
      expect(isInside(path, folder)).toBe(expected);
      expect(contains(folder, path)).toBe(expected);
      expect(within(folder, path) !== undefined).toBe(expected);
    }),
    { numRuns: 2000 },
  );
});

test('the way from a folder leads back to the path, and never up', () => {
  fc.assert(
    fc.property(folderPath(), pathNear(), (folder, path) => {
      const way = within(folder, path);
      if (way === undefined) return;
      expect(way.split('/')).not.toContain('..');
      expect(way.startsWith('/')).toBe(false);
      expect(join(folder, way)).toBe(resolve(path));
    }),
    { numRuns: 1000 },
  );
});

test('what is not absolute lies nowhere', () => {
  fc.assert(
    fc.property(hostilePath(), folderPath(), (path, folder) => {
      if (path.startsWith('/')) return;
      expect(isInside(path, folder)).toBe(false);
      expect(isInside(folder, path)).toBe(false);
    }),
  );
});

test.each([
  ['a sibling whose name begins the same', '/a/bc', '/a/b'],
  ['another case', '/a/B/x', '/a/b'],
  ['another Unicode form', '/cafe\u0301/x', '/caf\u00e9'],
  ['a way out', '/a/b/../c', '/a/b'],
  ['the folder above', '/a', '/a/b'],
])('%s is outside', (_, path, folder) => expect(isInside(path, folder)).toBe(false));

test.each([
  ['the folder', '/a', '/a'],
  ['a name that begins with two dots', '/a/..b', '/a'],
  ['three dots', '/a/.../b', '/a'],
  ['a newline', '/a/\n', '/a'],
  ['anything in the root', '/x', '/'],
  ['a path of 5000 bytes', `/a${'/x'.repeat(2500)}`, '/a'],
])('%s is inside', (_, path, folder) => expect(isInside(path, folder)).toBe(true));

test('a workspace never holds the home folder, the state, or everything', () => {
  fc.assert(
    fc.property(folderPath(), folderPath(), folderPath(), (root, home, stateDir) => {
      if (unfitRoot(root, { home, stateDir }) !== undefined) return;
      expect([root, liesIn(home, root), liesIn(stateDir, root)]).toEqual([root, false, false]);
      expect(namesOf(root).length).toBeGreaterThan(0);
    }),
    { numRuns: 500 },
  );
});

test('a path comes back from its URI', () => {
  fc.assert(
    fc.property(hostilePath(), (text) => {
      const path = resolve('/', text);
      if (path.includes('\0') || !path.isWellFormed()) return;
      expect(pathOf(uriOf(path))).toBe(path);
    }),
    { numRuns: 1000 },
  );
});

test('a URI gives an absolute path that is normal and without NUL, or nothing', () => {
  const part = fc.oneof(
    hostileName(),
    fc.constantFrom('%2e%2e', '%2E.', '%2f', '%00', '%5c', '%ff', '?q', '#f', '%', '@', ':'),
  );
  const uri = fc.tuple(
    fc.constantFrom('file:///', 'file:', 'FILE:///', 'file://host/', 'file://localhost/', 'http://x/', ''),
    fc.array(part, { maxLength: 6 }),
  );
  fc.assert(
    fc.property(uri, ([start, parts]) => {
      const path = pathOf(start + parts.join('/'));
      if (path === undefined) return;
      expect(path.startsWith('/') && !path.includes('\0')).toBe(true);
      expect(path.split('/').some((name) => name === '..' || name === '.')).toBe(false);
    }),
    { numRuns: 1000 },
  );
});
