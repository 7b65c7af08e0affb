import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { acceptOutcomes, nextCopy } from '../../server/changeset/outcome.ts';
import { countChanges, reviewOf } from '../../server/changeset/review.ts';
import type { Review } from '../../server/changeset/review-types.ts';
import {
  absent,
  binary,
  changesOf,
  type Files,
  idsOf,
  link,
  listed,
  review,
  text,
  threeTexts,
  words,
} from './states.ts';

const fifo = { kind: 'other', what: 'a fifo' } as const;
const long = words('a b c d e f g h');
const longer = words('a b C d e f g h');

/** `kind path <- from [statuses]`, with `old/new` line counts of each hunk. */
const shown = ({ files }: Review): string[] =>
  files.map(({ path, kind, from, hunks }) => {
    const list = hunks.map(({ status, oldLines, newLines }) => `${status} ${oldLines.length}/${newLines.length}`);
    return `${kind} ${path}${from === undefined ? '' : ` <- ${from}`}: ${list.join(', ')}`;
  });

describe('what comes back when the user takes it out of their text', () => {
  const base = text(words('a b c'));
  const agent = text(words('A b C'));
  const both = idsOf(review({ f: base }, { f: agent }));
  const accepted = (...ids: readonly (string | undefined)[]) =>
    new Map(ids.map((id) => [id ?? '', 'accepted' as const]));
  test.each([
    ['nothing was typed in', { f: base }, { f: agent }, { f: base }, [], undefined],
    ['one of two', { f: base }, { f: agent }, { f: text(words('A b c')) }, [], ['f']],
    ['both', { f: base }, { f: agent }, { f: agent }, [], ['f']],
    ['both, one of which was accepted', { f: base }, { f: agent }, { f: agent }, both.slice(0, 1), ['f']],
    ['both were accepted', { f: base }, { f: agent }, { f: agent }, both, undefined],
    ['a file', {}, { f: base }, { f: base }, [], ['f']],
    ['a move', { f: text(long) }, { g: text(longer) }, { g: text(longer) }, [], ['g']],
    ['no change', { f: base }, { f: base }, { f: agent }, [], undefined],
  ])('%s', (_name, before: Files, after: Files, user: Files, ids, settled) => {
    expect(review(before, after, user, accepted(...ids)).settled).toEqual(settled);
  });
});

describe('what is listed', () => {
  const cases: [name: string, base: Files, agent: Files, user: Files, files: string[]][] = [
    ['no change', { f: text('a\n') }, { f: text('a\n') }, { f: text('x\n') }, []],
    [
      'modify',
      { f: text(words('a b c')) },
      { f: text(words('A b C')) },
      { f: text(words('a b c')) },
      ['modify f: pending 1/1, pending 1/1'],
    ],
    ['create', {}, { f: text('a\nb\n') }, {}, ['create f: pending 0/2']],
    ['create an empty file', {}, { f: text('') }, {}, ['create f: pending 0/0']],
    ['create what is there by now', {}, { f: text('a\n') }, { f: text('a\n') }, []],
    [
      'create where the user made another',
      {},
      { f: text('a\nb\n') },
      { f: text('c\n') },
      ['create f: conflicting 0/2'],
    ],
    ['delete', { f: text('a\n') }, {}, { f: text('a\n') }, ['delete f: pending 1/0']],
    ['delete an empty file', { f: text('') }, {}, { f: text('') }, ['delete f: pending 0/0']],
    ['delete what is gone', { f: text('a\n') }, {}, {}, []],
    ['delete what the user changed', { f: text('a\n') }, {}, { f: text('b\n') }, ['delete f: conflicting 1/0']],
    ['modify what the user deleted', { f: text('a\n') }, { f: text('b\n') }, {}, ['modify f: conflicting 1/1']],
    ['mode', { f: text('a\n') }, { f: text('a\n', 0o755) }, { f: text('a\n') }, ['modify f: pending 0/0']],
    [
      'mode, on a changed text',
      { f: text('a\n') },
      { f: text('a\n', 0o755) },
      { f: text('b\n') },
      ['modify f: pending 0/0'],
    ],
    ['mode, as it is by now', { f: text('a\n') }, { f: text('a\n', 0o755) }, { f: text('a\n', 0o755) }, []],
    ['mode of a file that is gone', { f: text('a\n') }, { f: text('a\n', 0o755) }, {}, ['modify f: conflicting 0/0']],
    ["mode that is not the project's", { f: text('a\n', 0o644) }, { f: text('a\n', 0o600) }, { f: text('a\n') }, []],
    [
      'mode goes along with text',
      { f: text('a\n') },
      { f: text('b\n', 0o755) },
      { f: text('a\n') },
      ['modify f: pending 1/1'],
    ],
    [
      'mode where all text conflicts',
      { f: text('a\n') },
      { f: text('b\n', 0o755) },
      { f: text('c\n') },
      ['modify f: conflicting 1/1, pending 0/0'],
    ],
    [
      'mode where the text is there',
      { f: text('a\n') },
      { f: text('b\n', 0o755) },
      { f: text('b\n') },
      ['modify f: pending 0/0'],
    ],
    ['binary', { f: binary('1') }, { f: binary('2') }, { f: binary('1') }, ['modify f: pending 0/0']],
    ['binary, created', {}, { f: binary('2') }, {}, ['create f: pending 0/0']],
    [
      'binary that the user changed',
      { f: binary('1') },
      { f: binary('2') },
      { f: binary('3') },
      ['modify f: conflicting 0/0'],
    ],
    ['text becomes binary', { f: text('a\n') }, { f: binary('2') }, { f: text('a\n') }, ['modify f: pending 0/0']],
    ['a link', {}, { l: link('f') }, {}, ['create l: pending 0/0']],
    ['a link elsewhere', { l: link('f') }, { l: link('g') }, { l: link('f') }, ['modify l: pending 0/0']],
    ['text becomes a link', { f: text('a\n') }, { f: link('g') }, { f: text('a\n') }, ['modify f: pending 0/0']],
    ['a fifo is never offered', {}, { p: fifo }, {}, ['create p: conflicting 0/0']],
    ['move', { a: text(long) }, { b: text(long) }, { a: text(long) }, ['rename b <- a: pending 0/0']],
    ['move with a change', { a: text(long) }, { b: text(longer) }, { a: text(long) }, ['rename b <- a: pending 1/1']],
    [
      'move with a change that conflicts',
      { a: text(long) },
      { b: text(longer) },
      { a: text(words('a b X d e f g h')) },
      ['rename b <- a: conflicting 1/1, pending 0/0'],
    ],
    [
      'move that is done, with a change',
      { a: text(long) },
      { b: text(longer) },
      { b: text(long) },
      ['rename b <- a: pending 1/1'],
    ],
    ['move that is done', { a: text(long) }, { b: text(long) }, { b: text(long) }, []],
    ['move of what is gone', { a: text(long) }, { b: text(long) }, {}, ['rename b <- a: conflicting 0/0']],
    [
      'move to where the user made a file',
      { a: text(long) },
      { b: text(longer) },
      { a: text(long), b: text('x\n') },
      ['delete a: pending 8/0', 'create b: conflicting 0/8'],
    ],
    [
      'half of the lines make a move',
      { a: text(words('a b c d')) },
      { b: text(words('a b x y')) },
      { a: text(words('a b c d')) },
      ['rename b <- a: pending 2/2'],
    ],
    [
      'fewer do not',
      { a: text(words('a b c d')) },
      { b: text(words('a x y z')) },
      { a: text(words('a b c d')) },
      ['delete a: pending 4/0', 'create b: pending 0/4'],
    ],
    [
      'empty files do not move',
      { a: text('') },
      { b: text('') },
      { a: text('') },
      ['delete a: pending 0/0', 'create b: pending 0/0'],
    ],
    ['binary moves', { a: binary('1') }, { b: binary('1', 0o755) }, { a: binary('1') }, ['rename b <- a: pending 0/0']],
    ['links move', { a: link('x') }, { b: link('x') }, { a: link('x') }, ['rename b <- a: pending 0/0']],
    [
      'the closest file is the one that moved, the name decides between equals',
      { 'x/a': text(long), 'y/b': text(long), 'z/c': text(words('a b c d q r s t')) },
      { 'n/b': text(long), 'n/a': text(long), 'n/c': text(words('a b c d q r s T')) },
      { 'x/a': text(long), 'y/b': text(long), 'z/c': text(words('a b c d q r s t')) },
      ['rename n/a <- x/a: pending 0/0', 'rename n/b <- y/b: pending 0/0', 'rename n/c <- z/c: pending 1/1'],
    ],
    [
      "git's folder, never",
      {},
      { '.git/config': text('x\n'), 'sub/.Git/hooks/p': text('x\n'), '.codex/local/review.diff': text('x\n') },
      {},
      [],
    ],
    ['by path', {}, { b: text('1\n'), a: text('2\n') }, {}, ['create a: pending 0/1', 'create b: pending 0/1']],
  ];
  test.each(cases)('%s', (_name, base, agent, user, files) => {
    expect(shown(review(base, agent, user))).toEqual(files);
  });

  const unknown: [name: string, agent: Files, user: Files, files: string[]][] = [
    ['equal by now', { f: text('a\n') }, { f: text('a\n') }, []],
    [
      'every difference is a conflict',
      { f: text(words('A b C')) },
      { f: text(words('a b c')) },
      ['modify f: conflicting 1/1, conflicting 1/1'],
    ],
    ['the user deleted it', { f: text('a\n') }, {}, ['create f: conflicting 0/1']],
    ['the agent deleted it', { f: absent }, { f: text('a\n') }, ['delete f: conflicting 1/0']],
    ['mode', { f: text('a\n', 0o755) }, { f: text('a\n') }, ['modify f: conflicting 0/0']],
    ['binary', { f: binary('1') }, { f: text('a\n') }, ['modify f: conflicting 1/0']],
  ];
  test.each(unknown)('base unknown: %s', (_name, agent, user, files) => {
    const changes = Object.entries(agent).map(([path, state]) => ({ path, base: 'unknown' as const, agent: state }));
    expect(shown(reviewOf(changes, new Map(Object.entries(user)), new Map()))).toEqual(files);
  });

  test('counts are of what is pending or conflicting', () => {
    const base = { f: text(words('a b c d e')), g: text('1\n') };
    const reviewed = review(
      base,
      { f: text(words('A b c d E E2')), h: text('x\ny\n') },
      { f: text(words('a b c d X')), g: text('1\n') },
    );
    expect(countChanges(reviewed)).toEqual({ files: 3, additions: 5, deletions: 3 });
    const decisions = new Map(idsOf(reviewed).map((id) => [id, 'rejected' as const]));
    expect(
      countChanges(
        review(
          base,
          { f: text(words('A b c d E E2')), h: text('x\ny\n') },
          { f: text(words('a b c d X')), g: text('1\n') },
          decisions,
        ),
      ),
    ).toEqual({ files: 1, additions: 2, deletions: 1 });
    expect(countChanges({ files: [] })).toEqual({ files: 0, additions: 0, deletions: 0 });
  });
});

describe('decisions', () => {
  const base = { f: text(words('a b c d e')) };
  const agent = { f: text(words('A b C d E')) };

  test('a decided hunk stays listed, whether its change is in the text or not', () => {
    const [first, second, third] = idsOf(review(base, agent));
    if (!first || !second || !third) throw new Error('three hunks expected');
    const decisions = new Map([
      [first, 'accepted'],
      [second, 'rejected'],
    ] as const);
    expect(listed(review(base, agent, { f: text(words('z A b c d e')) }, decisions))).toEqual([
      'f:2 accepted',
      'f:4 rejected',
      'f:6 pending',
    ]);
    expect(listed(review(base, agent, agent, decisions))).toEqual(['f:1 accepted', 'f:3 rejected']);
    expect(listed(review(base, agent, { f: text(words('typed over everything')) }, decisions))).toEqual([
      'f:1 accepted',
      'f:1 rejected',
      'f:1 conflicting',
    ]);
  });

  test('equal changes in one file have ids of their own, and keep them', () => {
    const lines = words('x a x b x');
    const ids = idsOf(review({ f: text(lines) }, { f: text(words('y a y b y')) }));
    expect(new Set(ids).size).toBe(3);
    expect(ids.every((id) => /^h[0-9a-f]{10}$/.test(id))).toBe(true);
    const now = review({ f: text(lines) }, { f: text(words('y a y b y')) }, { f: text(words('x a y b x')) });
    expect(idsOf(now)).toEqual([ids[0], ids[2]]);
    expect(idsOf(review({ g: text(lines) }, { g: text(words('y a y b y')) }))).not.toContain(ids[0]);
  });

  test('a change of the mode that stands alone outlives the rejection of the text, and has one name whatever is typed', () => {
    const before = { f: text(words('a b c')) };
    const became = { f: text(words('a B c'), 0o755) };
    const user = { f: text(words('a X c')) };
    const [conflict] = idsOf(review(before, became, user), 'conflicting');
    const [mode] = idsOf(review(before, became, user));
    expect(idsOf(review(before, became, user, new Map([[conflict ?? '', 'rejected']])))).toEqual([mode]);
    expect(idsOf(review(before, became, { f: text(words('a X c d')) }))).toEqual([mode]);
    const modeOnly = { f: text(words('a X c'), 0o755) };
    expect(idsOf(review(user, modeOnly))).toEqual([mode]);
  });

  test('a rename that was rejected by itself is not made with a hunk that is accepted later', () => {
    const [before, moved] = [{ a: text(long) }, { b: text(longer, 0o755) }];
    const inTheWay = { a: text(words('a b X d e f g h')) };
    const [rename = ''] = idsOf(review(before, moved, inTheWay));
    const now = review(before, moved, before, new Map([[rename, 'rejected']]));
    expect(listed(now)).toEqual(['b:3 pending', 'b:1 rejected']);
    expect(acceptOutcomes(now, new Set(idsOf(now)))).toMatchObject([{ path: 'a', after: text(longer) }]);
    expect([...nextCopy(now)]).toEqual([['a', { base: text(long), agent: text(longer) }]]);
  });

  test('a rename onto a file of the user stays a deletion and a creation when one of them is decided', () => {
    const [before, moved] = [{ a: text('one\n') }, { b: text('one\n') }];
    const inTheWay = { ...before, b: link('mine') };
    const [deletion = ''] = idsOf(review(before, moved, inTheWay));
    const [creation] = idsOf(review(before, moved, inTheWay), 'conflicting');
    const now = review(before, moved, { b: link('mine') }, new Map([[deletion, 'accepted']]));
    expect(idsOf(now, 'conflicting')).toEqual([creation]);
    expect(idsOf(now, 'accepted')).toEqual([deletion]);
  });

  test('a rename goes along with the first hunk that is accepted', () => {
    const moved = { b: text(words('A b c d e f g H')) };
    const first = review({ a: text(long) }, moved);
    const [id] = idsOf(first);
    if (!id) throw new Error('a hunk expected');
    const [outcome] = acceptOutcomes(first, new Set([id]));
    expect(outcome).toEqual({
      path: 'b',
      from: 'a',
      before: text(long),
      after: text(words('A b c d e f g h')),
      edits: [{ line: 0, deleteCount: 1, lines: ['A\n'], hunk: expect.any(String) }],
      hunks: [id],
    });
    const next = review({ a: text(long) }, moved, { b: text(words('A b c d e f g h')) }, new Map([[id, 'accepted']]));
    expect(listed(next)).toEqual(['b:1 accepted', 'b:8 pending']);
    expect(next.files[0]).toMatchObject({ kind: 'rename', from: 'a', userPath: 'b' });
    expect(acceptOutcomes(next, new Set(idsOf(next)))).toEqual([expect.not.objectContaining({ from: 'a' })]);
  });
});

describe('outcomes', () => {
  const all = (reviewed: Review) => acceptOutcomes(reviewed, new Set(idsOf(reviewed)));

  test('only pending hunks count', () => {
    const reviewed = review({ f: text(words('a b c')) }, { f: text(words('A b C')) }, { f: text(words('a b X')) });
    const everything = reviewed.files.flatMap(({ hunks }) => hunks.map(({ id }) => id));
    expect(acceptOutcomes(reviewed, new Set([...everything, 'hffffffffff']))).toEqual([
      {
        path: 'f',
        before: text(words('a b X')),
        after: text(words('A b X')),
        edits: [{ line: 0, deleteCount: 1, lines: ['A\n'], hunk: expect.any(String) }],
        hunks: idsOf(reviewed),
      },
    ]);
    expect(acceptOutcomes(reviewed, new Set())).toEqual([]);
  });

  const whole: [name: string, base: Files, agent: Files][] = [
    ['create', {}, { f: text('a\n', 0o755) }],
    ['delete', { f: text('a\n') }, {}],
    ['binary', { f: binary('1') }, { f: binary('2') }],
    ['text to link', { f: text('a\n') }, { f: link('g') }],
    ['mode', { f: text('a\n') }, { f: text('a\n', 0o755) }],
    ['empty file', {}, { f: text('') }],
  ];
  test.each(whole)('%s: all of it', (_name, base, agent) => {
    const reviewed = review(base, agent);
    expect(all(reviewed)).toEqual([
      { path: 'f', before: base.f ?? absent, after: agent.f ?? absent, edits: [], hunks: idsOf(reviewed) },
    ]);
  });

  test("the mode goes along with a hunk; a mode of the user's own stays", () => {
    expect(all(review({ f: text('a\n') }, { f: text('b\n', 0o755) }))[0]?.after).toEqual(text('b\n', 0o755));
    expect(all(review({ f: text('a\n') }, { f: text('b\n') }, { f: text('a\n', 0o755) }))[0]?.after).toEqual(
      text('b\n', 0o755),
    );
  });
});

describe('the copy at the next turn', () => {
  /** The copy after some hunks were decided, by position among all hunks. */
  function next(
    base: Files,
    agent: Files,
    user: Files,
    decided: Readonly<Record<number, 'accepted' | 'rejected'>> = {},
  ) {
    const ids = review(base, agent, user).files.flatMap(({ hunks }) => hunks.map(({ id }) => id));
    const decisions = new Map(Object.entries(decided).map(([index, status]) => [ids[Number(index)] ?? '', status]));
    const copy = nextCopy(review(base, agent, user, decisions));
    return Object.fromEntries([...copy].map(([path, entry]) => [path, [entry.base, entry.agent]]));
  }
  const base = { f: text(words('a b c d e')) };
  const agent = { f: text(words('A b C d E')) };

  test('everything decided: nothing stays', () => {
    expect(next(base, agent, base, { 0: 'accepted', 1: 'rejected', 2: 'rejected' })).toEqual({});
    expect(next({}, { n: text('a\n') }, {}, { 0: 'rejected' })).toEqual({});
  });

  test("pending: the user's text is the base", () => {
    const before = { f: text(words('a b b2 c d e')) };
    const user = { f: text(words('a b z b2 c d e')) };
    const became = (mode: number) => ({ f: text(words('A b b2 C d E'), mode) });
    expect(next(before, became(0o644), user, { 0: 'rejected' })).toEqual({
      f: [user.f, text(words('a b z b2 C d E'))],
    });
    expect(next(before, became(0o755), user)).toEqual({ f: [user.f, text(words('A b z b2 C d E'), 0o755)] });
  });

  test('conflicting: the base stays what the conflict is about', () => {
    const user = { f: text(words('a b X d e')) };
    expect(next(base, agent, user)).toEqual({ f: [base.f, agent.f] });
    expect(next(base, agent, user, { 0: 'rejected' })).toEqual({ f: [base.f, text(words('a b C d E'))] });
    expect(next(base, agent, { f: text(words('A b X d e')) })).toEqual({ f: [base.f, agent.f] });
    expect(next(base, agent, user, { 0: 'accepted' })).toEqual({ f: [text(words('A b c d e')), agent.f] });
    expect(next(base, agent, user, { 1: 'rejected' })).toEqual({ f: [user.f, text(words('A b X d E'))] });
  });

  test('renames are two paths', () => {
    const moved = { b: text(longer) };
    expect(next({ a: text(long) }, moved, { a: text(long) })).toEqual({
      a: [text(long), absent],
      b: [absent, text(longer)],
    });
    expect(next({ a: text(long) }, moved, { a: text(`z\n${long}`) })).toEqual({
      a: [text(`z\n${long}`), absent],
      b: [absent, text(`z\n${longer}`)],
    });
    expect(next({ a: text(long) }, moved, { b: text(long) })).toEqual({ b: [text(long), text(longer)] });
    const inTheWay = { a: text(words('a b X d e f g h')) };
    expect(next({ a: text(long) }, moved, inTheWay)).toEqual({ a: [text(long), absent], b: [absent, text(longer)] });
    expect(next({ a: text(long) }, moved, inTheWay, { 1: 'rejected' })).toEqual({ a: [text(long), text(longer)] });
    expect(next({ a: binary('1') }, { b: binary('1') }, { a: binary('2') })).toEqual({
      a: [binary('1'), absent],
      b: [absent, binary('1')],
    });
  });

  test('whole files', () => {
    expect(next({ f: binary('1') }, { f: binary('2') }, { f: binary('1') })).toEqual({ f: [binary('1'), binary('2')] });
    expect(next({ f: text('a\n') }, {}, { f: text('b\n') })).toEqual({ f: [text('a\n'), absent] });
    expect(next({}, { f: text('a\n') }, { f: text('b\n') })).toEqual({ f: [absent, text('a\n')] });
  });

  test('base unknown stays unknown, and rejected hunks leave', () => {
    const changes = [{ path: 'f', base: 'unknown' as const, agent: text(words('A b C')) }];
    const user = new Map([['f', text(words('a b c'))]]);
    const [first] = idsOf(reviewOf(changes, user, new Map()), 'conflicting');
    const left = nextCopy(reviewOf(changes, user, new Map([[first ?? '', 'rejected']])));
    expect([...left]).toEqual([['f', { base: 'unknown', agent: text(words('a b C')) }]]);
  });

  type Choice = 'accepted' | 'rejected' | undefined;
  const choices = fc.array(fc.constantFrom<Choice>('accepted', 'rejected', undefined));

  /** The review at the end of a turn in which some was decided and applied, and that at the start of the next. */
  function turns(
    base: string,
    agent: string,
    user: string,
    chosen: readonly Choice[],
  ): { now: Review; next: Review; text: Files[string] } {
    const first = review({ f: text(base) }, { f: text(agent) }, { f: text(user) });
    const decisions = new Map(
      idsOf(first).flatMap((id, index) => {
        const choice = chosen[index];
        return choice ? [[id, choice] as const] : [];
      }),
    );
    const taken = new Set([...decisions].flatMap(([id, choice]) => (choice === 'accepted' ? [id] : [])));
    const state = acceptOutcomes(first, taken)[0]?.after ?? text(user);
    const now = review({ f: text(base) }, { f: text(agent) }, { f: state }, decisions);
    const changes = [...nextCopy(now)].map(([path, entry]) => ({ path, ...entry }));
    return { now, next: reviewOf(changes, new Map([['f', state]]), new Map()), text: state };
  }

  test('has exactly what was undecided', () => {
    fc.assert(
      fc.property(threeTexts, choices, ({ base, agent, user }, chosen) => {
        const { now, next } = turns(base, agent, user, chosen);
        for (const status of ['pending', 'conflicting']) expect(idsOf(next, status)).toEqual(idsOf(now, status));
        expect([...idsOf(next, 'accepted'), ...idsOf(next, 'rejected')]).toEqual([]);
      }),
      { numRuns: 400 },
    );
  });

  test('comes to the same text, however much the lines repeat', () => {
    const line = fc.constantFrom('a\n', 'b\n', 'c\n', '}\n', 'x\n', 'y\n');
    const any = fc.array(line, { maxLength: 12 }).map((lines) => lines.join(''));
    fc.assert(
      fc.property(any, any, choices, (base, agent, chosen) => {
        const { now, next, text: state } = turns(base, agent, base, chosen);
        const end = (reviewed: Review) => acceptOutcomes(reviewed, new Set(idsOf(reviewed)))[0]?.after ?? state;
        expect(end(next)).toEqual(end(now));
      }),
      { numRuns: 400 },
    );
  });
});

test('a thousand created and deleted files are paired in bounded time', () => {
  const base: Record<string, ReturnType<typeof text>> = {};
  const agent: Record<string, ReturnType<typeof text>> = {};
  for (let i = 0; i < 1000; i++) {
    const body = Array.from({ length: 50 }, (_, line) => `file ${i % 7} line ${line * i}\n`).join('');
    base[`old/${i}`] = text(body);
    agent[`new/${i}`] = text(i % 2 ? body : `${body}more\n`);
  }
  const startedAtMs = performance.now();
  const { files } = reviewOf(changesOf(base, agent), new Map(Object.entries(base)), new Map());
  expect(files.filter(({ kind }) => kind === 'rename').length).toBeGreaterThanOrEqual(500);
  expect(performance.now() - startedAtMs).toBeLessThan(3000);
});
