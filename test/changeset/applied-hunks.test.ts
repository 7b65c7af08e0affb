/** Whose the blocks of an applied change are, where edits and hunks are not the same things. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type AppliedChange, appliedChange, asShown, carry } from '../../server/changeset/applied.ts';
import { editedOutcomes } from '../../server/changeset/edited-outcome.ts';
import type { FileState } from '../../server/changeset/file-state.ts';
import { applyLineEdits, splitLines } from '../../server/changeset/lines.ts';
import { acceptOutcomes } from '../../server/changeset/outcome.ts';
import { reviewDocument } from '../../server/changeset/review-document.ts';
import type { FileOutcome } from '../../server/changeset/review-types.ts';
import { absent, contentsOf, type Files, idsOf, review, text, threeTexts, words } from './states.ts';

const heading = { title: 'x', threadId: 't1' };
const wide = 'a b c d e f g h i j k l m n o p q r s t';

function only(outcomes: readonly FileOutcome[]): FileOutcome {
  const [outcome, ...rest] = outcomes;
  if (!outcome || rest.length > 0) throw new Error(`${outcomes.length} outcomes`);
  return outcome;
}

test('put over together with a pending hunk: the hunk that is taken back is the one whose text goes', () => {
  const user: Files = { f: text(words('a X c d e f g')) };
  const reviewed = review({ f: text(words('a b c d e f g')) }, { f: text(words('a B c d e F g')) }, user);
  const [conflicting = ''] = idsOf(reviewed, 'conflicting');
  const ids = new Set([conflicting, ...idsOf(reviewed)]);
  const change = appliedChange(only(acceptOutcomes(reviewed, ids, { overMine: true })));
  const carried = carry(change, 'back', text(words('a B c d e FF g')), absent);
  expect(carried.outcome?.after).toMatchObject({ text: words('a X c d e FF g') });
  expect(carried.done?.hunks.map(({ id }) => id)).toEqual([conflicting]);
});

test('of an edited review, half is taken back only where it is known which half', () => {
  const base: Files = { f: text(words(wide)) };
  const agent: Files = { f: text(words(wide.replace('b', 'B').replace('s', 'S'))) };
  const reviewed = review(base, agent, base);
  const contents = contentsOf(base, agent);
  const written = reviewDocument(reviewed, heading, contents);
  const applied = (edited: string) =>
    appliedChange(only(editedOutcomes(reviewed, { text: edited, written }, contents).outcomes));
  const [first] = idsOf(reviewed);
  const known = applied(written.replace('\n d\n', '\n dd\n'));
  const typed = text(words('a B c dd e f g h i j k l m n o p q r SS t'));
  expect(carry(known, 'back', typed, absent).done?.hunks.map(({ id }) => id)).toEqual([first]);
  const unknown = applied(written.replace('\n d\n', '\n dd\n').replace('\n-s\n+S\n', '\n s\n'));
  const carried = carry(unknown, 'back', text(words('a B c ddd e f g h i j k l m n o p q r s t')), absent);
  expect(carried.done).toBeUndefined();
  expect(carried.outcome).toBeUndefined();
});

test('a rename that was rejected is neither shown in the document nor made by it', () => {
  const base: Files = { o: text(words(wide)) };
  const agent: Files = { n: text(words(wide.replace('b', 'B'))) };
  const conflict = review(base, agent, { o: text(words(wide.replace('b', 'X'))) });
  const rename = conflict.files[0]?.hunks.find(({ oldLines }) => oldLines.length === 0)?.id ?? '';
  const reviewed = review(base, agent, base, new Map([[rename, 'rejected' as const]]));
  const contents = contentsOf(base, agent);
  const written = reviewDocument(reviewed, heading, contents);
  expect(written).not.toContain('rename');
  const made = only(editedOutcomes(reviewed, { text: written, written }, contents).outcomes);
  expect(made).toMatchObject({ path: 'o', hunks: idsOf(reviewed) });
  expect(made.from).toBeUndefined();
});

/** Its parts follow each other, and each hunk is of one of them, with all of its blocks. */
function assertParted(change: AppliedChange, first: AppliedChange, second: AppliedChange): void {
  const texts = [change.before, first.before, first.after, second.before, second.after, change.after];
  const [start, before, after, begun, ended, end] = texts.map((state) => (state.kind === 'text' ? state.text : ''));
  expect([before, after, ended]).toEqual([start, begun, end]);
  const ids = [first, second].map(({ hunks }) => hunks.map(({ id }) => id));
  expect(ids.flat().toSorted()).toEqual(change.hunks.map(({ id }) => id).toSorted());
  for (const [part, own] of [
    [first, ids[0]],
    [second, ids[1]],
  ] as const) {
    for (const { hunk = '' } of part.blocks ?? []) expect(own).toContain(hunk);
    const lines = part.after.kind === 'text' ? splitLines(part.after.text) : [];
    const edits = (part.blocks ?? []).map(({ oldLine, oldCount, newLine, newCount }) => ({
      line: oldLine,
      deleteCount: oldCount,
      lines: lines.slice(newLine, newLine + newCount),
    }));
    expect(applyLineEdits(part.before.kind === 'text' ? splitLines(part.before.text) : [], edits)).toBe(lines.join(''));
  }
}

/** Of few lines, so that it is often not known which is which. */
const few = fc.array(fc.constantFrom('a\n', 'b\n', 'c\n'), { maxLength: 9 }).map((lines) => lines.join(''));
const repeating = fc.record({ base: few, agent: few, user: few });

const typing = fc.array(fc.record({ at: fc.nat(20), drop: fc.nat(2), isNew: fc.boolean() }), { maxLength: 3 });

function typedInto(state: FileState, edits: readonly { at: number; drop: number; isNew: boolean }[]): FileState {
  if (state.kind !== 'text') return state;
  const lines = splitLines(state.text);
  edits.forEach(({ at, drop, isNew }, index) => {
    lines.splice(Math.min(at, lines.length), drop, ...(isNew ? [`typed ${index}\n`] : []));
  });
  return { ...state, text: lines.join('') };
}

test('put over or not, typed in or not: what is taken back and what is left make up the change, hunk by hunk', () => {
  let [whole, parted] = [0, 0];
  const taken = fc.array(fc.boolean(), { minLength: 30, maxLength: 30 });
  fc.assert(
    fc.property(fc.oneof(threeTexts, repeating), taken, typing, ({ base, agent, user }, isTaken, edits) => {
      const reviewed = review({ f: text(base) }, { f: text(agent, 0o755) }, { f: text(user) });
      const hunks = [...idsOf(reviewed), ...idsOf(reviewed, 'conflicting')].filter((_, index) => isTaken[index]);
      const [outcome] = acceptOutcomes(reviewed, new Set(hunks), { overMine: true });
      if (!outcome) return;
      const change = appliedChange(outcome);
      expect(carry(change, 'back', change.after, absent)).toMatchObject({ done: change });
      const now = typedInto(change.after, edits);
      const { done, left, outcome: written } = carry(change, 'back', now, absent);
      if (written) expect(written.before).toEqual(now);
      if (!done || !left) {
        whole += 1;
        return;
      }
      parted += 1;
      assertParted(change, left, done);
      const alone = new Set(left.hunks.map(({ id }) => id));
      const [accepted] = acceptOutcomes(reviewed, alone, { overMine: true });
      expect(accepted?.after).toEqual({ ...left.after, mode: 0o755 });
    }),
    { numRuns: 3000 },
  );
  expect(Math.min(whole, parted)).toBeGreaterThan(100);
});

test('a mode that goes along does not keep the hunks from being told apart', () => {
  const agent = text(words('A b c d E'), 0o755);
  const reviewed = review({ f: text(words('a b c d e')) }, { f: agent }, { f: text(words('x b c d y')) });
  const conflicting = idsOf(reviewed, 'conflicting');
  const ids = new Set([...idsOf(reviewed), ...conflicting]);
  expect(ids.size).toBe(3);
  const change = appliedChange(only(acceptOutcomes(reviewed, ids, { overMine: true })));
  const { done, outcome } = carry(change, 'back', text(words('mine b c d E'), 0o755), absent);
  expect(outcome?.after).toEqual(text(words('mine b c d y'), 0o755));
  expect(done?.hunks.map(({ id }) => id)).toEqual(conflicting.slice(1));
});

test('a hunk of several blocks is taken back as a whole or not at all', () => {
  const named = (at: number, hunk: string) => ({ oldLine: at, oldCount: 1, newLine: at, newCount: 1, hunk });
  const change: AppliedChange = {
    path: 'f',
    before: text(words('a b c d e f g')),
    after: text(words('A b C d E f g')),
    hunks: ['1', '2'].map((id) => ({ id, path: 'f' })),
    blocks: [named(0, '1'), named(2, '1'), named(4, '2')],
  };
  const { done, left, outcome } = carry(change, 'back', text(words('mine b C d E f g')), absent);
  expect(outcome?.after).toEqual(text(words('mine b C d e f g')));
  expect([done?.hunks, left?.hunks]).toEqual([[{ id: '2', path: 'f' }], [{ id: '1', path: 'f' }]]);
});

test('a file that an editor shows with a line that it does not have goes back as a whole', () => {
  const reviewed = review({ f: text('a\n') }, { f: text('') });
  const applied = appliedChange(only(acceptOutcomes(reviewed, new Set(idsOf(reviewed)))));
  const shown = asShown(applied, 'after', '\n');
  expect(carry(shown, 'back', text('\n'), absent).outcome?.after).toEqual(text('a\n'));
  expect(carry(shown, 'back', text('mine\n'), absent)).toEqual({ left: shown, reason: 'it was changed since' });
});
