/** The way back of what was accepted, and forth again, over what the user has changed since. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type AppliedChange, appliedChange, carry, type Direction } from '../../server/changeset/applied.ts';
import type { FileState } from '../../server/changeset/file-state.ts';
import { acceptOutcomes } from '../../server/changeset/outcome.ts';
import { absent, binary, idsOf, link, review, text, threeTexts, words } from './states.ts';

/** What accepting everything makes of one file. */
function accepted(before: FileState, after: FileState): AppliedChange {
  const reviewed = review({ f: before }, { f: after });
  const [outcome] = acceptOutcomes(reviewed, new Set(idsOf(reviewed)));
  if (!outcome) throw new Error('nothing to accept');
  return appliedChange(outcome);
}

const textOf = (state: FileState | undefined): string | undefined =>
  state?.kind === 'text' ? state.text.replaceAll('\n', ' ').trim() : state?.kind;

/** What the file holds after it, and how many hunks are done and left. */
function carried(change: AppliedChange, direction: Direction, now: FileState, there: FileState = absent) {
  const { outcome, done, left, reason } = carry(change, direction, now, there);
  return { now: textOf(outcome?.after ?? now), done: done?.hunks.length ?? 0, left: left?.hunks.length ?? 0, reason };
}

const two = accepted(text(words('a b c d e')), text(words('A b c D e')));

describe('back', () => {
  test.each([
    ['what was not touched', 'A b c D e', 'a b c d e', 2, 0],
    ['what was added above, between and below', 'A b y c D e z', 'a b y c d e z', 2, 0],
    ['all but the hunk that lines were written beside', 'x A b c D e', 'x A b c d e', 1, 1],
    ['what the user has taken back', 'a b c D e', 'a b c d e', 2, 0],
    ['all but the lines that the user changed', 'mine b c D e', 'mine b c d e', 1, 1],
    ['nothing where the user changed it all', 'mine b c yours e', 'mine b c yours e', 0, 2],
    ['nothing of a file that is there as it was', 'a b c d e', 'a b c d e', 2, 0],
  ])('%s', (_, now, then, done, left) => {
    expect(carried(two, 'back', text(words(now)))).toMatchObject({ now: then, done, left });
  });

  test('a hunk is named by its id, and what stays applied can be taken back later', () => {
    const { done, left } = carry(two, 'back', text(words('mine b c D e')), absent);
    const [first, second] = two.hunks;
    expect({ done: done?.hunks, left: left?.hunks }).toEqual({ done: [second], left: [first] });
    if (!left || !done) throw new Error('nothing is left');
    expect(carried(left, 'back', text(words('A b c d e')))).toMatchObject({ now: 'a b c d e', done: 1, left: 0 });
    expect(carried(done, 'forth', text(words('mine b c d e')))).toMatchObject({
      now: 'mine b c D e',
      done: 1,
      left: 0,
    });
  });

  test('the mode goes back with the last of the hunks', () => {
    const change = accepted(text(words('a b c d')), text(words('A b C d'), 0o755));
    const modeOf = (now: string, mode: number): unknown =>
      carry(change, 'back', text(words(now), mode), absent).outcome?.after;
    expect(modeOf('A b C d x', 0o755)).toMatchObject({ mode: 0o644 });
    expect(modeOf('mine b C d', 0o755)).toMatchObject({ mode: 0o755 });
    const left = carry(change, 'back', text(words('mine b C d'), 0o755), absent).left;
    if (!left) throw new Error('nothing is left');
    expect(carry(left, 'back', text(words('A b c d'), 0o755), absent).outcome?.after).toEqual(text(words('a b c d')));
  });

  test.each([
    ['a creation', absent, text('new\n'), text('new\nand mine\n')],
    ['a deletion', text('old\n'), absent, text('mine\n')],
    ['a binary', binary('1'), binary('2'), binary('3')],
    ['a link', link('a'), link('b'), link('c')],
  ])('%s goes back as a whole or not at all', (_, before, after, mine) => {
    const change = accepted(before, after);
    expect(carry(change, 'back', after, absent).outcome).toMatchObject({
      before: after,
      after: before,
      restores: true,
    });
    expect(carry(change, 'back', before, absent)).toEqual({ done: change });
    expect(carry(change, 'back', mine, absent)).toEqual({ left: change, reason: 'it was changed since' });
    expect(carry(change, 'forth', before, absent).outcome).toMatchObject({ before, after });
  });

  test('a file that is gone is named', () => {
    expect(carried(two, 'back', absent)).toMatchObject({ done: 0, left: 2, reason: 'it is gone since' });
  });
});

describe('a rename', () => {
  const moved: AppliedChange = { ...two, path: 'new', from: 'old' };

  test('goes back with what was typed in it', () => {
    expect(carry(moved, 'back', text(words('A b x c D e')), absent).outcome).toMatchObject({
      path: 'old',
      from: 'new',
      after: text(words('a b x c d e')),
    });
  });

  test('stays while one of its hunks stays, and goes back with the last', () => {
    const { outcome, left } = carry(moved, 'back', text(words('mine b c D e')), absent);
    expect(outcome).toMatchObject({ path: 'new', after: text(words('mine b c d e')) });
    expect(outcome?.from).toBeUndefined();
    if (!left) throw new Error('nothing is left');
    expect(carry(left, 'back', text(words('A b c d e')), absent).outcome).toMatchObject({ path: 'old', from: 'new' });
  });

  test('writes over no file at the other end', () => {
    expect(carry(moved, 'back', text(words('A b c D e')), text('mine\n'))).toEqual({
      left: moved,
      reason: 'there is a old by now',
    });
  });

  test('that the user has taken back already is done', () => {
    expect(carry(moved, 'back', absent, text(words('a b c d e')))).toEqual({ done: moved });
  });

  test('comes again with the first of its hunks', () => {
    const { outcome, done, left } = carry(moved, 'forth', text(words('mine b c d e')), absent);
    expect(outcome).toMatchObject({ path: 'new', from: 'old', after: text(words('mine b c D e')) });
    expect(done).toMatchObject({ from: 'old' });
    expect(left?.from).toBeUndefined();
    expect(left?.path).toBe('new');
  });
});

describe('properties', () => {
  const cases = threeTexts.filter(({ base, agent }) => base !== agent && base !== '' && agent !== '');

  test('back and forth and back again is exact where nobody typed', () => {
    fc.assert(
      fc.property(cases, ({ base, agent }) => {
        const change = accepted(text(base), text(agent));
        expect(carry(change, 'back', text(agent), absent).outcome?.after).toEqual(text(base));
        expect(carry(change, 'forth', text(base), absent).outcome?.after).toEqual(text(agent));
      }),
      { numRuns: 1000 },
    );
  });

  test('no line that the user typed is lost, and back, then forth, ends where it began', () => {
    const typed = fc.array(fc.record({ at: fc.nat(40), drop: fc.boolean() }), { maxLength: 5 });
    fc.assert(
      fc.property(cases, typed, ({ base, agent }, edits) => {
        const change = accepted(text(base), text(agent));
        const lines = agent.split(/(?<=\n)/);
        edits.forEach(({ at, drop }, index) => {
          lines.splice(at % (lines.length + 1), drop ? 1 : 0, `typed ${index}\n`);
        });
        const now = lines.join('');
        const back = carry(change, 'back', text(now), absent);
        const after = back.outcome?.after ?? text(now);
        if (after.kind !== 'text') throw new Error('no text');
        for (const line of lines.filter((line) => line.startsWith('typed'))) expect(after.text).toContain(line);
        expect((back.done?.hunks.length ?? 0) + (back.left?.hunks.length ?? 0)).toBe(change.hunks.length);
        if (!back.done || !back.outcome) return;
        const again = carry(back.done, 'forth', after, absent);
        const redone = again.outcome?.after;
        for (const line of lines.filter((line) => line.startsWith('typed'))) expect(textIn(redone)).toContain(line);
        // What the user had taken back themselves comes again too, so that only then the text may differ.
        const isAll = back.outcome.edits.length === back.done.blocks?.length && again.left === undefined;
        if (isAll) expect(textIn(redone)).toBe(now);
      }),
      { numRuns: 1000 },
    );
  });
});

type Operation = { do: 'accept' | 'undo' | 'redo' | 'type' | 'drop'; at: number };

/** One text under review and its two stacks, as the server keeps them. */
class Story {
  readonly applied: AppliedChange[] = [];
  readonly undone: AppliedChange[] = [];
  readonly #decisions = new Map<string, 'accepted' | 'rejected'>();

  user: string;
  readonly base: string;
  readonly agent: string;

  constructor(base: string, agent: string) {
    this.user = base;
    this.base = base;
    this.agent = agent;
  }

  play({ do: what, at }: Operation, typed: string): void {
    if (what === 'accept') this.#accept(at);
    else if (what === 'undo') this.#carry(this.applied, this.undone, 'back');
    else if (what === 'redo') this.#carry(this.undone, this.applied, 'forth');
    else {
      const lines = this.user.split(/(?<=\n)/);
      lines.splice(at % (lines.length + 1), what === 'drop' ? 1 : 0, ...(what === 'drop' ? [] : [typed]));
      this.user = lines.join('');
    }
  }

  #accept(which: number): void {
    const reviewed = review({ f: text(this.base) }, { f: text(this.agent) }, { f: text(this.user) }, this.#decisions);
    const ids = idsOf(reviewed).filter((_, index) => which & (1 << (index % 8)));
    const [outcome] = acceptOutcomes(reviewed, new Set(ids));
    if (outcome?.after.kind !== 'text') return;
    this.user = outcome.after.text;
    for (const id of ids) this.#decisions.set(id, 'accepted');
    this.applied.push(appliedChange(outcome));
    this.undone.length = 0;
  }

  #carry(from: AppliedChange[], to: AppliedChange[], direction: Direction): void {
    const change = from.pop();
    if (!change) return;
    const { outcome, done, left } = carry(change, direction, text(this.user), absent);
    if (outcome?.after.kind === 'text') this.user = outcome.after.text;
    if (left) from.push(left);
    if (!done) return;
    to.push(done);
    for (const { id } of done.hunks) {
      if (direction === 'forth') this.#decisions.set(id, 'accepted');
      else this.#decisions.delete(id);
    }
  }
}

describe('10,000 stories of accepts, undos, redos and typing', () => {
  const operation = (...what: Operation['do'][]): fc.Arbitrary<Operation> =>
    fc.record({ do: fc.constantFrom(...what), at: fc.nat(255) });
  const stories = (...what: Operation['do'][]) =>
    fc.tuple(threeTexts, fc.array(operation(...what), { minLength: 1, maxLength: 12 }));

  test('no line that the user typed is lost, and lines keep their order', () => {
    const all = stories('accept', 'accept', 'undo', 'redo', 'type', 'drop');
    fc.assert(
      fc.property(all, ([{ base, agent }, operations]) => {
        const story = new Story(base, agent);
        let typed: string[] = [];
        operations.forEach((operation, index) => {
          const isTyping = operation.do === 'type' || operation.do === 'drop';
          const before = story.user;
          story.play(operation, `typed ${index}\n`);
          const now = story.user.split('\n').filter((line) => line.startsWith('typed'));
          if (isTyping) typed = now;
          else expect(now, `${operation.do} of ${JSON.stringify(before)}`).toEqual(typed);
        });
      }),
      { numRuns: 6000 },
    );
  });

  test('where nobody types, undoing all restores the text, and redoing all what it was', () => {
    fc.assert(
      fc.property(stories('accept', 'accept', 'undo', 'redo'), ([{ base, agent }, operations]) => {
        const story = new Story(base, agent);
        for (const operation of operations) story.play(operation, '');
        const times = operations.length + 1;
        for (let i = 0; i < times; i++) story.play({ do: 'redo', at: 0 }, '');
        const before = story.user;
        for (let i = 0; i < times; i++) story.play({ do: 'undo', at: 0 }, '');
        expect([story.user, story.applied]).toEqual([base, []]);
        for (let i = 0; i < times; i++) story.play({ do: 'redo', at: 0 }, '');
        expect([story.user, story.undone]).toEqual([before, []]);
      }),
      { numRuns: 4000 },
    );
  });
});

const textIn = (state: FileState | undefined): string | undefined => (state?.kind === 'text' ? state.text : undefined);
