/** The agent's change put over the user's text, where the user said so of a hunk. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { acceptOutcomes } from '../../server/changeset/outcome.ts';
import { reviewOf } from '../../server/changeset/review.ts';
import type { Review } from '../../server/changeset/review-types.ts';
import { absent, binary, type Files, idsOf, link, listed, review, text, threeTexts, words } from './states.ts';

const fifo = { kind: 'other', what: 'a fifo' } as const;
const over = (reviewed: Review, ids: readonly string[]) => acceptOutcomes(reviewed, new Set(ids), { overMine: true });

describe('lines', () => {
  const cases: [name: string, base: string, agent: string, user: string, hunk: number, after: string][] = [
    ['the same line', 'a b c', 'a B c', 'a X c', 0, 'a B c'],
    ['what the user made longer', 'a b c', 'a B c', 'a X Y Z c', 0, 'a B c'],
    ['the line above too', 'a b c', 'a B c', 'X b c', 0, 'a B c'],
    ['what the user added beside it', 'a b c', 'a B c', 'a b y c', 0, 'a B c'],
    ['both inserted at one place', 'a b', 'a x b', 'a y b', 0, 'a x b'],
    ['both appended', 'a', 'a x', 'a y', 0, 'a x'],
    ['the user deleted it', 'a b c', 'a B c', 'a c', 0, 'a B c'],
    ['the user deleted all', 'a b c', 'a B c', '', 0, 'a B c'],
    ['the agent deleted what the user changed', 'a b c', 'a c', 'a X c', 0, 'a c'],
    ['the rest of what the user did stays', 'a b c d e f', 'a B c d e f', 'a X c d E f', 0, 'a B c d E f'],
    ['one of two under the same lines of the user', 'a b c d e', 'a B c D e', 'a X Y Z e', 0, 'a B c d e'],
    ['the other of the two', 'a b c d e', 'a B c D e', 'a X Y Z e', 1, 'a b c D e'],
  ];
  test.each(cases)('%s', (_name, base, agent, user, hunk, after) => {
    const reviewed = review({ f: text(words(base)) }, { f: text(words(agent)) }, { f: text(words(user)) });
    const id = idsOf(reviewed, 'conflicting')[hunk] ?? '';
    expect(over(reviewed, [id])).toEqual([
      expect.objectContaining({ path: 'f', before: text(words(user)), after: text(words(after)), hunks: [id] }),
    ]);
    expect(acceptOutcomes(reviewed, new Set([id]))).toEqual([]);
  });

  test('all of them, with what is pending, are the text of the agent where the user changed nothing else', () => {
    const user = { f: text(words('a X Y Z e f g')) };
    const reviewed = review({ f: text(words('a b c d e f g')) }, { f: text(words('a B c D e F g')) }, user);
    const ids = [...idsOf(reviewed), ...idsOf(reviewed, 'conflicting')];
    expect(over(reviewed, ids)[0]).toMatchObject({ after: text(words('a B c D e F g')) });
  });

  test('where lines repeat, each goes over the lines it was shown with', () => {
    const user = { f: text(words('a a b a a b b')) };
    const reviewed = review({ f: text(words('a b a a b a')) }, { f: text(words('b b')) }, user);
    const last = idsOf(reviewed, 'conflicting')[1] ?? '';
    const [outcome] = over(reviewed, [...idsOf(reviewed), last]);
    expect(outcome).toMatchObject({ after: text(words('a a b b')), edits: [{ line: 3 }, { line: 6, hunk: last }] });
  });

  test('what one hunk frees becomes pending, and is not taken with it', () => {
    const base = { f: text(words('a b c d e')) };
    const agent = { f: text(words('a B c D e')) };
    const reviewed = review(base, agent, { f: text(words('a X Y Z e')) });
    const [first = ''] = idsOf(reviewed, 'conflicting');
    const [outcome] = over(reviewed, [first]);
    if (!outcome) throw new Error('an outcome expected');
    expect(listed(review(base, agent, { f: outcome.after }, new Map([[first, 'accepted']])))).toEqual([
      'f:2 accepted',
      'f:4 pending',
    ]);
  });

  test.each([
    ['no final newline', 'a\nb', 'a\nB', 'a\nX', 'a\nB'],
    ['a final newline of the agent', 'a\nb', 'a\nb\n', 'a\nX', 'a\nb\n'],
    ['CRLF', 'a\r\nb\r\nc\r\n', 'a\r\nB\r\nc\r\n', 'a\r\nX\r\nc\r\n', 'a\r\nB\r\nc\r\n'],
    ['the user has changed all line ends', 'a\nb\nc\n', 'a\nB\nc\n', 'a\r\nb\r\nc\r\n', 'a\nB\nc\n'],
  ])('%s', (_name, base, agent, user, after) => {
    const reviewed = review({ f: text(base) }, { f: text(agent) }, { f: text(user) });
    expect(over(reviewed, idsOf(reviewed, 'conflicting'))[0]?.after).toEqual(text(after));
  });

  test('whatever the texts are, everything put over them is in the text, and the edits make that text', () => {
    fc.assert(
      fc.property(threeTexts, ({ base, agent, user }) => {
        const files = [{ f: text(base) }, { f: text(agent) }, { f: text(user) }] as const;
        const reviewed = review(...files);
        const ids = [...idsOf(reviewed), ...idsOf(reviewed, 'conflicting')];
        const [outcome] = over(reviewed, ids);
        if (!outcome) return;
        const decided = new Map(ids.map((id) => [id, 'accepted' as const]));
        const now = review(files[0], files[1], { f: outcome.after }, decided);
        expect([...idsOf(now), ...idsOf(now, 'conflicting')]).toEqual([]);
        expect(outcome.before).toEqual(text(user));
        if (outcome.after.kind !== 'text') throw new Error('a text expected');
        for (const line of agent.split('\n')) {
          if (!base.split('\n').includes(line)) expect(outcome.after.text.split('\n')).toContain(line);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('whole files', () => {
  const a = text(words('a b c d'));
  const executable = text(words('a b c d'), 0o755);
  const changed = text(words('a B c d'));
  const cases: [name: string, base: Files, agent: Files, user: Files, after: object][] = [
    ['binary', { f: binary('1') }, { f: binary('2') }, { f: binary('3') }, { path: 'f', after: binary('2') }],
    ['created by both', {}, { f: a }, { f: text('mine\n') }, { path: 'f', before: text('mine\n'), after: a }],
    ['deleted by the agent', { f: a }, {}, { f: changed }, { path: 'f', before: changed, after: absent }],
    ['deleted by the user', { f: a }, { f: changed }, {}, { path: 'f', before: absent, after: changed }],
    ['a link by now', { f: a }, { f: changed }, { f: link('g') }, { path: 'f', before: link('g'), after: changed }],
    ['binary by now', { f: a }, { f: changed }, { f: binary('1') }, { path: 'f', before: binary('1'), after: changed }],
    [
      'a link that the user pointed elsewhere',
      { f: link('g') },
      { f: link('h') },
      { f: link('i') },
      { after: link('h') },
    ],
    ['the mode of a file that is gone', { f: a }, { f: executable }, {}, { after: executable }],
    ['moved from where it is gone', { f: a }, { g: a }, {}, { path: 'g', before: absent, after: a }],
  ];
  test.each(cases)('%s', (_name, base, agent, user, outcome) => {
    const reviewed = review(base, agent, user);
    const outcomes = over(reviewed, idsOf(reviewed, 'conflicting'));
    expect(outcomes).toEqual([expect.objectContaining(outcome)]);
    expect(outcomes[0]).not.toHaveProperty('from');
    expect(acceptOutcomes(reviewed, new Set(idsOf(reviewed, 'conflicting')))).toEqual([]);
  });

  test.each([
    ['a device of the agent', {}, { f: fifo }, {}],
    ['what nobody has seen', {}, { f: a }, { f: fifo }],
  ])('never %s', (_name, base, agent, user) => {
    const reviewed = review(base, agent, user);
    expect(over(reviewed, idsOf(reviewed, 'conflicting'))).toEqual([]);
  });
});

test('where no base is known, only the chosen differences are put over the text', () => {
  const changes = [{ path: 'f', base: 'unknown' as const, agent: text(words('A b C')) }];
  const reviewed = reviewOf(changes, new Map([['f', text(words('a b c'))]]), new Map());
  const [first = ''] = idsOf(reviewed, 'conflicting');
  expect(over(reviewed, [first])[0]?.after).toEqual(text(words('A b c')));
  expect(over(reviewed, idsOf(reviewed, 'conflicting'))[0]?.after).toEqual(text(words('A b C')));
  const gone = reviewOf(changes, new Map(), new Map());
  expect(over(gone, idsOf(gone, 'conflicting'))[0]).toMatchObject({ before: absent, after: text(words('A b C')) });
});
