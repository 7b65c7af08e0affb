/** Several folders as one workspace: around what its paths are relative, and what lies in it. */
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { foldersOf, holdsPath, homeFolderOf, pathIn, workspaceOf } from '../../server/protocol/folders.ts';
import { folderPath } from './hostile.ts';

test.each<[string, string[], object]>([
  ['one', ['/w/api'], { root: '/w/api' }],
  ['the same twice', ['/w/api', '/w/api'], { root: '/w/api' }],
  ['neighbours', ['/w/api', '/w/web'], { root: '/w', folders: ['/w/api', '/w/web'] }],
  ['names that begin alike', ['/w/api', '/w/api-old'], { root: '/w', folders: ['/w/api', '/w/api-old'] }],
  ['at different depths', ['/w/a/b/api', '/w/web'], { root: '/w', folders: ['/w/a/b/api', '/w/web'] }],
  ['with nothing in common', ['/srv/api', '/home/u/web'], { root: '/', folders: ['/srv/api', '/home/u/web'] }],
  ['one in the other', ['/w', '/w/web'], { root: '/w' }],
  ['worked from the inner one', ['/w/web', '/w'], { root: '/w' }],
  ['an inner one beside others', ['/w/web/sub', '/x', '/w/web'], { root: '/', folders: ['/w/web', '/x'] }],
])('%s', (_, [first = '', ...others], expected) => {
  expect(workspaceOf(first, others)).toEqual(expected);
});

test.each<[string, string | undefined]>([
  ['/w/api', 'api'],
  ['/w/api/src/x.ts', 'api/src/x.ts'],
  ['/w/web/y', 'web/y'],
  ['/w', undefined],
  ['/w/other/z', undefined],
  ['/w/api-old/z', undefined],
  ['/w/api/../other', undefined],
  ['/x', undefined],
])('%s is %s in a workspace of /w/api and /w/web', (path, expected) => {
  expect(pathIn(workspaceOf('/w/api', ['/w/web']), path)).toBe(expected);
});

test('whatever the folders: each is held, none lies in another, and a path leads back to where it came from', () => {
  const several = fc.array(folderPath(), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(several, ([first = '/', ...others]) => {
      const workspace = workspaceOf(first, others);
      const folders = foldersOf(workspace);
      for (const folder of [first, ...others]) expect(holdsPath(workspace, folder)).toBe(true);
      expect(holdsPath({ root: homeFolderOf(workspace) }, first)).toBe(true);
      for (const folder of folders) {
        expect(folders.filter((other) => holdsPath({ root: other }, folder))).toEqual([folder]);
        const path = join(folder, 'file');
        expect(join(workspace.root, pathIn(workspace, path) ?? '')).toBe(path);
      }
    }),
  );
});
