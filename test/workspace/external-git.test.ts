/** The git folder of a linked worktree or a submodule is found, and never somebody else's. */
import { lchownSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Copy } from '../../server/workspace/copy.ts';
import { externalGitFolder, worktreeIn } from '../../server/workspace/external-git.ts';
import { findGitFolder } from '../../server/workspace/git-folder.ts';
import { makeFolder } from './folder.ts';

const git = 'git -c user.name=t -c user.email=t@t -c protocol.file.allow=always -c init.defaultBranch=main';
const setup = `
  ${git} init -q main; echo one > main/a; ${git} -C main add a; ${git} -C main commit -qm one
  ${git} -C main worktree add -q ../linked
  ${git} init -q super; ${git} -C super submodule --quiet add ../main 'sub' 2>/dev/null; ${git} -C super commit -qm sub
  ${git} clone -q --bare main bare.git; ${git} -C bare.git worktree add -q ../of-bare
  ${git} -C super worktree add -q ../super-linked; cd super-linked; ${git} submodule --quiet update --init`;

describe('found', () => {
  test.each([
    ['linked', 'main/.git'],
    ['of-bare', 'bare.git'],
    ['super/sub', 'super/.git/modules/sub'],
    ['super-linked', 'super/.git'],
    ['super-linked/sub', 'super/.git/worktrees/super-linked/modules/sub'],
  ])('%s: %s', async (workspace, expected) => {
    using folder = makeFolder();
    folder.bash(setup);
    expect(await externalGitFolder(join(folder.path, workspace))).toBe(join(folder.path, expected));
  });

  test('by a relative back link, as newer versions of git write one', async () => {
    using folder = makeFolder();
    folder.bash(`${setup}; echo ../../../../linked/.git > ../main/.git/worktrees/linked/gitdir`);
    expect(await externalGitFolder(join(folder.path, 'linked'))).toBe(join(folder.path, 'main/.git'));
  });
});

/** `evil`: a repository that somebody else made, with a `.git` that points at one of the user's. */
describe('not found', () => {
  test.each([
    ['an ordinary repository', 'main', ''],
    ['a folder of a worktree', 'linked/inner', 'mkdir linked/inner'],
    ['another repository', 'evil', 'mkdir evil; echo "gitdir: ../main/.git" > evil/.git'],
    ["another worktree's", 'evil', 'mkdir evil; cp linked/.git evil/.git'],
    ["another submodule's", 'evil', 'mkdir evil; echo "gitdir: ../super/.git/modules/sub" > evil/.git'],
    ['.git is a link to a file', 'evil', 'mkdir evil; ln -s ../linked/.git evil/.git'],
    ['.git is a link to a folder', 'evil', 'mkdir evil; ln -s ../main/.git evil/.git'],
    ['the workspace is reached by a link', 'evil', 'ln -s linked evil'],
    [
      'a folder of its own that shares with another repository',
      'evil',
      `mkdir -p evil made/worktrees/x; echo "gitdir: ../made/worktrees/x" > evil/.git
       echo ../../../main/.git > made/worktrees/x/commondir; echo ../../../evil/.git > made/worktrees/x/gitdir`,
    ],
    [
      'a folder that is no git folder',
      'evil',
      `mkdir -p evil made/worktrees/x; echo "gitdir: ../made/worktrees/x" > evil/.git
       echo ../.. > made/worktrees/x/commondir; echo ../../../evil/.git > made/worktrees/x/gitdir`,
    ],
    ['a git folder around the workspace', 'main/.git/inner', `${git} -C main worktree add -q .git/inner`],
    [
      'a pointer without end',
      'evil',
      'mkdir evil; (printf "gitdir: "; head -c 100000 /dev/zero | tr "\\0" a) > evil/.git',
    ],
  ])('%s', async (_, workspace, more) => {
    using folder = makeFolder();
    folder.bash(`(${setup}); ${more}`);
    expect(await externalGitFolder(join(folder.path, workspace))).toBeUndefined();
  });

  test.runIf(process.getuid?.() === 0)("a git folder that is another user's", async () => {
    using folder = makeFolder();
    folder.bash(setup);
    lchownSync(join(folder.path, 'main/.git'), 54_321, 54_321);
    expect(await externalGitFolder(join(folder.path, 'linked'))).toBeUndefined();
  });
});

test.each([
  ['[core]\n\tbare = false\n\tworktree = ../../../sub\n', '../../../sub'],
  ['[Core] worktree = a b\n', 'a b'],
  ['[core]\nworktree = "a \\"b\\" \\\\c"\n', 'a "b" \\c'],
  ['[remote "core"]\nworktree = x\n', undefined],
  ['[core]\nworktree = x\n[other]\nworktree = y\n', 'x'],
  ['', undefined],
])('core.worktree of %j', (config, expected) => {
  expect(worktreeIn(config)).toBe(expected);
});

test('a copy has layers for it, which stay for as long as the copy and no longer', async () => {
  using folder = makeFolder();
  folder.bash(setup);
  const dir = join(folder.path, 'state/copy');
  const open = () => Copy.open({ dir, root: join(folder.path, 'linked') });
  const { layers } = await open();
  expect(layers.beside).toEqual([
    {
      root: join(folder.path, 'main/.git'),
      upper: expect.stringMatching(/state\/copy\/git-[0-9a-f]{16}\/up$/),
      work: expect.stringMatching(/state\/copy\/git-[0-9a-f]{16}\/work$/),
      whiteouts: expect.stringMatching(/state\/copy\/git-[0-9a-f]{16}\/whiteouts$/),
    },
  ]);
  const copy = await open();
  expect(copy.layers).toEqual(layers);
  expect(await copy.scan({ startedAtMs: 0 })).toEqual({ problems: [] });
  await copy.remove();
  expect(folder.bash('ls state')).toBe('');
});

describe.runIf(process.getuid?.() === 0)('above the workspace', () => {
  const other = 54_321;
  const setupAbove = 'mkdir -p above/work; git init -q above';

  test.each<[string, string, boolean]>([
    ["a .git of the workspace's owner counts", `chown -R ${other} above`, true],
    ['one of ours counts', `chown ${other} above/work`, true],
    ['one that another user has put there does not', `chown -R ${other} above/.git`, false],
    ["nor one in another user's folder", `chown ${other} above`, false],
  ])('%s', async (_, more, counts) => {
    using folder = makeFolder();
    folder.bash(`${setupAbove}; ${more}`);
    const found = await findGitFolder(join(folder.path, 'above/work'));
    expect(found?.top).toBe(counts ? join(folder.path, 'above') : undefined);
  });

  test('at the workspace itself it counts whoever owns it', async () => {
    using folder = makeFolder();
    folder.bash(`${setupAbove}; chown -R ${other} above/.git`);
    expect((await findGitFolder(join(folder.path, 'above')))?.top).toBe(join(folder.path, 'above'));
  });
});
