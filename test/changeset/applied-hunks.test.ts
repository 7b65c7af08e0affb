/** Whose the blocks of an applied change are, where edits and hunks are not the same things. */
import { expect, test } from 'vitest';
import { appliedChange, carry } from '../../server/changeset/applied.ts';
import { editedOutcomes } from '../../server/changeset/edited-outcome.ts';
import { acceptOutcomes } from '../../server/changeset/outcome.ts';
import { reviewDocument } from '../../server/changeset/review-document.ts';
import type { FileOutcome } from '../../server/changeset/review-types.ts';
import { absent, contentsOf, type Files, idsOf, review, text, words } from './states.ts';

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
