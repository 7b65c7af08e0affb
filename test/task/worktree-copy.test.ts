/** Commands in a linked worktree and in a submodule where no overlay is mounted: git works in the copy, and only there. */
import { appendFileSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { runOverCopy } from '../../server/task/command-run.ts';
import { Copy } from '../../server/workspace/copy.ts';
import { bash, policy, treeOf } from '../sandbox/scenario.ts';

const chosen = vi.hoisted(() => ({ strategy: { kind: 'copy', reason: 'A test.' } }));
// Which of them a machine allows is another test's matter.
vi.mock('../../server/sandbox/strategy.ts', () => ({ chooseStrategy: async () => chosen.strategy }));

let folder = '';
let root = '';
let stateDir = '';
let problems: string[] = [];
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'codex-lsp-worktree-')));
  root = join(folder, 'side');
  stateDir = join(folder, 'state');
  mkdirSync(stateDir);
  problems = [];
});
afterEach(async () => {
  await (await Copy.open({ dir: join(stateDir, 'copy'), root })).remove();
  rmSync(folder, { recursive: true, force: true });
});

const git = 'git -c user.name=t -c user.email=t@t -c protocol.file.allow=always -c init.defaultBranch=main';
const first = `${git} init -q main; cd main; echo one >a; ${git} add a; ${git} commit -qm first`;
const linked = `${first}; ${git} worktree add -q ../side -b side; cd ../side; git config user.name t; git config user.email t@t`;
const submodule = `
  ${first}; cd ..; ${git} init -q .; ${git} submodule --quiet add ./main side 2>/dev/null; ${git} commit -qm sub
  cd side; git config user.name t; git config user.email t@t`;

async function run(command: string, kind: 'copy' | 'unsandboxed', { cwd = root, limits = {} } = {}) {
  chosen.strategy = { kind, reason: 'A test.' };
  const copy = await Copy.open({ dir: join(stateDir, 'copy'), root });
  await copy.refresh(new Map());
  const result = await runOverCopy({
    ...{ copy, stateDir, command, cwd, policy: { ...policy, ...limits }, unsandboxed: kind === 'unsandboxed' },
    ...{ environment: process.env, timeoutMs: 20_000, outputBytesMax: 10_000 },
    signal: new AbortController().signal,
    report: (found) => problems.push(...found),
    onCopied: () => {},
  });
  const output = result.kind === 'ran' ? result.output : result.reason;
  return {
    ...(result.kind === 'ran' && result.limit ? { limit: result.limit } : {}),
    output,
    changes: copy.changes().map(({ path }) => path),
  };
}

/** All of the user's, to the byte. */
const theirs = () => Object.fromEntries(Object.entries(treeOf(folder)).filter(([path]) => !path.startsWith('state')));

const work = `
  echo two >>a; git commit -qam second; git branch other; echo three >>a; git stash -q; git log --format=%s
  git status --short; git stash list | wc -l; git branch --format='%(refname:short)' | grep other`;
const worked = 'second\nfirst\n1\nother\n';

describe.each(['copy', 'unsandboxed'] as const)('%s', (kind) => {
  test('a linked worktree: commit, branch and stash stay in the copy', async () => {
    bash(folder, linked);
    const before = theirs();
    expect(await run(work, kind)).toEqual({ output: worked, changes: ['a'] });
    expect(theirs()).toEqual(before);
    const next = await run('git log --format=%s; git stash pop -q; tail -1 a; git status --short', kind);
    expect(next).toEqual({ output: 'second\nfirst\nthree\n M a\n', changes: ['a'] });
    expect(theirs()).toEqual(before);
    expect(problems).toEqual([]);
  });
});

test('a submodule, whole copy: the same', async () => {
  bash(folder, submodule);
  const before = theirs();
  expect(await run(work, 'copy')).toEqual({ output: worked, changes: ['a'] });
  expect(theirs()).toEqual(before);
});

test('a submodule, unsandboxed: git finds no repository, and that is said', async () => {
  bash(folder, submodule);
  const before = theirs();
  const { output } = await run(`git rev-parse --git-dir 2>&1; ${work}`, 'unsandboxed');
  expect(output).toMatch(/^fatal: not a git repository/);
  expect(theirs()).toEqual(before);
  expect(problems).toEqual([expect.stringContaining('git does not work in the copy')]);
});

test('one thread goes from one way to the other and back', async () => {
  bash(folder, linked);
  const before = theirs();
  await run('git commit -q --allow-empty -m c1', 'unsandboxed');
  await run('git commit -q --allow-empty -m c2; echo gitdir: /nowhere >.git', 'copy');
  const { output } = await run('git log --format=%s; echo x >.git', 'unsandboxed');
  expect(output).toBe('c2\nc1\nfirst\n');
  expect((await run('git log --format=%s', 'unsandboxed')).output).toBe('c2\nc1\nfirst\n');
  expect(theirs()).toEqual(before);
});

test.each([
  ['a worktree in the workspace', 'git worktree add -q in -b in', 'in'],
  ['a link to a git folder', `git init -q ../far; mkdir in; ln -s ${'"$PWD"'}/../far/.git in/.git`, 'in'],
  ['an absolute work tree', 'git init -q in; git -C in config core.worktree "$PWD/in"', 'in'],
])('unsandboxed, %s: git is not led to the user’s', async (_, setup, inside) => {
  bash(folder, `${first}; cp -r . ../side; cd ../side; ${setup}`);
  const before = theirs();
  await run(
    `echo x >y; ${git} add -A .; ${git} commit -qm mine; ${git} checkout -q -- .; ${git} branch mine`,
    'unsandboxed',
    { cwd: join(root, inside) },
  );
  expect(theirs()).toEqual(before);
  expect(problems).toEqual([expect.stringContaining(`in/.git leads to a folder that is not in the copy`)]);
});

test('unsandboxed, without a repository: none above the state folder is found', async () => {
  mkdirSync(root);
  writeFileSync(join(root, 'a'), 'one\n');
  bash(folder, `${git} init -q .; ${git} commit -q --allow-empty -m above`);
  const before = theirs();
  expect((await run('git rev-parse --git-dir 2>&1; git branch mine', 'unsandboxed')).output).toMatch(
    /^fatal: not a git/,
  );
  expect(theirs()).toEqual(before);
});

test('what the user commits meanwhile is in the copy too', async () => {
  bash(folder, linked);
  await run('true', 'unsandboxed');
  appendFileSync(join(dirname(root), 'main/a'), 'more\n');
  bash(join(folder, 'main'), `${git} commit -qam users; git branch theirs`);
  expect((await run('git log --format=%s theirs', 'unsandboxed')).output).toBe('users\nfirst\n');
});

test('what the user adds is not charged to a command; what commands have written is, and after a restart too', async () => {
  const limits = { diskBytesMax: 64 * 1024 ** 2 };
  bash(folder, linked);
  await run('true', 'copy', { limits });
  bash(root, 'head -c 60M /dev/zero >large; head -c 60M /dev/zero >../main/.git/large');
  const write = (name: string) => `head -c 40M /dev/zero >${name}; sleep 1; echo wrote`;
  expect(await run(write('n1'), 'copy', { limits })).toEqual({ output: 'wrote\n', changes: ['n1'] });
  expect(await run(write('n2'), 'copy', { limits })).toMatchObject({ limit: 'disk', output: '' });
});
