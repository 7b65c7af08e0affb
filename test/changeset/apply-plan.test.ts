import { describe, expect, test } from 'vitest';
import { planApply } from '../../server/changeset/apply-plan.ts';
import { acceptOutcomes } from '../../server/changeset/outcome.ts';
import { sensitiveReason } from '../../server/changeset/sensitive.ts';
import { absent, binary, type Files, idsOf, link, review, text } from './states.ts';

const base: Files = {
  closed: text('a\n'),
  open: text('a\n'),
  'open-mode': text('a\n'),
  'only-mode': text('a\n'),
  gone: text('gone\n'),
  old: text('moves\n'),
  bin: binary('1'),
  kind: text('a\n'),
};
const agent: Files = {
  closed: text('b\n'),
  open: text('b\n'),
  'open-mode': text('b\n', 0o755),
  'only-mode': text('a\n', 0o755),
  moved: text('moves\n'),
  bin: binary('2'),
  kind: link('x'),
  made: text('m\n'),
};
const reviewed = review(base, agent);
const outcomes = acceptOutcomes(reviewed, new Set(idsOf(reviewed)));
const open = new Map([
  ['open', 7],
  ['open-mode', 3],
  ['old', 1],
  ['gone', 2],
]);
const byServer = ['bin', 'gone', 'kind', 'made', 'moved <- old', 'only-mode'];

describe('who writes what', () => {
  test.each([
    ['editor', ['closed null', 'open 7', 'open-mode 3'], [...byServer, 'open-mode']],
    ['mixed', ['open 7', 'open-mode 3'], [...byServer, 'closed', 'open-mode']],
    ['disk', [], [...byServer, 'closed', 'open', 'open-mode']],
  ] as const)('%s', (mode, editor, disk) => {
    const plan = planApply(outcomes, open, { mode });
    expect(plan.editor.map(({ path, version }) => `${path} ${version}`)).toEqual(editor);
    expect(plan.disk.map(({ path, from }) => (from === undefined ? path : `${path} <- ${from}`)).sort()).toEqual(
      [...disk].sort(),
    );
  });

  test('the editor is told edits and outcome; a mode beside them is a change of the file alone', () => {
    const plan = planApply(
      outcomes.filter(({ path }) => path === 'open-mode'),
      open,
      { mode: 'editor' },
    );
    expect(plan).toEqual({
      editor: [
        {
          path: 'open-mode',
          version: 3,
          edits: [{ line: 0, deleteCount: 1, lines: ['b\n'], hunk: expect.any(String) }],
          after: text('b\n', 0o755),
        },
      ],
      disk: [{ path: 'open-mode', before: text('a\n'), after: text('a\n', 0o755) }],
    });
  });

  test('the server is told what must still hold', () => {
    const plan = planApply(outcomes, open, { mode: 'disk' });
    expect(plan.disk).toContainEqual({ path: 'moved', from: 'old', before: text('moves\n'), after: text('moves\n') });
    expect(plan.disk).toContainEqual({ path: 'gone', before: text('gone\n'), after: absent });
    expect(plan.disk).toContainEqual({ path: 'made', before: absent, after: text('m\n') });
    expect(plan.disk).toContainEqual({ path: 'kind', before: text('a\n'), after: link('x') });
  });
});

describe('what is sensitive', () => {
  test.each([
    ['.vscode/tasks.json', 'editor configuration'],
    ['packages/x/.idea/a.xml', 'editor configuration'],
    ['.ZED/settings.json', 'editor configuration'],
    ['.helix/languages.toml', 'editor configuration'],
    ['.exrc', 'editor configuration'],
    ['sub/.nvim.lua', 'editor configuration'],
    ['.dir-locals.el', 'editor configuration'],
    ['.cursor/rules/a.md', 'agent configuration'],
    ['.codex/prompts/x.md', 'agent configuration'],
    ['.claude/settings.json', 'agent configuration'],
    ['.agents/x', 'agent configuration'],
    ['.mcp.json', 'agent configuration'],
    ['.devcontainer/devcontainer.json', 'container configuration'],
    ['.github/workflows/ci.yml', 'CI configuration'],
    ['.gitlab-ci.yml', 'CI configuration'],
    ['.husky/pre-commit', 'git hooks'],
    ['.envrc', 'shell configuration'],
    ['.gitmodules', 'git configuration'],
    ['a/.gitattributes', 'git configuration'],
    ['.gitconfig', 'git configuration'],
    ['.npmrc', 'package manager configuration'],
    ['.yarnrc.yml', 'package manager configuration'],
    ['.pnpmfile.cjs', 'package manager configuration'],
    ['src/a.ts', undefined],
    ['.github/ISSUE_TEMPLATE.md', undefined],
    ['docs/.vscode.md', undefined],
    ['vscode/settings.json', undefined],
    ['.gitignore', undefined],
    ['package.json', undefined],
  ])('%s: %s', (path, reason) => {
    expect(sensitiveReason(path, text('a\n'), text('b\n'))).toBe(reason);
  });

  test.each([
    ['a new executable', 'run', absent, text('#!/bin/sh\n', 0o755), 'new executable'],
    ['a file becomes executable', 'run', text('a\n'), text('a\n', 0o755), 'new executable'],
    ['it was executable', 'run', text('a\n', 0o755), text('b\n', 0o755), undefined],
    ['a new binary executable', 'run', absent, binary('1', 0o755), 'new executable'],
    ['a link inside', 'a/b/l', absent, link('../c'), undefined],
    ['a link to the root', 'a/l', absent, link('..'), undefined],
    ['a link out', 'a/l', absent, link('../../x'), 'symbolic link out of the workspace'],
    ['a link out and in again', 'l', absent, link('../ws/x'), 'symbolic link out of the workspace'],
    ['an absolute link', 'l', absent, link('/etc/passwd'), 'symbolic link out of the workspace'],
    ["a link into git's folder", 'l', absent, link('.git/config'), 'symbolic link out of the workspace'],
    ['a bare repository', 'x/HEAD', absent, text('ref: refs/heads/main\n'), 'part of a git repository'],
    ['a fifo', 'p', absent, { kind: 'other', what: 'a fifo' } as const, "a fifo, which can't be applied"],
    ['a deletion', 'run', text('a\n', 0o755), absent, undefined],
  ])('%s', (_name, path, before, after, reason) => {
    expect(sensitiveReason(path, before, after)).toBe(reason);
  });

  test('a move out of such a folder counts as well', () => {
    expect(review({ '.vscode/a': text('a\n') }, { a: text('a\n') }).files[0]?.sensitive).toBe('editor configuration');
  });
});
