/** Three texts of every shape: changes apart merge, equal changes are one, and where both changed a line the user's stays. */
import { describe, expect, test } from 'vitest';
import { acceptOutcomes } from '../../server/changeset/outcome.ts';
import { reviewOf } from '../../server/changeset/review.ts';
import { absent, binary, changesOf, type Files, idsOf, link, listed, review, text, words } from './states.ts';

const long = 'x'.repeat(400_000);
const astral = '👩‍👩‍👧 𝒜 ';

/** `a`..`e` are lines with their ends; `A`, `E` and `X` are what becomes of the first and the last one. */
type Shape = { name: string; lines: readonly string[]; changed: readonly [first: string, last: string] };
const five = ['a', 'b', 'c', 'd', 'e'];
const ended = (end: string): string[] => five.map((line) => line + end);
const shapes: readonly Shape[] = [
  { name: 'LF', lines: ended('\n'), changed: ['A\n', 'E\n'] },
  { name: 'CRLF', lines: ended('\r\n'), changed: ['A\r\n', 'E\r\n'] },
  { name: 'lone CR', lines: ended('\r'), changed: ['A\r', 'E\r'] },
  { name: 'mixed ends', lines: ['a\r\n', 'b\n', 'c\r', 'd\r\n', 'e\n'], changed: ['A\r\n', 'E\n'] },
  { name: 'only the line end changes', lines: ended('\n'), changed: ['a\r\n', 'e\r\n'] },
  { name: 'no final newline', lines: ['a\n', 'b\n', 'c\n', 'd\n', 'e'], changed: ['A\n', 'E'] },
  { name: 'a final newline comes', lines: ['a\n', 'b\n', 'c\n', 'd\n', 'e'], changed: ['A\n', 'e\n'] },
  { name: 'a final newline goes', lines: ended('\n'), changed: ['A\n', 'e'] },
  { name: 'a byte order mark', lines: ['\ufeffa\n', 'b\n', 'c\n', 'd\n', 'e\n'], changed: ['\ufeffA\n', 'E\n'] },
  { name: 'a byte order mark comes', lines: ended('\n'), changed: ['\ufeffa\n', 'E\n'] },
  { name: 'a byte order mark goes', lines: ['\ufeffa\n', 'b\n', 'c\n', 'd\n', 'e\n'], changed: ['a\n', 'E\n'] },
  { name: 'astral characters', lines: five.map((line) => `${astral}${line}\n`), changed: ['𝒜\n', '👩\n'] },
  { name: 'half a pair', lines: ended('\n'), changed: ['\ud83d\n', '\udc69\n'] },
  { name: 'enormous lines', lines: five.map((line) => `${line}${long}\n`), changed: [`A${long}\n`, `E${long}\n`] },
];

describe.each(shapes)('$name', ({ lines, changed: [first, last] }) => {
  const base = lines.join('');
  const middle = lines.slice(1, -1).join('');
  const firstChanged = first + middle + (lines.at(-1) ?? '');
  const lastChanged = (lines[0] ?? '') + middle + last;
  const bothChanged = first + middle + last;
  const reviewed = (agent: string, user: string) => review({ f: text(base) }, { f: text(agent) }, { f: text(user) });
  const merged = (agent: string, user: string) => {
    const now = reviewed(agent, user);
    return acceptOutcomes(now, new Set(idsOf(now)))[0]?.after;
  };

  test('changes apart merge, whoever made which', () => {
    expect(merged(firstChanged, lastChanged)).toEqual(text(bothChanged));
    expect(merged(lastChanged, firstChanged)).toEqual(text(bothChanged));
  });

  test('equal changes are one', () => {
    expect(reviewed(firstChanged, firstChanged).files).toEqual([]);
    expect(merged(bothChanged, firstChanged)).toEqual(text(bothChanged));
  });

  test('where both changed a line it stays, and both sides can be read', () => {
    const mine = `mine\n${middle}${lines.at(-1) ?? ''}`;
    const now = reviewed(bothChanged, mine);
    expect(listed(now)).toEqual(['f:1 conflicting', 'f:5 pending']);
    expect(now.files[0]?.hunks[0]).toMatchObject({ oldLines: [lines[0]], newLines: [first], userLines: ['mine\n'] });
    expect(acceptOutcomes(now, new Set(idsOf(now)))[0]?.after).toEqual(text(`mine\n${middle}${last}`));
  });
});

describe('a file of one enormous line, without an end', () => {
  const by = (letter: string) => text(long + letter);
  test.each([
    ['unchanged by the user', by(''), ['f:1 pending']],
    ['the same change', by('agent'), []],
    ['another change', by('user'), ['f:1 conflicting']],
    ['emptied', text(''), ['f:1 conflicting']],
  ])('%s', (_name, user, hunks) => {
    expect(listed(review({ f: by('') }, { f: by('agent') }, { f: user }))).toEqual(hunks);
  });
});

describe('empty texts', () => {
  test.each([
    ['filled by the agent', '', 'a\n', '', ['f:1 pending']],
    ['filled by both alike', '', 'a\n', 'a\n', []],
    ['filled by each', '', 'a\n', 'b\n', ['f:1 conflicting']],
    ['emptied by the agent', 'a\n', '', 'a\n', ['f:1 pending']],
    ['emptied by the agent, changed by the user', 'a\n', '', 'b\n', ['f:1 conflicting']],
    ['emptied by both', 'a\n', '', '', []],
  ])('%s', (_name, base, agent, user, hunks) => {
    expect(listed(review({ f: text(base) }, { f: text(agent) }, { f: text(user) }))).toEqual(hunks);
  });
});

/** A folder in the place of a file is no file; what the user moved is at another path, which is in no review. */
describe('what the user made of the file meanwhile', () => {
  const before = text(words('a b c d'));
  const changed = text(words('a B c d'));
  const cases: [name: string, base: Files, agent: Files, user: Files, hunks: string[]][] = [
    ['deleted', { f: before }, { f: changed }, {}, ['f:1 conflicting']],
    ['deleted, as the agent did', { f: before }, {}, {}, []],
    ['renamed', { f: before }, { f: changed }, { g: before }, ['f:1 conflicting']],
    ['renamed, as the agent did', { f: before }, { g: before }, { g: before }, []],
    ['renamed as the agent did, which also changed it', { f: before }, { g: changed }, { g: before }, ['g:2 pending']],
    ['renamed elsewhere than the agent', { f: before }, { g: before }, { h: before }, ['g:1 conflicting']],
    ['created, alike', {}, { f: before }, { f: before }, []],
    ['created, otherwise', {}, { f: before }, { f: changed }, ['f:1 conflicting']],
    ['a folder', { f: before }, { f: changed }, { 'f/inside': before }, ['f:1 conflicting']],
    ['a folder where the agent deleted the file', { f: before }, {}, { 'f/inside': before }, []],
    ['a link', { f: before }, { f: changed }, { f: link('g') }, ['f:1 conflicting']],
    ['a link where the agent deleted the file', { f: before }, {}, { f: link('g') }, ['f:1 conflicting']],
    ['a link, as the agent did', { f: before }, { f: link('g') }, { f: link('g') }, []],
    ['not UTF-8', { f: before }, { f: changed }, { f: binary('1') }, ['f:1 conflicting']],
    ['not UTF-8, and the agent text', { f: binary('1') }, { f: changed }, { f: binary('2') }, ['f:1 conflicting']],
    ['executable', { f: before }, { f: changed }, { f: text(words('a b c d'), 0o755) }, ['f:2 pending']],
  ];
  test.each(cases)('%s', (_name, base, agent, user, hunks) => {
    const reviewed = review(base, agent, user);
    expect(listed(reviewed)).toEqual(hunks);
    for (const { before: found, path, after } of acceptOutcomes(reviewed, new Set(idsOf(reviewed)))) {
      expect(found).toEqual(user[path] ?? absent);
      if (found.kind === 'text' && after.kind === 'text') expect(after.mode).toBe(found.mode);
    }
  });

  test('and its own files beside it are never in the review', () => {
    const reviewed = reviewOf(changesOf({ f: before }, { f: changed }), new Map([['g', before]]), new Map());
    expect(reviewed.files.map(({ path, userPath }) => [path, userPath])).toEqual([['f', 'f']]);
  });
});

test('100,000 lines with 2,000 hunks, an edited buffer and half of the hunks accepted: well under a second', () => {
  const base = Array.from({ length: 100_000 }, (_, i) => (i % 5 === 0 ? '}\n' : `line ${i}\n`));
  const agent = base.map((line, i) => (i % 50 === 7 ? `agent ${i}\n` : line));
  const user = base.map((line, i) => (i % 500 === 33 ? `user ${i}\n` : line));
  const files = [{ f: text(base.join('')) }, { f: text(agent.join('')) }] as const;
  const first = review(...files, { f: text(user.join('')) });
  const ids = idsOf(first);
  expect(ids).toHaveLength(2000);
  const half = new Set(ids.filter((_, index) => index % 2 === 0));
  const now = acceptOutcomes(first, half)[0]?.after ?? absent;
  const decisions = new Map([...half].map((id) => [id, 'accepted' as const]));
  const times = Array.from({ length: 3 }, () => {
    const startedAtMs = performance.now();
    expect(idsOf(review(...files, { f: now }, decisions))).toHaveLength(1000);
    return performance.now() - startedAtMs;
  });
  expect(Math.min(...times)).toBeLessThan(1000);
});
