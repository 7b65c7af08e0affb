/** What must hold however the user's typing, the agent's turns, decisions and undos follow each other. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { absent, type FileState } from '../../server/changeset/file-state.ts';
import type { Review, ReviewFile, ReviewHunk } from '../../server/changeset/review-types.ts';
import { assertSound, isWhole, PlayedThread, tokensIn, undecided } from './played-thread.ts';
import { binary, idsOf, link, text } from './states.ts';
import { repeatingText, type TextEdit, textEdit, uniqueText } from './typed-text.ts';

/** In all at least 10,000 a run. */
const interleavings = 5000;
const timeoutMs = 120_000;

type Kind =
  | 'userEdits'
  | 'userFile'
  | 'agentEdits'
  | 'agentFile'
  | 'accept'
  | 'overMine'
  | 'reject'
  | 'undo'
  | 'nextTurn';
type Move = { kind: Kind; path: string; edits: TextEdit[]; pick: number };

const weights: Readonly<Record<Kind, number>> = {
  userEdits: 6,
  agentEdits: 6,
  accept: 4,
  overMine: 1,
  reject: 2,
  undo: 2,
  nextTurn: 2,
  userFile: 1,
  agentFile: 1,
};
const kind = fc.oneof(
  ...Object.keys(weights)
    .filter((name): name is Kind => Object.hasOwn(weights, name))
    .map((name) => ({ weight: weights[name], arbitrary: fc.constant(name) })),
);
const moveWith = (edit: fc.Arbitrary<TextEdit>): fc.Arbitrary<Move> =>
  fc.record({
    kind,
    path: fc.constantFrom('f', 'f', 'f', 'g'),
    edits: fc.array(edit, { minLength: 1, maxLength: 5 }),
    pick: fc.nat({ max: 255 }),
  });

/** What a file may become beside another text; a folder in its place is no file. */
const shapesOf = (now: FileState): readonly FileState[] => [
  absent,
  link('elsewhere'),
  binary('1'),
  now.kind === 'text' ? { ...now, mode: 0o755 } : text(''),
];

/** Every eighth bit of `pick` says whether a hunk is chosen; 0: all. */
const chosen = (ids: readonly string[], pick: number): string[] =>
  pick === 0 ? [...ids] : ids.filter((_, index) => (pick >> (index % 8)) & 1);

/** The move, and what must hold of it. `unique`: no line occurs twice, so that there is one way only to see a change. */
function play(thread: PlayedThread, { kind, path, edits, pick }: Move, unique: boolean): void {
  const isAgents = kind === 'agentEdits' || kind === 'agentFile';
  if (isAgents && !thread.isRunning) play(thread, { kind: 'nextTurn', path, edits, pick }, unique);
  const files = thread.snapshot();
  const review = thread.review();
  const other = path === 'f' ? 'g' : 'f';
  const shapes = shapesOf(isAgents ? thread.agentOf(path) : thread.at(path));
  const shape = shapes[pick % (shapes.length + 1)];
  switch (kind) {
    case 'userEdits':
      for (const edit of edits.slice(0, 2)) thread.userEdits(path, edit);
      break;
    case 'userFile':
      if (shape) thread.userDoes(path, shape);
      else thread.userRenames(path, other);
      break;
    case 'agentEdits':
      for (const edit of edits) thread.agentEdits(path, edit);
      break;
    case 'agentFile':
      if (shape) thread.agentDoes(path, shape);
      else thread.agentRenames(path, other);
      break;
    case 'accept':
      playAccept(thread, review, chosen(idsOf(review), pick), unique || thread.isUntouched());
      break;
    case 'overMine':
      playOverMine(thread, review, chosen(idsOf(review, 'conflicting'), pick), unique);
      break;
    case 'reject': {
      const ids = chosen([...idsOf(review), ...idsOf(review, 'conflicting')], pick);
      thread.reject(ids);
      expect(undecided(thread.review())).toEqual(without(undecided(review), ids));
      break;
    }
    case 'nextTurn': {
      const end = allAccepted(thread);
      thread.nextTurn();
      // Where lines repeat and the user has changed them, the same texts may be cut into other hunks.
      if (unique) expect(undecided(thread.review())).toEqual(undecided(review));
      if (unique || idsOf(review, 'conflicting').length === 0) expect(allAccepted(thread)).toEqual(end);
      break;
    }
    case 'undo':
      thread.undo();
      break;
  }
  if (isAgents || kind === 'reject' || kind === 'nextTurn') expect(thread.snapshot()).toEqual(files);
  assertSound(thread.review());
}

/**
 * What the user typed goes only with a hunk that showed it, and the way back is exact. `isCertain`: it can be told what
 * the user did; then all other hunks stay as they were, and one by one comes to the same as all at once.
 */
function playAccept(thread: PlayedThread, review: Review, ids: readonly string[], isCertain: boolean): void {
  const files = thread.snapshot();
  const typed = thread.typed();
  const oneByOne = thread.branch();
  thread.accept(ids);
  const shown = review.files.flatMap((file) => file.hunks.filter(({ id }) => ids.includes(id)).flatMap(shownBy(file)));
  const left = thread.typed();
  for (const token of typed) if (!left.has(token)) expect(shown.join('')).toContain(token);
  if (isCertain) {
    expect(undecided(thread.review())).toEqual(without(undecided(review), ids));
    for (const id of [...ids].sort()) oneByOne.accept([id]);
    expect(oneByOne.snapshot()).toEqual(thread.snapshot());
  }
  if (ids.length === 0) return;
  const undone = thread.branch();
  expect(undone.undo()).toBe(true);
  expect(undone.snapshot()).toEqual(files);
  expect(undecided(undone.review())).toEqual(undecided(review));
}

/** The user's lines go only where a hunk has shown that it would replace them, and come back exactly. */
function playOverMine(thread: PlayedThread, review: Review, ids: readonly string[], unique: boolean): void {
  const files = thread.snapshot();
  const typed = thread.typed();
  thread.accept(ids);
  expect(thread.snapshot()).toEqual(files);
  thread.accept(ids, true);
  const shown = review.files.flatMap((file) =>
    file.hunks.filter(({ id }) => ids.includes(id)).flatMap(inTheWayOf(file)),
  );
  const left = thread.typed();
  for (const token of typed) if (!left.has(token)) expect(shown.join('')).toContain(token);
  const conflicts = idsOf(thread.review(), 'conflicting').filter((id) => ids.includes(id));
  if (unique) expect(conflicts).toEqual([]);
  if (conflicts.length === ids.length) return;
  const undone = thread.branch();
  expect(undone.undo()).toBe(true);
  expect(undone.snapshot()).toEqual(files);
  expect(undecided(undone.review())).toEqual(undecided(review));
}

const inTheWayOf =
  ({ user }: ReviewFile) =>
  ({ userLines = [], insteadLines }: ReviewHunk): readonly string[] =>
    insteadLines ? userLines : tokensIn(user);

const shownBy =
  ({ user }: ReviewFile) =>
  (hunk: ReviewHunk): readonly string[] =>
    isWhole(hunk) ? tokensIn(user) : hunk.oldLines;

const without = (entries: readonly string[], ids: readonly string[]): string[] =>
  entries.filter((entry) => !ids.some((id) => entry.startsWith(id)));

function allAccepted(thread: PlayedThread): ReadonlyMap<string, FileState> {
  const branch = thread.branch();
  branch.accept(idsOf(branch.review()));
  return branch.snapshot();
}

describe('however typing, turns, decisions and undos follow each other', () => {
  test.each([
    { name: 'lines that are unique', texts: uniqueText, unique: true },
    { name: 'lines that repeat, with mixed ends', texts: repeatingText, unique: false },
  ])('$name', { timeout: timeoutMs }, ({ texts, unique }) => {
    const edit = unique ? textEdit.filter(({ how }) => how !== 'copyLines') : textEdit;
    fc.assert(
      fc.property(
        fc.record({ f: texts, g: texts }),
        fc.array(edit, { minLength: 3, maxLength: 6 }),
        fc.array(moveWith(edit), { minLength: 6, maxLength: 12, size: 'max' }),
        (files, first, moves) => {
          const thread = new PlayedThread(files);
          play(thread, { kind: 'agentEdits', path: 'f', edits: first, pick: 0 }, unique);
          for (const move of moves) play(thread, move, unique);
        },
      ),
      { numRuns: interleavings },
    );
  });
});
