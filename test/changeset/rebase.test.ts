import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { acceptOutcomes } from '../../server/changeset/outcome.ts';
import type { Decisions } from '../../server/changeset/review-types.ts';
import { mergeFiles } from './git.ts';
import { undecided } from './played-thread.ts';
import { idsOf, listed, review, text, threeTexts, threeTextsOfAllEnds, words } from './states.ts';

const reviewTexts = (base: string, agent: string, user: string, decisions: Decisions = new Map()) =>
  review({ f: text(base) }, { f: text(agent) }, { f: text(user) }, decisions);

/** The user's text after these hunks, or all pending ones, are accepted. */
function accepted(base: string, agent: string, user: string, ids?: readonly string[], decisions?: Decisions): string {
  const reviewed = reviewTexts(base, agent, user, decisions);
  const [outcome] = acceptOutcomes(reviewed, new Set(ids ?? idsOf(reviewed)));
  if (!outcome) return user;
  if (outcome.after.kind !== 'text') throw new Error('not a text');
  return outcome.after.text;
}

describe("the agent's change on the user's text as it is now", () => {
  const cases: [name: string, base: string, agent: string, user: string, after: string, hunks: string[]][] = [
    ['nothing changed meanwhile', 'a b c', 'a B c', 'a b c', 'a B c', ['f:2 pending']],
    ['apart, above', 'a b c', 'a b C', 'x y a b c', 'x y a b C', ['f:5 pending']],
    ['apart, below', 'a b c d', 'A b c d', 'a b c D', 'A b c D', ['f:1 pending']],
    ['apart, on both sides', 'a b c d e', 'a b C d e', 'A b c d E', 'A b C d E', ['f:3 pending']],
    ['the same change', 'a b c', 'a B c', 'a B c', 'a B c', []],
    ['the same change and another', 'a b c d e', 'a B c D e', 'a B c d e', 'a B c D e', ['f:4 pending']],
    ['the same insertion', 'a b', 'a x b', 'a x b', 'a x b', []],
    ['the same line', 'a b c', 'a B c', 'a X c', 'a X c', ['f:2 conflicting']],
    ['the line above', 'a b c', 'a B c', 'X b c', 'X b c', ['f:1 conflicting']],
    ['the line below', 'a b c', 'a B c', 'a b X', 'a b X', ['f:2 conflicting']],
    ['both insert at one place', 'a b', 'a x b', 'a y b', 'a y b', ['f:2 conflicting']],
    ['both append', 'a', 'a x', 'a y', 'a y', ['f:2 conflicting']],
    ['the user deleted it', 'a b c', 'a B c', 'a c', 'a c', ['f:2 conflicting']],
    ['the user deleted all', 'a b c', 'a B c', '', '', ['f:1 conflicting']],
    ['the agent deleted it', 'a b c d', 'a b c', 'a X c d', 'a X c', ['f:4 pending']],
    ['one of two in the way', 'a b c d e', 'A b c D e', 'a b c X e', 'A b c X e', ['f:1 pending', 'f:4 conflicting']],
    [
      'one of the user over two',
      'a b c d e',
      'a B c D e',
      'a X Y Z e',
      'a X Y Z e',
      ['f:2 conflicting', 'f:2 conflicting'],
    ],
    ['the agent emptied the file', 'a b', '', 'a b', '', ['f:1 pending']],
    ['the agent filled the file', '', 'a b', '', 'a b', ['f:1 pending']],
  ];
  test.each(cases)('%s', (_name, base, agent, user, after, hunks) => {
    expect(accepted(words(base), words(agent), words(user))).toBe(words(after));
    expect(listed(reviewTexts(words(base), words(agent), words(user)))).toEqual(hunks);
  });

  test("a conflict holds both sides: the base lines it was made for, the user's, the agent's", () => {
    const [file] = reviewTexts(words('a b c d'), words('a B C d'), words('z a b X d')).files;
    expect(file?.hunks).toEqual([
      expect.objectContaining({
        status: 'conflicting',
        line: 2,
        oldLines: ['b\n', 'c\n'],
        newLines: ['B\n', 'C\n'],
        userLines: ['b\n', 'X\n'],
      }),
    ]);
  });

  test.each([
    ['a final newline', 'a\nm\nb', 'a\nm\nb\n', 'A\nm\nb', 'A\nm\nb\n'],
    ['no final newline', 'a\nb\n', 'a\nb', 'x\na\nb\n', 'x\na\nb'],
    ['CRLF', 'a\r\nb\r\nc\r\n', 'a\r\nb\r\nC\r\n', 'A\r\nb\r\nc\r\n', 'A\r\nb\r\nC\r\n'],
    ['lone CR', 'a\rb\rc\r', 'a\rb\rC\r', 'A\rb\rc\r', 'A\rb\rC\r'],
    ['a byte order mark', '\ufeffa\nb\nc\n', '\ufeffa\nb\nC\n', '\ufeffA\nb\nc\n', '\ufeffA\nb\nC\n'],
  ])('%s', (_name, base, agent, user, after) => {
    expect(accepted(base, agent, user)).toBe(after);
  });
});

describe('what was accepted makes no other hunk look different, however much the lines repeat', () => {
  test.each([
    ['} }', 'N } b a', '} u } }'],
    ['} } b b', 'a a N } }', '} b b'],
    ['a b }', 'b a N }', 'a b u b }'],
    ['b a a b }', 'a b N', 'b a b a }'],
    ['a b c d', 'a c D', 'a b c d'],
  ])('%s → %s, on %s', (base, agent, user) => {
    const before = reviewTexts(words(base), words(agent), words(user));
    for (const id of idsOf(before)) {
      const now = accepted(words(base), words(agent), words(user), [id]);
      const after = reviewTexts(words(base), words(agent), now, new Map([[id, 'accepted']]));
      expect(undecided(after)).toEqual(undecided(before).filter((entry) => !entry.startsWith(id)));
    }
  });
});

describe('properties', () => {
  test('accepting all is `git merge-file` where that finds no conflict, and we find none where it finds none', () => {
    const all = fc.sample(fc.oneof(threeTexts, threeTextsOfAllEnds), 2000);
    const merged = mergeFiles(all.map(({ base, agent, user }) => ({ base, ours: user, theirs: agent })));
    for (const [index, texts] of all.entries()) {
      const { base, agent, user } = texts;
      const conflicts = idsOf(reviewTexts(base, agent, user), 'conflicting').length;
      const ours = conflicts > 0 ? undefined : accepted(base, agent, user);
      expect(ours, JSON.stringify(texts)).toBe(merged[index]);
    }
    expect(merged.filter((text) => text !== undefined).length).toBeGreaterThan(200);
  }, 60_000);

  test('no line that the user typed is lost, and none that they deleted comes back', () => {
    fc.assert(
      fc.property(threeTexts, ({ base, agent, user }) => {
        const [baseLines, agentLines, userLines] = [base, agent, user].map((whole) => new Set(whole.split('\n')));
        const after = new Set(accepted(base, agent, user).split('\n'));
        for (const line of userLines ?? []) if (!baseLines?.has(line)) expect(after).toContain(line);
        for (const line of baseLines ?? []) if (!userLines?.has(line)) expect(after).not.toContain(line);
        for (const line of after) expect(userLines?.has(line) || agentLines?.has(line)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  const repetitive = fc
    .array(fc.constantFrom('a\n', 'b\n', '\n', '}\n'), { maxLength: 14 })
    .map((lines) => lines.join(''));

  test('accepted one by one, in any order, the text ends the same, and no hunk changes its status', () => {
    const texts = fc.oneof(
      threeTexts,
      // Lines that repeat say nothing certain about what the user did, but about the agent alone they do.
      fc.record({ base: repetitive, agent: repetitive }).map((made) => ({ ...made, user: made.base })),
    );
    fc.assert(
      fc.property(texts, fc.array(fc.nat(), { maxLength: 10 }), ({ base, agent, user }, order) => {
        const first = reviewTexts(base, agent, user);
        const all = accepted(base, agent, user);
        const decisions = new Map<string, 'accepted' | 'rejected'>();
        const waiting = idsOf(first);
        let now = user;
        for (let step = 0; waiting.length > 0; step++) {
          const [id] = waiting.splice((order[step] ?? 0) % waiting.length, 1);
          if (id === undefined) break;
          now = accepted(base, agent, now, [id], decisions);
          decisions.set(id, 'accepted');
          const next = reviewTexts(base, agent, now, decisions);
          expect(idsOf(next).sort()).toEqual([...waiting].sort());
          expect(idsOf(next, 'accepted').sort()).toEqual([...decisions.keys()].sort());
        }
        expect(now).toBe(all);
      }),
      { numRuns: 400 },
    );
  });

  test('what the user types elsewhere changes nothing that is pending', () => {
    fc.assert(
      fc.property(threeTexts, ({ base, agent }) => {
        const pending = idsOf(reviewTexts(`head\ngap\n${base}`, `head\ngap\n${agent}`, `head\ngap\n${base}`));
        expect(idsOf(reviewTexts(`head\ngap\n${base}`, `head\ngap\n${agent}`, `typed\nmore\ngap\n${base}`))).toEqual(
          pending,
        );
      }),
      { numRuns: 100 },
    );
  });
});

test('a file of 10,000 lines with 500 hunks and an edited buffer is reviewed in tens of milliseconds', () => {
  const base = Array.from({ length: 10_000 }, (_, i) => (i % 5 === 0 ? '}\n' : `line ${i}\n`));
  const agent = base.map((line, i) => (i % 20 === 7 ? `agent ${i}\n` : line)).join('');
  const user = base.map((line, i) => (i % 100 === 33 ? `user ${i}\n` : line)).join('');
  const times = Array.from({ length: 5 }, () => {
    const startedAtMs = performance.now();
    const reviewed = reviewTexts(base.join(''), agent, user);
    expect(idsOf(reviewed)).toHaveLength(500);
    return performance.now() - startedAtMs;
  });
  expect(Math.min(...times)).toBeLessThan(100);
});
