import fc from 'fast-check';
import { expect, test } from 'vitest';
import { wordDiff } from '../../server/changeset/word-diff.ts';

/** As `git diff --word-diff` writes it. */
const shown = (old: string[], now: string[]): string[] =>
  wordDiff(old, now).map((line) =>
    line.map(({ kind, text }) => (kind === 'old' ? `[-${text}-]` : kind === 'new' ? `{+${text}+}` : text)).join(''),
  );

test.each([
  ['a word', ['let a = one;\n'], ['let b = one;\n'], ['let [-a-]{+b+} = one;']],
  ['a word more', ['call(a);\r\n'], ['call(a, b);\r\n'], ['call(a{+, b+});']],
  [
    'only lines with a changed word',
    ['same line\n', 'one two\n'],
    ['same line\n', 'one three\n'],
    ['one [-two-]{+three+}'],
  ],
  ['no final newline', ['let a = 1;'], ['let a = 2;\n'], ['let a = [-1-]{+2+};']],
  ['nothing but indentation', ['a b c\n'], ['  a b c\n'], []],
  ['texts that have little in common', ['one two three\n'], ['four five six seven\n'], []],
  ['an addition', [], ['new\n'], []],
  ['a deletion', ['old\n'], [], []],
  ['too much of it', ['same and a '.repeat(300)], ['same and b '.repeat(300)], []],
])('%s', (_, old, now, expected) => {
  expect(shown(old, now)).toEqual(expected);
});

test('without what is new it is the old line, without what is old the new one', () => {
  const word = fc.constantFrom('a', 'bb', 'c.d', '(', ' ', '\t', 'é', '👍');
  const line = fc.array(word, { maxLength: 12 }).map((words) => words.join(''));
  let marked = 0;
  fc.assert(
    fc.property(line, line, (old, now) => {
      const [parts] = wordDiff([`${old}\n`], [now]);
      if (!parts) return;
      const without = (kind: 'old' | 'new'): string =>
        parts.map((part) => (part.kind === kind ? '' : part.text)).join('');
      expect([without('new'), without('old')]).toEqual([old, now]);
      marked += 1;
    }),
    { numRuns: 3_000 },
  );
  expect(marked).toBeGreaterThan(100);
});
