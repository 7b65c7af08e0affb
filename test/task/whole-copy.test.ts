/** Whole turns where no overlay can be made: commands run over a copy of the workspace, and nothing else is different. */
import { execFileSync } from 'node:child_process';
import { chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { patch, say, script, shell, toolOutputs } from '../support/model.ts';
import { type Bench, diskFace, openBench } from '../support/task.ts';
import { git } from '../support/workspace.ts';

const secret = 'TOPSECRET-4711';
const files = {
  'a.txt': 'one\n',
  'src/b.txt': 'two\n',
  '.gitignore': 'libs\n.env\n',
};

/** What rules an overlay out; undone when it is disposed. */
type Obstacle = {
  name: string;
  reason: RegExp;
  put: (bench: Bench) => Promise<AsyncDisposable>;
};

const mount = (...args: string[]) => execFileSync('mount', args);
const unmounted = (path: string): AsyncDisposable => ({
  [Symbol.asyncDispose]: async () => void execFileSync('umount', [path]),
});

const obstacles: Obstacle[] = [
  {
    name: 'a file system mounted inside the workspace',
    reason: /mounted inside the workspace, at mounted$/,
    put: async ({ workspace: { root } }) => {
      mkdirSync(join(root, 'mounted'));
      mount('-t', 'tmpfs', 'tmpfs', join(root, 'mounted'));
      writeFileSync(join(root, 'mounted/there.txt'), 'there\n');
      return unmounted(join(root, 'mounted'));
    },
  },
  {
    name: 'a file of another owner',
    reason: /^src\/b\.txt belongs to another user/,
    put: async ({ workspace: { root } }) => {
      chownSync(join(root, 'src/b.txt'), 54_321, 54_321);
      return { [Symbol.asyncDispose]: async () => {} };
    },
  },
  {
    name: 'a state folder on an overlay',
    reason: /^The state folder .* lies on an overlay filesystem/,
    put: async (bench) => {
      const { stateDir } = bench.workspace;
      const layers = join(stateDir, '..', 'layers');
      mkdirSync(layers);
      mount('-t', 'tmpfs', 'tmpfs', layers);
      for (const name of ['lower', 'up', 'work']) mkdirSync(join(layers, name), { mode: 0o700 });
      const options = ['lowerdir=lower', 'upperdir=up', 'workdir=work'].map((part) => part.replace('=', `=${layers}/`));
      mount('-t', 'overlay', 'overlay', '-o', options.join(','), stateDir);
      await bench.restart();
      return {
        async [Symbol.asyncDispose]() {
          await bench.tasks.close();
          for (const path of [stateDir, layers]) execFileSync('umount', [path]);
        },
      };
    },
  },
];

const warnings = ({ events }: Bench): string[] =>
  events.flatMap(({ event }) => (event.type === 'warning' ? [event.message] : []));

const accepted = async ({ tasks }: Bench, threadId: string) => (await tasks.accept(threadId, {}, diskFace)).result;

const filesWith = (folder: string): string =>
  execFileSync('/bin/bash', ['-c', `grep -rlaF --devices=skip ${secret} . || true`], { cwd: folder, encoding: 'utf8' });

describe.runIf(process.getuid?.() === 0)('as root', () => {
  test.each(obstacles)('$name: turns run, are reviewed and accepted, and the reason is said once', async (obstacle) => {
    await using bench = await openBench({
      files,
      script: script(
        shell('pwd; cat a.txt src/b.txt; cat .env; ls -A libs | wc -l; (echo x >libs/new) 2>&1; cat mounted/*'),
        patch('a.txt', '-one', '+ONE'),
        shell(
          'cat a.txt; echo new >new.txt; git rm -qf src/b.txt; git -c user.name=A -c user.email=a@localhost commit -qam agent; git log --format=%s',
        ),
        say('One.'),
        shell(
          'cat a.txt new.txt; ls src; git log --format=%s; echo more >>new.txt; mkdir -p deep/er; echo x >deep/er/x',
        ),
        say('Two.'),
      ),
    });
    const { workspace, model } = bench;
    const { root, stateDir } = workspace;
    mkdirSync(join(root, 'libs'));
    for (let count = 0; count < 2_100; count += 1) writeFileSync(join(root, 'libs', `f${count}`), '');
    await workspace.write('.env', `KEY=${secret}\n`);
    await using _obstacle = await obstacle.put(bench);
    const head = git(root, 'rev-parse', 'HEAD');

    const { threadId, end } = await bench.run('one');
    expect(end).toMatchObject({ status: 'completed' });
    const [first = ''] = toolOutputs(model.requests[1]);
    expect(first).toContain(`${root}\none\ntwo\ncat: .env: No such file or directory\n2100\n`);
    expect(first).toContain('libs/new: Read-only file system');
    if (obstacle.name.startsWith('a file system')) expect(first).toContain('there\n');
    expect(toolOutputs(model.requests[3]).at(-1)).toContain('ONE\nagent\nstart\n');
    expect(await bench.review(threadId)).toEqual(['a.txt:1 pending', 'new.txt:1 pending', 'src/b.txt:1 pending']);
    expect(await workspace.read('a.txt')).toBe('one\n');
    expect(git(root, 'rev-parse', 'HEAD')).toBe(head);
    expect(warnings(bench)).toEqual([
      expect.stringMatching(/^No overlay can be made here, so the workspace is copied: /),
    ]);
    expect(
      warnings(bench)[0]
        ?.replace(/^.*is copied: /, '')
        .replace(/, and an overlay.*$/, ''),
    ).toMatch(obstacle.reason);

    expect(await accepted(bench, threadId)).toMatchObject({ failed: [], conflicts: [] });
    expect(await workspace.read('a.txt')).toBe('ONE\n');
    expect(await workspace.read('new.txt')).toBe('new\n');
    expect(await workspace.read('src/b.txt')).toBeUndefined();

    const second = await bench.run('two', { threadId });
    expect(second.end).toMatchObject({ status: 'completed' });
    expect(toolOutputs(model.requests.at(-1)).at(-1)).toMatch(/ONE\nnew\n(ls: .*\n)?agent\nstart\n/);
    expect(await bench.review(threadId)).toEqual(['deep/er/x:1 pending', 'new.txt:2 pending']);
    expect(warnings(bench)).toHaveLength(1);
    expect(filesWith(stateDir)).toBe('');
    expect(git(root, 'rev-parse', 'HEAD')).toBe(head);
  });

  test('how far the copying is comes live, with the command that waits for it', async () => {
    await using bench = await openBench({ files, script: script(shell('echo out'), say('Done.')) });
    const { root } = bench.workspace;
    mkdirSync(join(root, 'many'));
    for (let count = 0; count < 6_000; count += 1) writeFileSync(join(root, 'many', `f${count}`), `${count}\n`);
    await using _obstacle = await obstacles[0]?.put(bench);
    await bench.run('x');
    const live = bench.events.flatMap(({ event }) => (event.type === 'itemDelta' ? [event.delta] : [])).join('');
    expect(live).toMatch(/^copying the workspace: [\d,]+( of [\d,]+)? files …\n/);
    expect(live).toContain('out\n');
    const item = await bench.event('itemCompleted', ({ item }) => item.type === 'command');
    expect(item.item).toMatchObject({ status: 'completed', output: 'out\n' });
  });
});
