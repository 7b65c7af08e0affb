/** The copy as a whole tree: commands change the same in it, whoever they are and whatever they leave behind. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Copy } from '../../server/workspace/copy.ts';
import { cases, files, list } from './change-cases.ts';
import { bash, makePlace, runInTree, runOver, writeFiles } from './scenario.ts';
import { outputs, users } from './users.ts';

/** What no whole copy can hold. */
const special = new Set(['a pipe']);

describe.each(users)('$name', (user) => {
  test.each(cases.filter(({ name }) => !special.has(name)))('$name', async ({ command, expected, more }) => {
    const outcome = await user.play({ files, ...more, steps: [{ command, inTree: true }] });
    outputs(outcome);
    const unreadable = list(outcome).map((line) => line.replace('unreadable file', '"x\\n"'));
    expect(unreadable).toEqual(expected);
    expect(outcome.after).toEqual(outcome.before);
  });

  test.each(['000', '100', '400', '600'])('chmod %s of a folder deletes nothing in it', async (mode) => {
    const outcome = await user.play({
      files: { 'src/a': 'a\n', 'src/deep/b': 'b\n' },
      steps: [
        { command: `chmod ${mode} src`, inTree: true },
        { command: 'ls src', inTree: true },
      ],
    });
    expect(outputs(outcome)).toEqual(['', 'a\ndeep\n']);
    expect(list(outcome)).toEqual([]);
    expect(outcome.after).toEqual(outcome.before);
  });

  test('a thread goes from one way to the other between any two commands', async () => {
    const outcome = await user.play({
      files: { ...files, 'gone/a': 'a\n', 'gone/b': 'b\n' },
      steps: [
        { command: 'echo 1 >> a.txt; rm -rf gone; mkdir gone; echo n > gone/n' },
        { command: 'cat a.txt src/b.ts; ls gone; rm src/deep/c.ts; rm -rf gone; echo 2 >> a.txt', inTree: true },
        { command: 'cat a.txt; ls -d gone src/deep; mkdir gone; echo m > gone/m', meanwhile: 'echo u > src/user.ts' },
        { command: 'ls gone; cat src/user.ts; mv src/b.ts c.ts; ln -s c.ts d.ts', inTree: true },
        { command: 'ls -A; cat d.ts' },
      ],
    });
    expect(outputs(outcome)).toEqual([
      '',
      'one\ntwo\n1\nb\nn\n',
      expect.stringMatching(/^one\ntwo\n1\n2\nls: .*gone.*\nsrc\/deep\n$/),
      'm\nu\n',
      '.gitignore\na.txt\nc.ts\nd.ts\ngone\nsrc\nb\n',
    ]);
    expect(list(outcome)).toEqual([
      'a.txt: "one\\ntwo\\n" => "one\\ntwo\\n1\\n2\\n"',
      'c.ts: absent => "b\\n"',
      'd.ts: absent => -> c.ts',
      'gone/a: "a\\n" => absent',
      'gone/b: "b\\n" => absent',
      'gone/m: absent => "m\\n"',
      'src/b.ts: "b\\n" => absent',
      'src/deep/c.ts: "c\\n" => absent',
    ]);
  });
});

/** As a command sees it. */
const look = 'find . -mindepth 1 -path ./.git -prune -o -printf "%y %m %P %l\\n" | sort; cat $(find . -type f | sort)';

const agent = fc.oneof(
  fc.constantFrom('d', 'd/e', 'n', 'n/m').map((folder) => `rm -rf ${folder}`),
  fc.constantFrom('d', 'd/e', 'n', 'n/m', 'a').map((folder) => `mkdir -p ${folder}`),
  fc.constantFrom('a', 'b', 'd/c', 'd/e/f', 'n/g', 'n/m/h', 'u/k', 'out.log').map((file) => `echo x >> ${file}`),
  fc.constantFrom('a', 'd/c', 'd/e/f', 'n/g', 'u/k').map((file) => `rm -rf ${file}; echo new > ${file}`),
  fc.constantFrom('a', 'b', 'd/c', 'd/e/f', 'n/g', 'u/k').map((file) => `rm -f ${file}`),
  fc.constantFrom('a', 'd/c', 'n/g').map((file) => `chmod 755 ${file}`),
  fc.constantFrom('a', 'd', 'd/e', 'n').map((path) => `rm -rf ${path}; ln -s b ${path}`),
  fc
    .constantFrom(['d/e', 'n/e'], ['d', 'q'], ['a', 'd/c'], ['n', 'd/n'], ['b', 'a'])
    .map(([from, to]) => `mv ${from} ${to}`),
  fc.constantFrom('a', 'd/c').map((file) => `touch ${file}`),
);
const user = fc.constantFrom(
  'echo u >> a',
  'echo u >> d/c',
  'echo u > u/new',
  'rm -f b',
  'rm -f d/e/f',
  'chmod 755 b',
  'true',
);
const buffers = fc.dictionary(fc.constantFrom('a', 'b', 'd/c', 'u/k'), fc.constantFrom('typed\n', 'typed more\n'), {
  maxKeys: 2,
});
const steps = fc.array(
  fc.record({
    commands: fc.array(agent, { minLength: 1, maxLength: 4 }),
    user,
    buffers,
    patch: fc.option(fc.constantFrom('a', 'd/c', 'p/new', 'u/k')),
    inTree: fc.boolean(),
  }),
  { minLength: 1, maxLength: 4 },
);

test('any commands, buffers, patches and edits of the user give the same changes by overlay, by tree and by both', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (steps) => {
      const playBy = async (by: (inTree: boolean) => boolean) => {
        await using place = makePlace();
        writeFiles(place.root, {
          a: 'a\n',
          b: 'b\n',
          'd/c': 'c\n',
          'd/e/f': 'f\n',
          'u/k': 'k\n',
          '.gitignore': '*.log\n',
        });
        const copy = await Copy.open(place);
        const seen: unknown[] = [];
        for (const step of steps) {
          bash(place.root, `{ ${step.user}; } 2>/dev/null || true`);
          const texts = new Map(Object.entries(step.buffers));
          const run = by(step.inTree) ? runInTree : runOver;
          const command = [...step.commands.map((each) => `{ ${each}; } 2>/dev/null`), look].join('\n');
          const result = await run(copy, { command, buffers: texts });
          if (result.kind !== 'ran') throw new Error(result.reason);
          seen.push(result.output, structuredClone(copy.changes()));
          const write = step.patch === null ? [] : [{ path: step.patch, state: patched }];
          seen.push(
            await copy.write(write).then(
              () => 'written',
              () => 'refused',
            ),
          );
        }
        return seen;
      };
      const overlay = await playBy(() => false);
      expect(await playBy(() => true)).toEqual(overlay);
      expect(await playBy((inTree) => inTree)).toEqual(overlay);
    }),
    { numRuns: 10 },
  );
}, 240_000);

const patched = { kind: 'text', text: 'patched\n', mode: 0o644 } as const;
