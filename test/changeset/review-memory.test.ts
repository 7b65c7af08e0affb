/** A review that remembers the one before is the review that remembers nothing, and makes only what has changed. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { FileState } from '../../server/changeset/file-state.ts';
import { reviewInSteps, reviewOf } from '../../server/changeset/review.ts';
import { ReviewMemory } from '../../server/changeset/review-memory.ts';
import type { CopyChange, Decisions, Review } from '../../server/changeset/review-types.ts';
import { absent, changesOf, link, text, words } from './states.ts';

function remembered(
  memory: ReviewMemory,
  changes: readonly CopyChange[],
  user: ReadonlyMap<string, FileState>,
  decisions: Decisions = new Map(),
): Review {
  const steps = reviewInSteps(changes, user, decisions, memory);
  for (let step = steps.next(); ; step = steps.next()) if (step.done) return step.value;
}

const states: FileState[] = [
  absent,
  text(words('a b c d e f g')),
  text(words('a B c d e f g')),
  text(words('a b c d e F g h')),
  text(words('a B c d e F g h')),
  text(words('x a b c d e f g'), 0o755),
  link('../out'),
];
const state = fc.constantFrom(...states);
const paths = ['a', 'b', 'sub/c'];
const side = fc.tuple(state, state, state);
const step = fc.record({ base: side, agent: side, user: side, isAgents: fc.boolean(), decided: fc.nat(6) });

const mapped = (side: readonly FileState[]): Map<string, FileState> =>
  new Map(paths.map((path, index) => [path, side[index] ?? absent]));

test('whatever changes between two reviews: renames, decisions, modes, links', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 2, maxLength: 8 }), (steps) => {
      const memory = new ReviewMemory();
      let changes: CopyChange[] = [];
      const decisions = new Map<string, 'accepted' | 'rejected'>();
      for (const { base, agent, user, isAgents, decided } of steps) {
        if (isAgents || changes.length === 0) {
          changes = changesOf(Object.fromEntries(mapped(base)), Object.fromEntries(mapped(agent)));
        }
        const expected = reviewOf(changes, mapped(user), decisions);
        expect(remembered(memory, changes, mapped(user), decisions)).toEqual(expected);
        const hunks = expected.files.flatMap((file) => file.hunks);
        const hunk = hunks[decided % Math.max(1, hunks.length)];
        if (hunk && decisions.has(hunk.id)) decisions.delete(hunk.id);
        else if (hunk) decisions.set(hunk.id, decided % 2 ? 'accepted' : 'rejected');
      }
    }),
    { numRuns: 1_000 },
  );
});

const three = changesOf(
  { a: text(words('a b c')), b: text(words('d e f')), c: text(words('g h i')) },
  { a: text(words('a B c')), b: text(words('d E f')), c: text(words('g H i')) },
);
const asBefore = new Map(
  three.map(({ path, base }): [string, FileState] => [path, base === 'unknown' ? absent : base]),
);

test('what did not change is the very same, also beside what did', () => {
  const memory = new ReviewMemory();
  const first = remembered(memory, three, asBefore);
  const typed = new Map(asBefore).set('b', text(words('d e f g')));
  const second = remembered(memory, three, typed);
  expect(second.files.map((file, index) => file === first.files[index])).toEqual([true, false, true]);
});

test('a decision makes only its own file anew', () => {
  const memory = new ReviewMemory();
  const first = remembered(memory, three, asBefore);
  const id = first.files[2]?.hunks[0]?.id ?? '';
  const second = remembered(memory, three, asBefore, new Map([[id, 'rejected' as const]]));
  expect(second.files.map((file, index) => file === first.files[index])).toEqual([true, true, false]);
  expect(second.files[2]?.hunks[0]?.status).toBe('rejected');
});

test('others may have their turn after each file', () => {
  const steps = [...reviewInSteps(three, asBefore, new Map(), new ReviewMemory())];
  expect(steps.length).toBeGreaterThanOrEqual(three.length);
});
