import { expect, test } from 'vitest';
import { isHidden, pathProblem } from '../../server/workspace/paths.ts';

test.each([
  'a',
  'a/b.c',
  '.gitignore',
  '.github/workflows/x.yml',
  'git',
  'a b',
  '..a/b',
  'a\\b',
  '.codex/prompts/p.md',
  'é',
])('%j is a path of the workspace', (path) => expect(pathProblem(path)).toBeUndefined());

test.each([
  ['', 'empty'],
  ['/etc/passwd', 'absolute'],
  ['a\0b', 'NUL'],
  ['../a', '".."'],
  ['a/../../b', '".."'],
  ['a/..', '".."'],
  ['./a', 'empty part'],
  ['a//b', 'empty part'],
  ['a/', 'empty part'],
  ['.git', '.git'],
  ['.git/config', '.git'],
  ['vendor/x/.git/hooks/pre-commit', '.git'],
  ['.GIT/config', '.git'],
  ['.git./config', '.git'],
  ['.git /config', '.git'],
  ['git~1/config', '.git'],
  ['.g\u200cit/config', '.git'],
  ['.git::$INDEX_ALLOCATION/x', '.git'],
  ['.codex/local/thread.md', '.codex/local'],
  [`${'x'.repeat(256)}`, 'too long'],
  ['x/'.repeat(2100).concat('x'), 'too long'],
])('%j is refused: %s', (path, why) => expect(pathProblem(path)).toContain(why));

test('what no changeset holds', () => {
  expect(['.git/x', 'a/.git', '.codex/local', '.codex/local/x'].every(isHidden)).toBe(true);
  expect(['.gitmodules', '.codex', '.codex/localx'].some(isHidden)).toBe(false);
});
