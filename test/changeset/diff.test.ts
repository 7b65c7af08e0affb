import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { quotePath, unquotePath } from '../../server/changeset/git-path.ts';
import { acceptOutcomes } from '../../server/changeset/outcome.ts';
import { locateInReview, reviewDocument } from '../../server/changeset/review-document.ts';
import { markOf } from '../../server/changeset/review-mark.ts';
import type { Review } from '../../server/changeset/review-types.ts';
import { toChangeset, unifiedDiff } from '../../server/changeset/unified-diff.ts';
import { changesetSchema } from '../../server/protocol/changeset.ts';
import { asTree, gitApply } from './git.ts';
import { binary, contentsOf, type Files, idsOf, link, review, text, words } from './states.ts';

const numbered = (count: number, changed: Readonly<Record<number, string>> = {}, end = '\n'): string =>
  Array.from({ length: count }, (_, i) => `${changed[i + 1] ?? `line ${i + 1}`}${end}`).join('');

/** The user's files after everything that the diff can say is accepted. */
function acceptAll(user: Files, reviewed: Review, expressed: (path: string) => boolean = () => true): Files {
  const after: Record<string, Files[string]> = { ...user };
  for (const outcome of acceptOutcomes(reviewed, new Set(idsOf(reviewed)))) {
    if (!expressed(outcome.path)) continue;
    if (outcome.from !== undefined) delete after[outcome.from];
    after[outcome.path] = outcome.after;
    if (outcome.after.kind === 'absent') delete after[outcome.path];
  }
  return after;
}

const heading = {
  title: 'Do it\nwell',
  threadId: 't1',
  summary: 'Done.\n\ndiff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b',
  plan: [
    { step: 'one', status: 'completed' as const },
    { step: 'two', status: 'inProgress' as const },
  ],
  commands: [{ command: 'cat <<E\ndiff --git a/x b/x\nE', outcome: 'exit 0, 1.2 s' }],
};

describe('the diff is what git writes and takes', () => {
  const cases: [name: string, base: Files, agent: Files, user: Files | undefined, diff: string[]][] = [
    [
      'modify',
      { 'src/a.ts': text(numbered(9)) },
      { 'src/a.ts': text(numbered(9, { 5: 'five' })) },
      undefined,
      [
        'diff --git a/src/a.ts b/src/a.ts',
        '--- a/src/a.ts',
        '+++ b/src/a.ts',
        '@@ -2,7 +2,7 @@',
        ' line 2',
        ' line 3',
        ' line 4',
        '-line 5',
        '+five',
        ' line 6',
        ' line 7',
        ' line 8',
      ],
    ],
    [
      'neighbours share no context; the earlier keeps its own',
      { f: text(numbered(9)) },
      { f: text(numbered(9, { 2: 'two\ntwo', 4: 'four', 9: 'nine' })) },
      undefined,
      [
        'diff --git a/f b/f',
        '--- a/f',
        '+++ b/f',
        '@@ -1,3 +1,4 @@',
        ' line 1',
        '-line 2',
        '+two',
        '+two',
        ' line 3',
        '@@ -4,4 +5,4 @@',
        '-line 4',
        '+four',
        ' line 5',
        ' line 6',
        ' line 7',
        '@@ -8,2 +9,2 @@',
        ' line 8',
        '-line 9',
        '+nine',
      ],
    ],
    [
      "against the user's text, without what conflicts",
      { f: text(words('a b c d e')) },
      { f: text(words('A b c d E')) },
      { f: text(words('z y a b c d X')) },
      [],
    ],
    [
      'only what is pending',
      { f: text(words('a b c d e')) },
      { f: text(words('A b c d E')) },
      { f: text(words('a b b2 c d X')) },
      ['diff --git a/f b/f', '--- a/f', '+++ b/f', '@@ -1,4 +1,4 @@', '-a', '+A', ' b', ' b2', ' c'],
    ],
    [
      'create',
      {},
      { 'n/f': text('a\nb\n') },
      undefined,
      ['diff --git a/n/f b/n/f', 'new file mode 100644', '--- /dev/null', '+++ b/n/f', '@@ -0,0 +1,2 @@', '+a', '+b'],
    ],
    [
      'create an executable without a final newline',
      {},
      { f: text('a', 0o755) },
      undefined,
      [
        'diff --git a/f b/f',
        'new file mode 100755',
        '--- /dev/null',
        '+++ b/f',
        '@@ -0,0 +1,1 @@',
        '+a',
        '\\ No newline at end of file',
      ],
    ],
    ['create an empty file', {}, { f: text('') }, undefined, ['diff --git a/f b/f', 'new file mode 100644']],
    [
      'delete',
      { f: text('a\n', 0o755) },
      {},
      undefined,
      ['diff --git a/f b/f', 'deleted file mode 100755', '--- a/f', '+++ /dev/null', '@@ -1,1 +0,0 @@', '-a'],
    ],
    ['delete an empty file', { f: text('') }, {}, undefined, ['diff --git a/f b/f', 'deleted file mode 100644']],
    [
      'mode',
      { f: text('a\n') },
      { f: text('a\n', 0o755) },
      undefined,
      ['diff --git a/f b/f', 'old mode 100644', 'new mode 100755'],
    ],
    [
      'mode and text',
      { f: text('a\n') },
      { f: text('b\n', 0o755) },
      undefined,
      ['diff --git a/f b/f', 'old mode 100644', 'new mode 100755', '--- a/f', '+++ b/f', '@@ -1,1 +1,1 @@', '-a', '+b'],
    ],
    [
      'rename',
      { a: text('1\n') },
      { 'x/b': text('1\n') },
      undefined,
      ['diff --git a/a b/x/b', 'similarity index 100%', 'rename from a', 'rename to x/b'],
    ],
    [
      'rename with an edit and a mode',
      { a: text(words('1 2 3 4')) },
      { b: text(words('1 2 3 five'), 0o755) },
      undefined,
      [
        'diff --git a/a b/b',
        'old mode 100644',
        'new mode 100755',
        'similarity index 75%',
        'rename from a',
        'rename to b',
        '--- a/a',
        '+++ b/b',
        '@@ -1,4 +1,4 @@',
        ' 1',
        ' 2',
        ' 3',
        '-4',
        '+five',
      ],
    ],
    [
      'CRLF',
      { f: text('a\r\nb\r\n') },
      { f: text('a\r\nB\r\n') },
      undefined,
      ['diff --git a/f b/f', '--- a/f', '+++ b/f', '@@ -1,2 +1,2 @@', ' a\r', '-b\r', '+B\r'],
    ],
    [
      'a final newline comes',
      { f: text('a\nb') },
      { f: text('a\nb\n') },
      undefined,
      ['diff --git a/f b/f', '--- a/f', '+++ b/f', '@@ -1,2 +1,2 @@', ' a', '-b', '\\ No newline at end of file', '+b'],
    ],
    [
      'context without a final newline',
      { f: text('a\nb') },
      { f: text('A\nb') },
      undefined,
      ['diff --git a/f b/f', '--- a/f', '+++ b/f', '@@ -1,2 +1,2 @@', '-a', '+A', ' b', '\\ No newline at end of file'],
    ],
    [
      'to an empty file',
      { f: text('a\n') },
      { f: text('') },
      undefined,
      ['diff --git a/f b/f', '--- a/f', '+++ b/f', '@@ -1,1 +0,0 @@', '-a'],
    ],
    [
      'lone CR: to git one line',
      { f: text('a\rb\nc\n') },
      { f: text('A\rb\nc\n') },
      undefined,
      ['diff --git a/f b/f', '--- a/f', '+++ b/f', '@@ -1,2 +1,2 @@', '-a\rb', '+A\rb', ' c'],
    ],
    [
      "lone CR: two hunks on one of git's lines",
      { f: text('a\rb\rc') },
      { f: text('A\rb\rC') },
      undefined,
      [
        'diff --git a/f b/f',
        '--- a/f',
        '+++ b/f',
        '@@ -1,1 +1,1 @@',
        '-a\rb\rc',
        '\\ No newline at end of file',
        '+A\rb\rC',
        '\\ No newline at end of file',
      ],
    ],
    [
      'additions before and after the only line are one block',
      { f: text('a\n') },
      { f: text('0\na\nb') },
      undefined,
      [
        'diff --git a/f b/f',
        '--- a/f',
        '+++ b/f',
        '@@ -1,1 +1,3 @@',
        '-a',
        '+0',
        '+a',
        '+b',
        '\\ No newline at end of file',
      ],
    ],
    [
      'odd paths',
      {},
      { 'with space': text('1\n'), 'ta\tb "q" \\ é': text('2\n') },
      undefined,
      [
        'diff --git "a/ta\\tb \\"q\\" \\\\ é" "b/ta\\tb \\"q\\" \\\\ é"',
        'new file mode 100644',
        '--- /dev/null',
        '+++ "b/ta\\tb \\"q\\" \\\\ é"\t',
        '@@ -0,0 +1,1 @@',
        '+2',
        'diff --git a/with space b/with space',
        'new file mode 100644',
        '--- /dev/null',
        '+++ b/with space\t',
        '@@ -0,0 +1,1 @@',
        '+1',
      ],
    ],
    [
      'a link',
      {},
      { l: link('f') },
      undefined,
      [
        'diff --git a/l b/l',
        'new file mode 120000',
        '--- /dev/null',
        '+++ b/l',
        '@@ -0,0 +1,1 @@',
        '+f',
        '\\ No newline at end of file',
      ],
    ],
    [
      'a link with a strange target',
      {},
      { l: link('f\ng\n') },
      undefined,
      ['diff --git a/l b/l', 'new file mode 120000', '--- /dev/null', '+++ b/l', '@@ -0,0 +1,2 @@', '+f', '+g'],
    ],
    [
      'a link elsewhere',
      { l: link('f') },
      { l: link('g') },
      undefined,
      [
        'diff --git a/l b/l',
        '--- a/l',
        '+++ b/l',
        '@@ -1,1 +1,1 @@',
        '-f',
        '\\ No newline at end of file',
        '+g',
        '\\ No newline at end of file',
      ],
    ],
    [
      'a binary file moves and becomes executable',
      { a: binary('1') },
      { b: binary('1', 0o755) },
      undefined,
      [
        'diff --git a/a b/b',
        'old mode 100644',
        'new mode 100755',
        'similarity index 100%',
        'rename from a',
        'rename to b',
      ],
    ],
    [
      'what it cannot say: bytes that it was not given',
      { a: binary('1') },
      { a: binary('2'), n: binary('3') },
      undefined,
      [],
    ],
    [
      'a change of kind: git deletes, then creates',
      { a: text('1\n'), l: link('x') },
      { a: link('g'), l: text('x') },
      undefined,
      [
        'diff --git a/a b/a',
        'deleted file mode 100644',
        '--- a/a',
        '+++ /dev/null',
        '@@ -1,1 +0,0 @@',
        '-1',
        'diff --git a/a b/a',
        'new file mode 120000',
        '--- /dev/null',
        '+++ b/a',
        '@@ -0,0 +1,1 @@',
        '+g',
        '\\ No newline at end of file',
        'diff --git a/l b/l',
        'deleted file mode 120000',
        '--- a/l',
        '+++ /dev/null',
        '@@ -1,1 +0,0 @@',
        '-x',
        '\\ No newline at end of file',
        'diff --git a/l b/l',
        'new file mode 100644',
        '--- /dev/null',
        '+++ b/l',
        '@@ -0,0 +1,1 @@',
        '+x',
        '\\ No newline at end of file',
      ],
    ],
    ['what it cannot say: deleting a binary file', { a: binary('1') }, {}, undefined, []],
  ];
  test.each(cases)('%s', (_name, base, agent, user, diff) => {
    const reviewed = review(base, agent, user ?? base);
    expect(unifiedDiff(reviewed)).toBe(diff.map((line) => `${line}\n`).join(''));
    if (diff.length === 0) return;
    const expected = asTree(acceptAll(user ?? base, reviewed));
    expect(gitApply(user ?? base, unifiedDiff(reviewed))).toEqual({ files: expected, said: '' });
    expect(gitApply(user ?? base, reviewDocument(reviewed, heading))).toEqual({ files: expected, said: '' });
  });

  const lines = fc.array(
    fc.constantFrom(
      'a\n',
      'b\n',
      'c\r\n',
      '\n',
      'd\r',
      '--- x\n',
      '@@ -1 +1 @@\n',
      'diff --git a/f b/f\n',
      '# * [h1] x\n',
    ),
    { maxLength: 16 },
  );
  const content = fc.tuple(lines, fc.constantFrom('', 'end')).map(([all, last]) => all.join('') + last);

  test('whatever the texts are: git applies diff and document, and the outcome is what accepting makes', () => {
    fc.assert(
      fc.property(content, content, content, fc.boolean(), (base, agent, user, executable) => {
        const files = { f: text(user) };
        const reviewed = review({ f: text(base) }, { f: text(agent, executable ? 0o755 : 0o644) }, files);
        if (unifiedDiff(reviewed) === '') return;
        const expected = { files: asTree(acceptAll(files, reviewed)), said: '' };
        expect(gitApply(files, unifiedDiff(reviewed))).toEqual(expected);
        expect(gitApply(files, reviewDocument(reviewed, heading))).toEqual(expected);
      }),
      { numRuns: 80 },
    );
  });
});

describe('binary files, in the form of git', () => {
  const long = Array.from({ length: 300 }, (_, i) => `${i}`).join('');
  const cases: [name: string, base: Files, agent: Files][] = [
    ['change', { a: binary('1') }, { a: binary(long) }],
    ['change, and become executable', { a: binary('1') }, { a: binary('2', 0o755) }],
    ['are created', {}, { 'n/a b': binary('2'), x: binary('3', 0o755) }],
    ['are deleted', { a: binary('1', 0o755) }, {}],
    ['move', { a: binary('1') }, { b: binary('1') }],
    ['become text', { a: binary('1') }, { a: text('now text\n') }],
    ['were text', { a: text('é\n') }, { a: binary('2') }],
    ['were empty', { a: text('') }, { a: binary('2') }],
    ['become a link', { a: binary('1') }, { a: link('b') }],
    ['were a link', { a: link('b') }, { a: binary('1') }],
    [
      'beside text, a mode and a link',
      { a: binary('1'), t: text('1\n') },
      { a: binary('2'), t: text('2\n'), l: link('t') },
    ],
  ];
  test.each(cases)('%s', (_name, base, agent) => {
    const reviewed = review(base, agent);
    const contents = contentsOf(base, agent);
    const diff = unifiedDiff(reviewed, contents);
    expect(gitApply(base, diff)).toEqual({ files: asTree(agent), said: '' });
    expect(gitApply(base, reviewDocument(reviewed, heading, contents))).toEqual({ files: asTree(agent), said: '' });
    expect(gitApply(agent, diff, '--reverse')).toEqual({ files: asTree(base), said: '' });
  });

  test('of any bytes', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.string({ unit: 'binary', maxLength: 200 }), { minLength: 2, maxLength: 2 }),
        (hashes) => {
          const [base, agent] = hashes.map((hash): Files => ({ f: binary(hash) }));
          if (!base || !agent) return;
          const diff = unifiedDiff(review(base, agent), contentsOf(base, agent));
          expect(gitApply(base, diff)).toEqual({ files: asTree(agent), said: '' });
        },
      ),
      { numRuns: 20 },
    );
  });

  test('stand under their file with their hunk', () => {
    const [base, agent] = [{ a: binary('1') }, { a: binary('2') }];
    const reviewed = review(base, agent);
    const whole = reviewDocument(reviewed, heading, contentsOf(base, agent));
    const id = reviewed.files[0]?.hunks[0]?.id;
    expect(whole).toContain(`\n# * [${id}] a\n#     binary, 3 bytes → binary, 3 bytes\n`);
    expect(locateInReview(whole, whole.split('\n').length)).toEqual({ path: 'a', hunk: id });
  });
});

test('a created file of 300,000 lines, and one of lone CRs with many hunks, take a moment', () => {
  const startedAtMs = performance.now();
  const long = numbered(300_000);
  expect(unifiedDiff(review({}, { f: text(long) })).length).toBeGreaterThan(long.length);
  const base = numbered(50_000, {}, '\r');
  const agent = base.replace(/line \d*7\r/g, 'changed\r');
  expect(unifiedDiff(review({ f: text(base) }, { f: text(agent) }))).toMatch(/^diff --git a\/f b\/f\n/);
  expect(reviewDocument(review({ f: text(base) }, { f: text(agent) }), heading)).toContain('\n@@ -1,1 +1,1 @@ h');
  expect(performance.now() - startedAtMs).toBeLessThan(4000);
});

test('paths in quotes', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary' }).filter((path) => !/^".*"$/s.test(path)),
      (path) => {
        expect(unquotePath(quotePath(path))).toBe(path);
        expect(quotePath(path)).not.toMatch(/[\n\r\t]/);
      },
    ),
  );
  expect(unquotePath('"\\303\\251\\\\\\"\\012"')).toBe('é\\"\n');
});

describe('the changeset of the protocol', () => {
  const base: Files = {
    'a.txt': text(words('a b c d e f g')),
    'b.bin': binary('1'),
    'm.sh': text('x\n'),
    'old.txt': text(words('1 2 3 4 5')),
  };
  const agent: Files = {
    'a.txt': text(words('A b c d e F g')),
    'b.bin': binary('2'),
    'm.sh': text('x\n', 0o755),
    'new.txt': text(words('1 2 3 4 5')),
    '.vscode/tasks.json': text('{}\n'),
  };
  const user: Files = { ...base, 'a.txt': text(words('a b c d e X g')) };

  test('names, numbers and headers as in the diff', () => {
    const changeset = toChangeset('t1', review(base, agent, user));
    const id = expect.stringMatching(/^h[0-9a-f]{10}$/);
    const none = { header: '@@ -0,0 +0,0 @@', oldStart: 0, oldLines: 0, newStart: 0, newLines: 0 };
    expect(changeset).toEqual({
      threadId: 't1',
      diff: unifiedDiff(review(base, agent, user)),
      files: [
        {
          path: '.vscode/tasks.json',
          kind: 'create',
          sensitive: 'editor configuration',
          hunks: [
            { id, status: 'pending', header: '@@ -0,0 +1,1 @@', oldStart: 0, oldLines: 0, newStart: 1, newLines: 1 },
          ],
        },
        {
          path: 'a.txt',
          kind: 'modify',
          hunks: [
            { id, status: 'pending', header: '@@ -1,4 +1,4 @@', oldStart: 1, oldLines: 4, newStart: 1, newLines: 4 },
            {
              id,
              status: 'conflicting',
              header: '@@ -6,1 +6,1 @@',
              oldStart: 6,
              oldLines: 1,
              newStart: 6,
              newLines: 1,
            },
          ],
        },
        { path: 'b.bin', kind: 'modify', binary: true, hunks: [{ id, status: 'pending', ...none }] },
        {
          path: 'm.sh',
          kind: 'modify',
          mode: { from: 0o644, to: 0o755 },
          sensitive: 'new executable',
          hunks: [{ id, status: 'pending', ...none }],
        },
        { path: 'new.txt', kind: 'rename', from: 'old.txt', hunks: [{ id, status: 'pending', ...none }] },
      ],
    });
    expect(changesetSchema.parse(changeset)).toEqual(changeset);
    const [pending] = changeset.files[1]?.hunks ?? [];
    expect(changeset.diff).toContain(`${pending?.header}\n-a\n`);
  });

  test('a created executable tells its mode', () => {
    expect(toChangeset('t', review({}, { f: text('', 0o755) })).files[0]).toMatchObject({ mode: { to: 0o755 } });
    expect(toChangeset('t', review({}, { f: text('') })).files[0]).not.toHaveProperty('mode');
  });
});

describe('the review document', () => {
  const base: Files = {
    'a.txt': text(words('a b c d e f g')),
    'b bin': binary('1'),
    'm.sh': text('x\n'),
    old: text(words('1 2 3 4 5')),
  };
  const agent: Files = {
    'a.txt': text(words('A b c d e F g')),
    'b bin': binary('2'),
    'm.sh': text('x\n', 0o755),
    new: text(words('1 2 3 4 five')),
  };
  const user: Files = { ...base, 'a.txt': text(words('a b c d e X g')) };
  const reviewed = review(base, agent, user);
  const document = reviewDocument(reviewed, heading);
  const id = (path: string, hunk = 0): string =>
    reviewed.files.find((file) => file.path === path)?.hunks[hunk]?.id ?? '';

  test('reads from the top', () => {
    expect(document).toBe(
      `# Codex: Do it well
# Thread t1, text ${markOf(document)}
# On a hunk, a code action accepts or rejects it, its file, or everything.
# Nothing is applied before. Or edit lines that begin with + or a blank, take
# hunks or files out, and use the action "apply as edited": what is left is
# applied as it then stands here; what was taken out stays in review. Lines that
# begin with > are comments on the hunk above them, and up here on everything:
# the action "send comments" starts the next turn with them.
#
# Summary
#   Done.
#
#   diff --git a/x b/x
#   --- a/x
#   +++ b/x
#   @@ -1 +1 @@
#   -a
#   +b
#
# Plan
# [x] one
# [>] two
#
# Commands
#   cat <<E diff --git a/x b/x E  (exit 0, 1.2 s)
#
# Conflicts: you changed these lines too, and yours stay
# * [${id('a.txt', 1)}] a.txt
#     line 6 of a.txt
#     yours:
#     | X
#     the agent's:
#     | F
#
# Sensitive: left out when everything is accepted; accept the file or the hunk by itself
# * m.sh
#     new executable
#
# Not text, or too large to show, so not in the diff below
# * [${id('b bin')}] b bin
#     binary, 3 bytes → binary, 3 bytes
#
diff --git a/a.txt b/a.txt
--- a/a.txt
+++ b/a.txt
@@ -1,4 +1,4 @@ ${id('a.txt')}
-a
+A
 b
 c
 d
diff --git a/m.sh b/m.sh
old mode 100644
new mode 100755
# * [${id('m.sh')}] m.sh
#     text → text, executable
diff --git a/old b/new
similarity index 80%
rename from old
rename to new
--- a/old
+++ b/new
@@ -2,4 +2,4 @@ ${id('new')}
 2
 3
 4
-5
+five
`,
    );
  });

  test('every line knows its file and hunk', () => {
    const places = new Map(document.split('\n').map((line, at) => [line, locateInReview(document, at)]));
    const at = (start: string) => [...places].find(([line]) => line.startsWith(start))?.[1];
    expect(at('# Codex')).toEqual({});
    expect(at('#   diff --git')).toEqual({});
    expect(at('# * [')).toEqual({ path: 'a.txt', hunk: id('a.txt', 1) });
    expect(at('#     | X')).toEqual({ path: 'a.txt', hunk: id('a.txt', 1) });
    expect(at('# * m.sh')).toEqual({ path: 'm.sh' });
    expect(at('#     new executable')).toEqual({ path: 'm.sh' });
    expect(at('#     binary')).toEqual({ path: 'b bin', hunk: id('b bin') });
    expect(at('diff --git a/a.txt')).toEqual({ path: 'a.txt' });
    expect(at('+++ b/a.txt')).toEqual({ path: 'a.txt' });
    expect(at('@@ -1,4')).toEqual({ path: 'a.txt', hunk: id('a.txt') });
    expect(at('+A')).toEqual({ path: 'a.txt', hunk: id('a.txt') });
    expect(at('new mode')).toEqual({ path: 'm.sh' });
    expect(at('#     text → text')).toEqual({ path: 'm.sh', hunk: id('m.sh') });
    expect(at('rename from')).toEqual({ path: 'new' });
    expect(at('+five')).toEqual({ path: 'new', hunk: id('new') });
    expect(locateInReview(document, 10_000)).toEqual({ path: 'new', hunk: id('new') });
    expect(locateInReview('', 0)).toEqual({});
  });

  test('text typed under a hunk belongs to it', () => {
    const typed = document.replace('+A\n', '+A\n# why?\nPlease explain.\n');
    const lineOf = (start: string): number => typed.split('\n').findIndex((line) => line.startsWith(start));
    expect(locateInReview(typed, lineOf('Please explain'))).toEqual({ path: 'a.txt', hunk: id('a.txt') });
    expect(locateInReview(typed, lineOf('# why?'))).toEqual({ path: 'a.txt', hunk: id('a.txt') });
  });

  test.each(['a b', 'ta\tb', 'q"uote', 'x b/x', 'é', 'end ', 'h] x'])('the path %j is found again', (path) => {
    const made = review({}, { [path]: text('1\n'), [`${path}/e`]: text('') });
    const whole = reviewDocument(made, heading);
    const lines = whole.split('\n');
    expect(locateInReview(whole, lines.indexOf('+1'))).toEqual({ path, hunk: made.files[0]?.hunks[0]?.id });
    expect(
      locateInReview(
        whole,
        lines.findIndex((line) => line.startsWith('# * [')),
      ),
    ).toEqual({ path: `${path}/e`, hunk: made.files[1]?.hunks[0]?.id });
    expect(
      locateInReview(
        whole,
        lines.findLastIndex((line) => line.startsWith('diff --git')),
      ),
    ).toEqual({ path: `${path}/e` });
  });

  test('a long summary and a long conflict are cut, and say so', () => {
    const many = Array.from({ length: 500 }, (_, i) => `${i}`).join(' ');
    const long = review({ f: text('a\n') }, { f: text(words(many)) }, { f: text('b\n') });
    const whole = reviewDocument(long, { title: 't', threadId: 't', summary: words(many) });
    expect(whole).toContain('#   … 300 more lines\n');
    expect(whole).toContain('#     … 460 more lines\n');
  });
});
