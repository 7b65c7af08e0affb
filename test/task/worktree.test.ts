/** Whole turns in a linked worktree: the agent commits in its copy, and the main repository does not change by a byte. */
import { execFileSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { treeOf } from '../sandbox/scenario.ts';
import { patch, say, script, shell, toolOutputs } from '../support/model.ts';
import { diskFace, openBench } from '../support/task.ts';
import { git } from '../support/workspace.ts';

const identity = 'git -c user.name=A -c user.email=a@localhost';

/** Makes a main repository beside `root`, and of `root` a linked worktree of it. */
function linkedTo(root: string): string {
  const main = join(dirname(root), 'main');
  execFileSync('mkdir', [main]);
  git(main, 'init', '-q', '-b', 'main');
  execFileSync('/bin/sh', ['-c', 'echo one >a.txt; rmdir ../project'], { cwd: main });
  git(main, 'add', '-A');
  git(main, 'commit', '-q', '-m', 'start');
  git(main, 'worktree', 'add', '-q', '-b', 'side', root);
  return main;
}

test('log, commit and branch work inside; what is accepted arrives in the worktree; git itself is untouched', async () => {
  await using bench = await openBench({
    files: {},
    git: false,
    script: script(
      shell('git log --format=%s; git status --short; git rev-parse --abbrev-ref HEAD; cat a.txt'),
      patch('a.txt', '-one', '+ONE'),
      shell(`echo n >new.txt; git add -A; ${identity} commit -qm agent; git branch other; git log --format=%s`),
      say('One.'),
      shell('git log --format=%s; git branch --format="%(refname:short)"; git status --short; echo m >>new.txt'),
      say('Two.'),
    ),
  });
  const { workspace, model, tasks } = bench;
  const { root } = workspace;
  const main = linkedTo(root);
  const before = treeOf(main);

  const { threadId, end } = await bench.run('one');
  expect(end.status).toBe('completed');
  expect(toolOutputs(model.requests[1])[0]).toContain('start\nside\none\n');
  expect(toolOutputs(model.requests[3]).at(-1)).toContain('agent\nstart\n');
  expect(await bench.review(threadId)).toEqual(['a.txt:1 pending', 'new.txt:1 pending']);
  expect(treeOf(main)).toEqual(before);
  const { diff } = await tasks.changeset(threadId, { under: () => new Map() });
  execFileSync('git', ['apply', '--check', '-'], { cwd: root, input: diff });

  const { result } = await tasks.accept(threadId, {}, diskFace);
  expect(await result).toMatchObject({ failed: [], conflicts: [] });
  expect(await workspace.read('a.txt')).toBe('ONE\n');
  expect(treeOf(main)).toEqual(before);
  await bench.restart();
  await bench.run('two', { threadId });
  expect(toolOutputs(model.requests.at(-1)).at(-1)).toContain('agent\nstart\nmain\nother\nside\n');
  expect(await bench.review(threadId)).toEqual(['new.txt:2 pending']);
  expect(treeOf(main)).toEqual(before);
  expect(git(root, 'log', '--format=%s')).toBe('start\n');
  expect(git(root, 'branch', '--format=%(refname:short)')).toBe('main\nside\n');
});
