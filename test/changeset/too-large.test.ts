import { describe, expect, test } from 'vitest';
import { planApply } from '../../server/changeset/apply-plan.ts';
import { splitLines } from '../../server/changeset/lines.ts';
import { acceptOutcomes, lineEdits, nextCopy } from '../../server/changeset/outcome.ts';
import { countChanges, reviewOf } from '../../server/changeset/review.ts';
import { reviewDocument } from '../../server/changeset/review-document.ts';
import { areComparable, countLines } from '../../server/changeset/too-large.ts';
import { toChangeset, unifiedDiff } from '../../server/changeset/unified-diff.ts';
import { absent, type Files, idsOf, listed, review, text } from './states.ts';

const lines = (count: number, line = '\n'): string => line.repeat(count);
const base = text(lines(10));
const huge = text(lines(500_001));
const heading = { title: 'T', threadId: 't1' };

test('lines are counted as they are split', () => {
  for (const sample of ['', 'a', '\n', '\r', '\r\n', 'a\r\rb\n\r\nc', '\n\r', 'a\nb', 'x\r', '\r\n\r\n\r']) {
    expect([sample, countLines(sample)]).toEqual([sample, splitLines(sample).length]);
  }
  expect(countLines(lines(1000), 10)).toBe(11);
});

describe('a text beyond the limit is all or nothing', () => {
  const cases: [name: string, before: Files, after: Files][] = [
    ['modified', { f: base }, { f: huge }],
    ['shortened', { f: huge }, { f: base }],
    ['created', {}, { f: huge }],
    ['deleted', { f: huge }, {}],
  ];
  test.each(cases)('%s', (_name, before, after) => {
    const reviewed = review(before, after);
    expect(listed(reviewed)).toEqual(['f:1 pending']);
    expect(reviewed.files[0]).toMatchObject({ tooLarge: true, hunks: [{ oldLines: [], newLines: [] }] });
    expect(countChanges(reviewed)).toEqual({ files: 1, additions: 0, deletions: 0 });

    expect(unifiedDiff(reviewed)).toBe('');
    expect(toChangeset('t1', reviewed).files[0]).toMatchObject({
      binary: true,
      hunks: [{ status: 'pending', oldLines: 0, newLines: 0 }],
    });
    const document = reviewDocument(reviewed, heading);
    expect(document).toContain(`# * [${idsOf(reviewed)[0]}] f\n`);
    expect(document).toContain('text, 500001 bytes, too large to show');
    expect(document).not.toContain('diff --git');

    const [user, agent] = [before.f ?? absent, after.f ?? absent];
    const outcomes = acceptOutcomes(reviewed, new Set(idsOf(reviewed)));
    expect(outcomes).toEqual([{ path: 'f', before: user, after: agent, edits: [], hunks: idsOf(reviewed) }]);
    expect(planApply(outcomes, new Map([['f', 1]]), { mode: 'editor' })).toEqual({
      editor: [],
      disk: [{ path: 'f', before: user, after: agent }],
    });
    expect(nextCopy(reviewed)).toEqual(new Map([['f', { base: user, agent }]]));
    expect(listed(review(before, after, after))).toEqual([]);
  });

  test("the user's own text is a conflict, and stays in the copy until it is decided", () => {
    const reviewed = review({ f: base }, { f: huge }, { f: text('mine\n') });
    expect(listed(reviewed)).toEqual(['f:1 conflicting']);
    expect(acceptOutcomes(reviewed, new Set(idsOf(reviewed, 'conflicting')))).toEqual([]);
    expect(reviewDocument(reviewed, heading)).toContain("#     the agent's: text, 500001 bytes, too large to show\n");
    expect(nextCopy(reviewed)).toEqual(new Map([['f', { base, agent: huge }]]));
    const decisions = new Map(idsOf(reviewed, 'conflicting').map((id) => [id, 'rejected'] as const));
    expect(nextCopy(review({ f: base }, { f: huge }, { f: text('mine\n') }, decisions))).toEqual(new Map());
  });

  test("so is it where the user's text is the huge one", () => {
    const mine = text(lines(1_000_001));
    expect(review({ f: base }, { f: text('a\n') }, { f: mine }).files[0]).toMatchObject({
      tooLarge: true,
      hunks: [{ status: 'conflicting', userLines: [] }],
    });
  });

  test('base unknown', () => {
    const reviewed = reviewOf([{ path: 'f', base: 'unknown', agent: huge }], new Map([['f', base]]), new Map());
    expect(reviewed.files[0]?.hunks).toMatchObject([{ status: 'conflicting', oldLines: [], newLines: [] }]);
    expect(nextCopy(reviewed)).toEqual(new Map([['f', { base: 'unknown', agent: huge }]]));
  });

  test('moved without a change it needs no lines, so it is in the diff', () => {
    const moved = review({ f: huge }, { g: huge });
    expect(unifiedDiff(moved)).toContain('rename from f\nrename to g\n');
    expect(acceptOutcomes(moved, new Set(idsOf(moved)))).toMatchObject([{ path: 'g', from: 'f', after: huge }]);
    expect(unifiedDiff(review({ f: huge }, { f: text(lines(500_001), 0o755) }))).toContain('new mode 100755\n');
  });

  test('taken back without edits', () => {
    expect(areComparable(lines(500_000))).toBe(true);
    expect(lineEdits(lines(500_001), 'a\n')).toEqual([]);
    expect(lineEdits('a\n', 'b\n')).toHaveLength(1);
  });
});

test('of many large texts the smallest are shown; what is decided does not change which', () => {
  const before: Files = { a: text('1\n'), b: text(lines(250_000, 'b\n')), c: text(lines(300_000, 'c\n')), d: text('') };
  const after: Files = {
    a: text('2\n'),
    b: text(`${lines(250_000, 'b\n')}x\n`),
    c: text(`${lines(300_000, 'c\n')}x\n`),
    d: text(lines(400_000, 'd\n')),
  };
  const whole = (user: Files): string[] =>
    review(before, after, user)
      .files.filter(({ tooLarge }) => tooLarge)
      .map(({ path }) => path);
  expect(whole(before)).toEqual(['c']);
  expect(whole({ ...before, b: text(`x\n${lines(250_000, 'b\n')}`) })).toEqual(['c']);
});

test('a dozen files of ten million newlines take a moment', () => {
  const files: Record<string, ReturnType<typeof text>> = {};
  for (let i = 0; i < 12; i++) files[`f${i}`] = text(lines(10 * 1024 ** 2 - i));
  const startedAtMs = performance.now();
  const reviewed = review({}, files);
  expect(reviewed.files.map(({ tooLarge }) => tooLarge)).toEqual(Array.from({ length: 12 }, () => true));
  expect(unifiedDiff(reviewed)).toBe('');
  expect(reviewDocument(reviewed, heading).length).toBeLessThan(5000);
  expect(acceptOutcomes(reviewed, new Set(idsOf(reviewed)))).toHaveLength(12);
  expect(nextCopy(reviewed).size).toBe(12);
  expect(performance.now() - startedAtMs).toBeLessThan(6000);
});

test('large texts that went and came are paired in bounded time', () => {
  const [before, after]: [Record<string, ReturnType<typeof text>>, Record<string, ReturnType<typeof text>>] = [{}, {}];
  for (let i = 0; i < 4; i++) {
    before[`old${i}`] = text(lines(9_000_000 + i));
    after[`new${i}`] = text(lines(9_000_100 + i));
  }
  const startedAtMs = performance.now();
  expect(review(before, after).files.map(({ tooLarge }) => tooLarge)).toEqual(Array.from({ length: 8 }, () => true));
  expect(performance.now() - startedAtMs).toBeLessThan(6000);
});
