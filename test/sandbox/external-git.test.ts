/**
 * In a linked worktree and in a submodule that is opened by itself, git works in the copy; neither the workspace nor the
 * git folder beside it changes by a byte. What another `.git` file points at stays closed.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Strategy } from '../../server/sandbox/types.ts';
import { bash, type Outcome } from './scenario.ts';
import { outputs, type User, users } from './users.ts';

const git = 'git -c user.name=t -c user.email=t@t -c protocol.file.allow=always -c init.defaultBranch=main';
/** Where a user has no name, git needs one from the repository. */
const named = 'git config user.name t; git config user.email t@t';
/** Run in the workspace, which is empty, to make it part of a repository beside it. */
const linked = `
  ${git} init -q ../main; echo one > ../main/a; ${git} -C ../main add a; ${git} -C ../main commit -qm first
  rmdir "$PWD"; ${git} -C ../main worktree add -q "$PWD" -b side; cd "$PWD"; ${named}`;
const ofBare = `
  ${git} init -q ../first; echo one > ../first/a; ${git} -C ../first add a; ${git} -C ../first commit -qm first
  ${git} clone -q --bare ../first ../main; rmdir "$PWD"; ${git} -C ../main worktree add -q "$PWD" -b side; cd "$PWD"; ${named}`;
const submodule = `
  ${git} init -q ../first; echo one > ../first/a; ${git} -C ../first add a; ${git} -C ../first commit -qm first
  rmdir "$PWD"; ${git} init -q ..; ${git} -C .. submodule --quiet add ./first workspace 2>/dev/null
  ${git} -C .. commit -qm sub; cd "$PWD"; ${named}`;

const overlay = { kind: 'overlay', by: 'unshare' } as const;

/** All of the place but the copy, which lies in `state`, as one sum. */
const sum =
  'cd ..; find . -path ./state -prune -o -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum > state/sum-';

const work = `
  git log --format=%s; echo two >> a; git add a; git commit -qm second; git branch other; echo three >> a
  git stash -q; git log --format=%s | tr "\\n" " "; git status --short; git stash list | wc -l; git branch --format="%(refname:short)" | grep other`;

async function played(user: User, setup: string, steps: string[]): Promise<Outcome> {
  return user.play({
    setup: `mkdir -p ../state; ${setup}`,
    steps: [
      ...steps.map((command, index) => ({ command, ...(index === 0 ? { meanwhile: `${sum}before` } : {}) })),
      { command: 'true', meanwhile: `${sum}after; cmp state/sum-before state/sum-after` },
    ],
  });
}

describe.each(users)('$name', (user) => {
  test.each([
    ['a linked worktree', linked],
    ['a worktree of a bare repository', ofBare],
    ['a submodule', submodule],
  ])('commit, branch and stash in %s', async (_, setup) => {
    const outcome = await played(user, setup, [work, 'git log --format=%s; git stash pop -q; tail -1 a']);
    expect(outputs(outcome)).toEqual(['first\nsecond first 1\nother\n', 'second\nfirst\nthree\n', '']);
    expect(outcome.changes.map(({ path }) => path)).toEqual(['a']);
    expect(outcome.after).toEqual(outcome.before);
  });

  const owned = user.isRoot
    ? [
        {
          way: "an overlay, over somebody else's",
          setup: 'chmod 755 ..; chown -R 54321:54321 . ../main',
          strategy: overlay,
        },
      ]
    : [];
  describe.each<{ way: string; strategy: Strategy; setup?: string }>([
    { way: 'an overlay', strategy: overlay },
    { way: 'a whole copy', strategy: { kind: 'copy', reason: 'A test.' } },
    ...owned,
  ])('$way', ({ strategy, setup = '' }) => {
    test("credentials in a linked worktree's common configuration are masked in what commands see", async () => {
      const outcome = await user.play({
        setup: `${linked}
          git remote add origin https://me:TOPSECRET@example.com/x.git
          git config http.https://example.com/.extraheader 'AUTHORIZATION: basic TOPSECRET'
          echo https://me:TOPSECRET@example.com > ../main/.git/credentials
          ${setup}`,
        steps: [
          {
            command: `c=$(cut -d' ' -f2 .git)/../..; git config --list; cat $c/config; cat $c/credentials 2>&1; grep -r TOP $c
              git remote -v; echo two > a; git commit -qam second; git log --format=%s`,
          },
          // Where a user adds one meanwhile.
          {
            meanwhile: 'git config --file ../main/.git/config remote.more.url https://TOPSECRET@example.com/',
            command: 'git config --list',
          },
          {
            command: 'git config user.name other; git config --list; git commit -q --allow-empty -m third; git log -1',
          },
        ],
        strategy,
        secret: 'TOPSECRET',
      });
      const [first = '', second = '', third = ''] = outputs(outcome);
      expect(first + second + third).not.toContain('TOPSECRET');
      expect(outcome.leaks).toEqual([]);
      expect(outcome.after).toEqual(outcome.before);
      expect(first).toMatch(/remote\.origin\.url=https:\/\/.*example\.com\/x\.git\n/);
      expect(first).toMatch(/credentials: No such file/);
      expect(first).toMatch(/second\nfirst\n$/);
      expect(second).toContain('remote.more.url=');
      expect(third).toMatch(/Author: other <t@t>[\s\S]*third/);
    });
  });

  test('the repository that a foreign .git file points at can not be read', async () => {
    const secret = mkdtempSync(join(tmpdir(), 'codex-lsp-other-'));
    try {
      bash(
        secret,
        `chmod 755 .; ${git} init -q; echo TOPSECRET > a; ${git} add a; ${git} commit -qm TOPSECRET; chmod -R a+rX .`,
      );
      if (user.isRoot || process.getuid?.() !== 0)
        expect(readFileSync(join(secret, '.git/logs/HEAD'), 'utf8')).toContain('TOPSECRET');
      const outcome = await user.play({
        setup: `echo "gitdir: ${secret}/.git" > .git`,
        steps: [{ command: `git log 2>&1; cat ${secret}/.git/logs/HEAD 2>&1; git show HEAD:a 2>&1; echo end` }],
      });
      const [text] = outputs(outcome);
      expect(text).not.toContain('TOPSECRET');
      expect(text).toMatch(/end\n$/);
    } finally {
      rmSync(secret, { recursive: true });
    }
  });
});
