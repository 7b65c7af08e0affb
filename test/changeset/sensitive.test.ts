import { describe, expect, test } from 'vitest';
import type { FileState } from '../../server/changeset/file-state.ts';
import { withLinksInside } from '../../server/changeset/folder-links.ts';
import { reviewOf } from '../../server/changeset/review.ts';
import { sensitiveReason } from '../../server/changeset/sensitive.ts';
import { absent, type Files, link, review, text } from './states.ts';

/** Why "all" leaves each of these new paths out. */
const reasons = (agent: Files): Record<string, string | undefined> =>
  Object.fromEntries(review({}, agent).files.map(({ path, sensitive }) => [path, sensitive]));

describe('a bare repository', () => {
  const repository = 'part of a git repository';
  const heads: [name: string, path: string, state: FileState][] = [
    ['a branch', 'HEAD', text('ref: refs/heads/m\n')],
    ['no space', 'x/HEAD', text('ref:refs/heads/m\n')],
    ['a tab', 'x/HEAD', text('ref:\trefs/heads/m\n')],
    ['uppercase hex', 'x/HEAD', text(`${'AB'.repeat(20)}\n`)],
    ['a link', 'x/HEAD', link('refs/heads/m')],
    ['empty', 'x/HEAD', text('')],
    ['another case', 'x/Head', text('a\n')],
    ['characters that HFS+ ignores', 'x/HE\u200cAD', text('a\n')],
    ['what Windows ignores', 'x/HEAD. ', text('a\n')],
  ];
  test.each(heads)('%s', (_name, path, state) => {
    expect(sensitiveReason(path, absent, state)).toBe(repository);
  });

  test('the configuration of one that is there', () => {
    expect(sensitiveReason('fixtures/a.git/config', text('a\n'), text('b\n'))).toBe(repository);
  });

  test.each(['src/head.ts', 'HEAD/a', 'ahead', 'FETCH_HEAD'])('%s is none', (path) => {
    expect(sensitiveReason(path, absent, text('ref: refs/heads/m\n'))).toBeUndefined();
  });
});

describe('links', () => {
  const out = 'symbolic link out of the workspace';
  const winding = 'symbolic link that may lead out of the workspace';

  test('two that leave together', () => {
    expect(reasons({ 'a/b': link('..'), out: link('a/b/../outside') })).toEqual({ 'a/b': undefined, out: winding });
  });

  test('one through another, in any case', () => {
    expect(reasons({ 'a/B': link('..'), 'a/l': link('b/x'), m: link('./a//b') })).toEqual({
      'a/B': undefined,
      'a/l': winding,
      m: winding,
    });
  });

  test.each([
    ['l', 'd/git~1', out],
    ['l', 'd/.GIT/hooks', out],
    ['a/l', '../.git', out],
    ['a/l', '../../x', out],
    ['a/l', '..\\..\\x', out],
    ['l', '/etc', out],
    ['l', 'C:\\x', out],
    ['l', 'd/..', winding],
    ['a/l', '../b/../c', winding],
    ['a/b/l', '../../c/d', undefined],
    ['a/l', '.', undefined],
    ['l', './d//e/', undefined],
  ])('%s -> %s: %s', (path, target, reason) => {
    expect(sensitiveReason(path, absent, link(target))).toBe(reason);
  });
});

describe('by name', () => {
  const kinds: Record<string, string> = {
    'editor configuration':
      'sub/.vscode .idea .vim/after/x.vim .luarc.json .luarc.jsonc .neoconf.json a.sublime-project a.code-workspace .vimrc .NVIMRC',
    'agent instructions':
      'AGENTS.md sub/agents.md AGENTS.override.md CLAUDE.md CLAUDE.local.md GEMINI.md .cursorrules .windsurfrules .github/copilot-instructions.md .github/instructions/a.md',
    'agent configuration': '.gemini/settings.json .windsurf/rules/a.md .windsurf sub/.codex .claude',
    'container configuration': '.devcontainer.json .devcontainer',
    'git hooks': '.husky sub/.husky .overcommit.yml',
    'CI configuration':
      '.github .github/workflows .forgejo/workflows/a.yml .gitea .drone.yml .woodpecker.yml .woodpecker/a.yaml .buildkite/pipeline.yml azure-pipelines.yml bitbucket-pipelines.yml Jenkinsfile',
    'package manager configuration':
      '.cargo/config.toml sub/.cargo/config .cargo .yarn/plugins/a.cjs .yarn/releases .yarn',
    'tool configuration': 'mise.toml .mise.toml mise.local.toml .mise/config.toml .config/mise/config.toml .config',
  };
  const paths = Object.entries(kinds).flatMap(([reason, list]) => list.split(' ').map((path) => [path, reason]));
  test.each(paths)('%s: %s', (path, reason) => {
    expect(sensitiveReason(path ?? '', absent, link('conf'))).toBe(reason);
    expect(sensitiveReason(path ?? '', text('a\n'), text('b\n'))).toBe(reason);
  });

  test.each([
    '.github/dependabot.yml',
    '.cargo/audit.toml',
    '.yarn/cache/a.zip',
    '.tool-versions',
    '.config/a',
    'mise.md',
  ])('%s is ordinary', (path) => {
    expect(sensitiveReason(path, absent, text('a\n'))).toBeUndefined();
  });
});

test.each([
  ['api/link', 'src/x', undefined],
  ['api/link', '../web/x', undefined],
  ['api/src/link', '../../web', undefined],
  ['api/link', '../other/x', 'symbolic link out of the workspace'],
  ['api/link', '..', 'symbolic link out of the workspace'],
  ['api/link', '../..', 'symbolic link out of the workspace'],
  ['api/link', '../web-old/x', 'symbolic link out of the workspace'],
  ['api/link', '..\\other\\x', 'symbolic link out of the workspace'],
  ['api/.vscode/link', '../src', 'editor configuration'],
])('in a workspace of api and web, a link %s to %s', (path, target, reason) => {
  const reviewed = reviewOf([{ path, base: absent, agent: link(target) }], new Map(), new Map());
  expect(withLinksInside(reviewed, ['api', 'web']).files[0]?.sensitive).toBe(reason);
});
