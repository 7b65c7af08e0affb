import { expect, test } from 'vitest';
import { isFound, wordsOf } from '../../server/thread/search.ts';
import { titleOf } from '../../server/thread/title.ts';

test.each<[string, string]>([
  ['shout one', 'shout one'],
  ['Fix the parser. Then run the tests.', 'Fix the parser'],
  ['Why is it slow? Look at main.ts.', 'Why is it slow?'],
  ['Use e.g. zod for it. Thanks.', 'Use e.g. zod for it'],
  ['Go to v1.2 of foo.bar now', 'Go to v1.2 of foo.bar now'],
  ['Wait... Then go', 'Wait...'],
  ['// codex: rename `foo` to **bar**', 'rename foo to bar'],
  ['codex: Codex: twice', 'twice'],
  ['<!-- codex: mend the page -->', 'mend the page'],
  ['# Plan\n\nDo it.', 'Plan'],
  ['\n\n- [ ] first thing\n- second', 'first thing'],
  ['1. number one', 'number one'],
  ['> quoted words', 'quoted words'],
  ['see [the docs](https://example.com/a) for __more__', 'see the docs for more'],
  ['keep snake_case_names and 2 * 3 * 4', 'keep snake_case_names and 2 * 3 * 4'],
  ['```ts\nconst a = 1;\n```', 'const a = 1'],
  ['Do this:\n- a\n- b', 'Do this'],
  ['---\nafter a rule', 'after a rule'],
  ['tab\tand \u0007bell \u202eturned', 'tab and bell turned'],
  ['修复解析器。然后运行测试。', '修复解析器'],
  ['-c key=value is ignored', '-c key=value is ignored'],
  ['#include is missing', '#include is missing'],
  ['???', '???'],
  ['x'.repeat(100), `${'x'.repeat(59)}…`],
  [`${'word '.repeat(12)}long`, `${'word '.repeat(11).trim()}…`],
  ['🙂'.repeat(61), `${'🙂'.repeat(59)}…`],
])('%j is titled %j', (prompt, title) => {
  expect(titleOf(prompt, ['codex:'])).toBe(title);
});

test('a title is one line of at most 60 characters, made in no time, of whatever is asked', () => {
  for (const hostile of ['*', '_', '[', '](', '`', '# ', '> ', 'codex:', '. A', '~~', '<!--']) {
    const begun = performance.now();
    const title = titleOf(hostile.repeat(100_000), ['codex:']);
    expect([...title].length).toBeGreaterThan(0);
    expect([...title].length).toBeLessThanOrEqual(60);
    expect(performance.now() - begun).toBeLessThan(2_000);
  }
});

const turn = (prompt: string) => ({ turnId: 'u', prompt, model: 'm', mode: 'task' as const, items: [] });

test.each<[string, boolean]>([
  ['parser', true],
  ['PARS', true],
  ['tests slow', true],
  ['tests fast', false],
  ['arser', false],
  ['解析', true],
  [' ', true],
])('%j finds the thread: %j', (query, found) => {
  const words = wordsOf({ turns: [turn('Fix the Parser'), turn('Why are the tests\nslow? 修复解析器')] });
  expect(isFound(query, { title: 'Renamed', words })).toBe(found);
  expect(isFound('renamed', { title: 'Renamed', words })).toBe(true);
});

test('what is kept to search by has a limit', () => {
  const prompt = Array.from({ length: 10_000 }, (_, index) => `word${index}`).join(' ');
  expect(wordsOf({ turns: [turn(prompt)] }).length).toBeLessThanOrEqual(4_000);
});
