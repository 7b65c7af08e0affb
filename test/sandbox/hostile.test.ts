/** What a command, or a repository, leaves behind to break what comes after it: nothing is lost, and the copy goes on. */
import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Copy } from '../../server/workspace/copy.ts';
import type { ScanResult } from '../../server/workspace/thread-copy.ts';
import { bash, makePlace, type Outcome, runOver, writeFiles } from './scenario.ts';
import { outputs, users } from './users.ts';

const changed = ({ changes }: Outcome) => changes.map(({ path, agent }) => `${path} ${agent.kind}`);

describe.each(users)('$name', (user) => {
  test.each(['000', '100', '400', '600'])('chmod %s of a folder deletes nothing in it', async (mode) => {
    const outcome = await user.play({
      files: { 'src/a': 'a\n', 'src/deep/b': 'b\n' },
      steps: [{ command: `chmod ${mode} src` }, { command: 'true' }],
    });
    outputs(outcome);
    expect(changed(outcome)).toEqual([]);
    expect(outcome.after).toEqual(outcome.before);
  });

  test('a folder deleted, made again and closed is a deletion still', async () => {
    const outcome = await user.play({
      files: { 'src/a': 'a\n', 'src/b': 'b\n' },
      steps: [{ command: 'rm -rf src; mkdir src; echo B > src/b; chmod 000 src' }],
    });
    outputs(outcome);
    expect(changed(outcome)).toEqual(['src/a absent', 'src/b text']);
  });

  test('a folder in the place of a link has nothing to do with what the link led to', async () => {
    const outcome = await user.play({
      setup: 'mkdir -p ../other/sub; echo theirs | tee ../other/sub/a > ../other/b; ln -s ../other link',
      steps: [{ command: 'rm link; mkdir link; echo x > link/sub; echo x > link/b' }],
    });
    outputs(outcome);
    expect(outcome.problems).toEqual([]);
    expect(
      outcome.changes.map(({ path, base, agent }) => `${path} ${base === 'unknown' || base.kind} ${agent.kind}`),
    ).toEqual(['link symlink absent', 'link/b absent text', 'link/sub absent text']);
  });

  test.each([
    ['a link', 'mkdir -p conf/local; echo x > conf/local/x; ln -s conf .codex'],
    ['a file', 'echo x > .codex'],
  ])('where .codex is %s, commands run and nothing is hidden behind it', async (_, setup) => {
    const outcome = await user.play({ setup, steps: [{ command: 'cat conf/local/x .codex 2>/dev/null | head -1' }] });
    expect(outputs(outcome)).toEqual(['x\n']);
    expect(outcome.changes).toEqual([]);
    expect(outcome.after).toEqual(outcome.before);
  });

  test('the mode of its output is no matter of the next command', async () => {
    const outcome = await user.play({
      steps: [{ command: 'chmod 000 /proc/self/fd/1; echo one' }, { command: 'echo two' }],
    });
    expect(outputs(outcome)).toEqual(['one\n', 'two\n']);
  });
});

async function hostileCopy() {
  const place = makePlace();
  const { root } = place;
  writeFiles(root, { '.gitignore': 'out/\n', 'd/ok': 'ok\n' });
  const copy = await Copy.open(place);
  const scans: ScanResult[] = [];
  const scan = copy.scan.bind(copy);
  copy.scan = async (options) => {
    const result = await scan(options);
    scans.push(result);
    return result;
  };
  return {
    ...place,
    copy,
    problems: () => scans.at(-1)?.problems ?? [],
    async run(command: string) {
      const result = await runOver(copy, { command });
      if (result.kind !== 'ran') throw new Error(result.reason);
      return result.output;
    },
    [Symbol.asyncDispose]: () => place[Symbol.asyncDispose](),
  };
}

const deep = 'n=$(printf "%0100d" 7); for i in $(seq 60); do mkdir $n; cd -P $n 2>/dev/null || break; done; echo x > f';

test('names that are not UTF-8 are told, and gone after the turn; others beside them stay', async () => {
  await using place = await hostileCopy();
  bash(place.root, "echo user > d/$'\\xfe'");
  await place.run(
    "echo hi > d/ok; mkdir n; touch d/$'\\xff' n/$'\\xff' d/$'\\xfe'; mkdir n/$'\\xfd'; echo i > n/$'\\xfd'/in",
  );
  expect(place.problems()).toEqual(Array(4).fill(expect.stringContaining('is not UTF-8')));
  const changes = new Map(place.copy.changes().map(({ path, ...change }) => [path, change]));
  expect([...changes.keys()]).toEqual(['d/ok']);
  await place.copy.settle(changes);
  expect(await place.run('cat d/ok; ls -A n; cat d/*; ls d | wc -l')).toMatch(/^hi\nls: .*\nhi\nuser\n2\n$/);
  await place.copy.settle(new Map());
  expect(await place.run('cat d/ok')).toBe('ok\n');
});

test('folders deeper than any path are told, and gone after the turn', async () => {
  await using place = await hostileCopy();
  await place.run(`mkdir top; cd top; ${deep}`);
  expect(place.problems()).toEqual([expect.stringContaining('it lies too deep')]);
  await place.copy.settle(new Map());
  expect(await place.run('ls')).toBe('d\n');
});

test('a copy with such names and folders, closed and ignored, can be used and deleted', async () => {
  await using place = await hostileCopy();
  await place.run(
    `mkdir out; cd out; mkdir $'\\xff' closed; touch $'\\xff/\\xff' closed/$'\\xff'; chmod 000 closed; ${deep}`,
  );
  await place.copy.settle(new Map());
  expect(await place.run('ls -A out | wc -l')).toBe('3\n');
  await place.copy.remove();
  expect(existsSync(place.dir)).toBe(false);
});

test('many large files with nothing in them are not read for minutes, and are kept as they are', async () => {
  await using place = await hostileCopy();
  const startedAt = performance.now();
  await place.run('for i in $(seq 60); do truncate -s 250M big$i; done');
  expect(performance.now() - startedAt).toBeLessThan(10_000);
  expect(place.problems()).toEqual([expect.stringMatching(/^5\d files are too large/)]);
  const changes = place.copy.changes();
  expect(changes.length).toBe(60);
  await place.copy.settle(new Map(changes.map(({ path, ...change }) => [path, change])));
  expect(place.copy.changes()).toEqual(changes);
  expect(await place.run('ls | grep -c big')).toBe('60\n');
});
