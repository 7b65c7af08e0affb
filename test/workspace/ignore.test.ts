/** Our reading of ignore rules against git's own, path by path. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ignoreRules } from '../../server/workspace/ignore.ts';
import { makeFolder } from './folder.ts';

const rules = {
  '.gitignore': [
    '# comment',
    '*.log',
    '!keep.log',
    '/build',
    'dist/',
    'a/**/z',
    'doc/*.txt',
    '\\#hash',
    'sp ace',
    'Case',
    'tmp*/',
    '!tmpl/',
    '',
  ].join('\n'),
  'sub/.gitignore': 'local\n/anchored\n!important.log\n*.o\nx/y\n!dist/\n',
  'sub/we[i]rd dir/.gitignore': '*.q\n/top\n',
  'dist/.gitignore': '!*\n',
};

const paths = [
  'a.log',
  'keep.log',
  'build',
  'build/x',
  'sub/build',
  'sub/build/x',
  'dist',
  'dist/a',
  'sub/dist/a',
  'a/z',
  'a/b/z',
  'a/b/c/z/q',
  'doc/x.txt',
  'doc/y/x.txt',
  '#hash',
  'sp ace',
  'case',
  'Case',
  'tmpx/f',
  'tmpx',
  'tmpl/f',
  'sub/local',
  'sub/deep/local',
  'sub/anchored',
  'sub/deep/anchored',
  'sub/important.log',
  'important.log',
  'sub/m.o',
  'm.o',
  'sub/x/y',
  'sub/d/x/y',
  'sub/we[i]rd dir/a.q',
  'sub/we[i]rd dir/d/a.q',
  'sub/we[i]rd dir/top',
  'sub/we[i]rd dir/d/top',
  'sub/weird dir/a.q',
  'plain',
  'info',
  'excluded-here',
  'deep/er/info',
];

test('the same answer as git check-ignore, in every folder', async () => {
  using folder = makeFolder(rules);
  folder.bash('git init -q . && echo info > .git/info/exclude');
  // git asks the disk what is a folder.
  const asked = paths.filter((path) => !paths.some((other) => other.startsWith(`${path}/`)));
  for (const path of asked) folder.write(path.includes('.gitignore') ? {} : { [path]: '' });
  const theirs = folder
    .bash(
      `printf '%s\\n' ${asked.map((path) => `'${path}'`).join(' ')} | git -c core.excludesFile=/dev/null check-ignore --no-index --stdin || true`,
    )
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (line.startsWith('"') ? JSON.parse(line) : line));
  const isIgnored = ignoreRules(folder.path);
  const ours: string[] = [];
  for (const path of asked) if (await isIgnored(path)) ours.push(path);
  expect(ours).toEqual(theirs);
  expect(ours.length).toBeGreaterThan(15);
});

test('a workspace that is a folder of a repository obeys the rules above it', async () => {
  using folder = makeFolder({ '.gitignore': '*.log\npackages/app/gen\n', 'packages/app/.gitignore': '!my.log\n' });
  folder.bash('git init -q .');
  const isIgnored = ignoreRules(join(folder.path, 'packages/app'));
  expect(await isIgnored('x.log')).toBe(true);
  expect(await isIgnored('my.log')).toBe(false);
  expect(await isIgnored('gen/a')).toBe(true);
  expect(await isIgnored('src/a')).toBe(false);
});

test('without git, the files of rules in the workspace hold', async () => {
  using folder = makeFolder({ '.gitignore': 'out/\n' });
  const isIgnored = ignoreRules(folder.path);
  expect(await isIgnored('out/x')).toBe(true);
  expect(await isIgnored('out/')).toBe(true);
  expect(await isIgnored('in/x')).toBe(false);
});

test('a file of rules that is a symbolic link is not followed, as in git', async () => {
  using folder = makeFolder({ rules: '*\n' });
  folder.bash('git init -q .; ln -s rules .gitignore');
  expect(await ignoreRules(folder.path)('a')).toBe(false);
});

test.each([
  ['folders in any depth, again and again', `${'a/**/'.repeat(14)}c`, `${'a/'.repeat(40)}b`],
  ['anything, again and again', `${'*a'.repeat(20)}c`, 'a'.repeat(250)],
  ['a very long rule', 'x'.repeat(2000), 'x'.repeat(2000)],
])('a rule that takes for ever is not used, and reported: %s', async (_, rule, path) => {
  using folder = makeFolder({ '.gitignore': `${rule}\n*.log\na/**/b/**/z\n` });
  const problems: string[] = [];
  const isIgnored = ignoreRules(folder.path, (problem) => problems.push(problem));
  expect(await isIgnored(path)).toBe(false);
  expect(await isIgnored('x.log')).toBe(true);
  expect(await isIgnored('a/1/b/2/3/z')).toBe(true);
  expect(problems).toEqual([expect.stringContaining('1 of 3 rules')]);
});

test('of too many rules the first are used, in all files together', async () => {
  const some = (name: string) => Array.from({ length: 9_000 }, (_, at) => `${name}${at}`).join('\n');
  using folder = makeFolder({ '.gitignore': some('top'), 'd/.gitignore': some('sub') });
  const problems: string[] = [];
  const isIgnored = ignoreRules(folder.path, (problem) => problems.push(problem));
  expect(await isIgnored('d/top8999')).toBe(true);
  expect(await isIgnored('d/sub999')).toBe(true);
  expect(await isIgnored('d/sub1000')).toBe(false);
  expect(problems).toEqual([expect.stringContaining('8000 of 9000 rules')]);
});

test('what lies deeper than a hundred folders is what its folder is', async () => {
  using folder = makeFolder({ '.gitignore': 'out/\n*.log\n' });
  const isIgnored = ignoreRules(folder.path);
  expect(await isIgnored(`${'a/'.repeat(2000)}x.log`)).toBe(false);
  expect(await isIgnored(`out/${'a/'.repeat(1000)}x`)).toBe(true);
});
