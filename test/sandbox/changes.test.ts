/** What commands change in a real overlay, as it comes out of the copy; the user's own files stay as they are. */
import { describe, expect, test } from 'vitest';
import { cases, files, list } from './change-cases.ts';
import { play } from './scenario.ts';
import { outputs, users } from './users.ts';

describe.each(users)('$name', (user) => {
  test.each(cases)('$name', async ({ command, expected, more }) => {
    const outcome = await user.play({ files, ...more, steps: [{ command }] });
    outputs(outcome);
    // An ordinary user's file without permission is shown as what it is.
    const unreadable = list(outcome).map((line) => line.replace('unreadable file', '"x\\n"'));
    expect(unreadable).toEqual(expected);
    expect(outcome.after).toEqual(outcome.before);
  });

  test('unsaved text is what a command sees, and no change', async () => {
    const outcome = await user.play({
      files,
      steps: [
        { command: 'cat a.txt new/unsaved.txt', buffers: { 'a.txt': 'typed\n', 'new/unsaved.txt': 'fresh\n' } },
        { command: 'cat a.txt; ls', buffers: {} },
      ],
    });
    expect(outputs(outcome)).toEqual(['typed\nfresh\n', expect.stringMatching(/^one\ntwo\na\.txt/)]);
    expect(outcome.changes).toEqual([]);
    expect(outcome.after).toEqual(outcome.before);
  });

  test('the base of a change is the unsaved text; the changed file keeps its version', async () => {
    const outcome = await user.play({
      files,
      steps: [
        { command: 'sed -i s/typed/changed/ a.txt', buffers: { 'a.txt': 'typed\n' } },
        { command: 'cat a.txt src/b.ts', buffers: { 'a.txt': 'typed more\n', 'src/b.ts': 'B\n' } },
      ],
    });
    expect(outputs(outcome)).toEqual(['', 'changed\nB\n']);
    expect(list(outcome)).toEqual(['a.txt: "typed\\n" => "changed\\n"']);
  });

  test('what the user saves between two commands is there; what they save over a change is not', async () => {
    const outcome = await user.play({
      files,
      steps: [
        { command: 'echo agent > a.txt' },
        { meanwhile: 'echo user > a.txt; echo user > src/b.ts', command: 'cat a.txt src/b.ts' },
      ],
    });
    expect(outputs(outcome)).toEqual(['', 'agent\nuser\n']);
    expect(list(outcome)).toEqual(['a.txt: "one\\ntwo\\n" => "agent\\n"']);
  });

  test('files that the user makes in a folder the agent has deleted are no deletions', async () => {
    const outcome = await user.play({
      files,
      steps: [
        { command: 'rm -rf src; rm -rf node_modules && mkdir src' },
        { meanwhile: 'echo u > src/user.ts; sleep 0.02', command: 'true' },
      ],
    });
    outputs(outcome);
    expect(list(outcome)).toEqual(['src/b.ts: "b\\n" => absent', 'src/deep/c.ts: "c\\n" => absent']);
  });

  test('a read-only command sees unsaved text and can write nothing', async () => {
    const outcome = await user.play({
      files,
      steps: [
        {
          command: 'cat a.txt; echo x > a.txt; touch b',
          buffers: { 'a.txt': 'typed\n' },
          policy: { mode: 'readOnly' },
        },
      ],
    });
    expect(outputs(outcome)[0]).toMatch(/^typed\n.*Read-only file system\n.*Read-only file system\n$/);
    expect(outcome.changes).toEqual([]);
  });

  test('.codex/local is not there for a command, and never a change', async () => {
    const outcome = await user.play({
      files: { '.codex/local/review.diff': 'secret\n', '.codex/prompts/p.md': 'p\n' },
      steps: [{ command: 'ls .codex; cat .codex/local/review.diff; mkdir .codex/local; echo x > .codex/local/x' }],
    });
    expect(outputs(outcome)[0]).toMatch(/^prompts\ncat: .*No such file/);
    expect(outcome.changes).toEqual([]);
    expect(outcome.after).toEqual(outcome.before);
  });

  test('a workspace whose path means something in mount options', async () => {
    const outcome = await user.play({ files: { 'we,ird: na\\me/a': 'x\n' }, steps: [{ command: 'cat *ird*/a' }] });
    expect(outputs(outcome)).toEqual(['x\n']);
  });
});

test('a folder the command asks for that is not there is a failure of the command', async () => {
  const { results } = await play({ steps: [{ command: 'true', cwd: 'nowhere' }] });
  expect(results).toMatchObject([
    { kind: 'ran', status: 'failed', output: expect.stringContaining('There is no folder') },
  ]);
});
