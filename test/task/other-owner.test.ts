/** Root's server over another user's repository, in whole turns: commands run as that user, and what is accepted is theirs. */
import { execFileSync } from 'node:child_process';
import { chownSync, lstatSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { accountInPasswd } from '../support/account.ts';
import { custom, patch, say, script, shell, toolOutputs } from '../support/model.ts';
import { type Bench, diskFace, openBench } from '../support/task.ts';

const user = 54_321;
const files = {
  'mod.txt': 'one\n',
  'sub/from.txt': 'a\nb\nc\nd\n',
  'gone/x.txt': 'x\n',
  'drop.txt': 'd\n',
  '.gitignore': 'libs\n',
};

/** Owner and group of everything below a folder, links too, but for git's own. */
function owners(folder: string): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return Object.fromEntries(
    names
      .filter((name) => !/(^|\/)\.git(\/|$)/.test(name))
      .sort()
      .map((name) => {
        const { uid, gid } = lstatSync(join(folder, name));
        return [name, `${uid}:${gid}`];
      }),
  );
}

const ofOthers = (folder: string, uid: number): string[] =>
  execFileSync('find', [folder, '!', '-uid', String(uid)], { encoding: 'utf8' })
    .split('\n')
    .filter(Boolean);

const accepted = async ({ tasks }: Bench, threadId: string) => (await tasks.accept(threadId, {}, diskFace)).result;

describe.runIf(process.getuid?.() === 0)('as root', () => {
  test.each(['overlay', 'copy'] as const)(
    'by %s: commands are theirs, and so is what is accepted and undone',
    async (kind) => {
      await using bench = await openBench({
        files,
        script: script(
          shell(
            'id -u; id -g; whoami 2>/dev/null; echo; cat mod.txt; git status --short | head; touch sub/t && stat -c %u:%g sub/t; rm sub/t',
          ),
          patch('mod.txt', '-one', '+ONE'),
          custom('apply_patch', '*** Begin Patch\n*** Delete File: drop.txt\n*** End Patch'),
          shell(
            'mkdir -p new/in && echo n >new/in/n.txt && git mv sub/from.txt sub/to.txt && rm -r gone && git -c user.name=A -c user.email=a@localhost commit -qam agent; git log --format=%s; cat mod.txt; ls drop.txt',
          ),
          say('One.'),
          shell(
            'cat new/in/n.txt mod.txt; ls; echo more >>new/in/n.txt; stat -c %u mod.txt new/in new/in/n.txt | sort -u',
          ),
          say('Two.'),
        ),
      });
      const { workspace, model, tasks } = bench;
      const { root, stateDir } = workspace;
      execFileSync('chown', ['-R', `${user}:${user}`, root]);
      const before = owners(root);
      if (kind === 'copy') {
        mkdirSync(join(root, 'libs'));
        chownSync(join(root, 'libs'), user, user);
        execFileSync('mount', ['-t', 'tmpfs', '-o', `uid=${user},gid=${user}`, 'tmpfs', join(root, 'libs')]);
      }
      await using _mount = {
        async [Symbol.asyncDispose]() {
          if (kind === 'copy') execFileSync('umount', [join(root, 'libs')]);
        },
      };
      expect(await tasks.sandbox({ root, unsandboxed: false })).toMatchObject({ kind });
      const { threadId, end } = await bench.run('one');
      expect(end.status).toBe('completed');
      const [first = ''] = toolOutputs(model.requests[1]);
      expect(first).toContain(`${user}\n${user}\n`);
      expect(first).toMatch(new RegExp(`one\n${user}:${user}\n$`));
      expect(toolOutputs(model.requests[4]).at(-1)).toMatch(/agent\nstart\nONE\nls: .*drop.txt/);
      expect(await bench.review(threadId)).toEqual([
        'drop.txt:1 pending',
        'gone/x.txt:1 pending',
        'mod.txt:1 pending',
        'new/in/n.txt:1 pending',
        'sub/to.txt:1 pending',
      ]);

      expect(await accepted(bench, threadId)).toMatchObject({ failed: [], conflicts: [] });
      expect(await workspace.read('sub/to.txt')).toBe(files['sub/from.txt']);
      const theirs = `${user}:${user}`;
      expect(owners(root)).toMatchObject({
        'mod.txt': theirs,
        new: theirs,
        'new/in': theirs,
        'new/in/n.txt': theirs,
        'sub/to.txt': theirs,
      });
      expect(ofOthers(root, user)).toEqual([]);

      const second = await bench.run('two', { threadId });
      expect(second.end.status).toBe('completed');
      expect(toolOutputs(model.requests.at(-1)).at(-1)).toMatch(new RegExp(`n\nONE\n(.*\n)+${user}\n$`));
      expect(await bench.review(threadId)).toEqual(['new/in/n.txt:2 pending']);

      const { result } = await tasks.undo(threadId, diskFace);
      expect(await result).toMatchObject({ failed: [] });
      expect(await workspace.read('mod.txt')).toBe('one\n');
      const { libs: _, ...after } = owners(root);
      expect(after).toEqual(before);
      expect(ofOthers(root, user)).toEqual([]);
      // Only the copy itself is theirs, and the pipe that its commands write to: in a folder that they can't enter.
      const notRoots = ofOthers(stateDir, 0).filter((path) => !/\/copy\/(up|work|tree|output)(\/|$)/.test(path));
      expect(notRoots).toEqual([]);
    },
  );

  test('a folder of a group that is not its owner’s own is worked on in a whole copy, and keeps its group', async ({
    skip,
  }) => {
    const account = accountInPasswd() ?? skip('this system has no such user');
    const group = account.gid + 50_000;
    await using bench = await openBench({
      files,
      script: script(shell('id -u; id -g; id -G; echo more >> mod.txt; echo n > new.txt; cat mod.txt'), say('Done.')),
    });
    const { workspace, model, tasks } = bench;
    execFileSync('chown', ['-R', `${account.uid}:${group}`, workspace.root]);
    expect(await tasks.sandbox({ root: workspace.root, unsandboxed: false })).toMatchObject({ kind: 'copy' });
    const { threadId, end } = await bench.run('one');
    expect(end.status).toBe('completed');
    const [said] = toolOutputs(model.requests[1]);
    expect(said).toContain(`${account.uid}\n${account.gid}\n${account.gid}\none\nmore\n`);
    expect(await accepted(bench, threadId)).toMatchObject({ failed: [], conflicts: [] });
    const theirs = `${account.uid}:${group}`;
    expect(owners(workspace.root)).toMatchObject({ 'mod.txt': theirs, 'new.txt': theirs });
  });
});
