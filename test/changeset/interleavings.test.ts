/** What must hold however the user's typing, the agent's turns, decisions and undos follow each other. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type AppliedChange, placesOf } from '../../server/changeset/applied.ts';
import { absent, type FileState } from '../../server/changeset/file-state.ts';
import type { Review, ReviewFile, ReviewHunk } from '../../server/changeset/review-types.ts';
import { assertSound, type CarriedFile, isWhole, PlayedThread, tokensIn, undecided } from './played-thread.ts';
import { binary, idsOf, link, text } from './states.ts';
import { repeatingText, type TextEdit, textEdit, uniqueText } from './typed-text.ts';

/** In all at least 10,000 a run. */
const interleavings = 5000;
const timeoutMs = 120_000;
/** Another one each time; one that is given in the environment plays the same again. */
const seed = Number(process.env.CODEX_LSP_TEST_SEED ?? Date.now() % 2 ** 31);

type Kind =
  | 'userEdits'
  | 'userFile'
  | 'agentEdits'
  | 'agentFile'
  | 'accept'
  | 'overMine'
  | 'asEdited'
  | 'reject'
  | 'undo'
  | 'redo'
  | 'nextTurn';
type Move = { kind: Kind; path: string; edits: TextEdit[]; pick: number };

const weights: Readonly<Record<Kind, number>> = {
  userEdits: 6,
  agentEdits: 6,
  accept: 4,
  overMine: 1,
  asEdited: 2,
  reject: 2,
  undo: 3,
  redo: 2,
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
      if (unique && !isMoveRejected(review)) expect(undecided(thread.review())).toEqual(undecided(review));
      if (unique || idsOf(review, 'conflicting').length === 0) {
        // What is accepted by a redo counts as accepted with the mode, also with one that the agent made only after it.
        const shown = redone.has(thread) ? withoutModes : same;
        expect(shown(allAccepted(thread))).toEqual(shown(end));
      }
      break;
    }
    case 'asEdited':
      playAsEdited(thread, review, edits, pick);
      break;
    case 'undo':
    case 'redo':
      if (kind === 'redo') redone.add(thread);
      playCarry(thread, kind, unique);
      break;
  }
  if (isAgents || kind === 'reject' || kind === 'nextTurn') expect(thread.snapshot()).toEqual(files);
  assertSound(thread.review());
}

/** Threads in which something was done again. */
const redone = new WeakSet<PlayedThread>();
const same = (files: ReadonlyMap<string, FileState>) => files;
const withoutModes = (files: ReadonlyMap<string, FileState>): ReadonlyMap<string, FileState> =>
  new Map([...files].map(([path, state]) => [path, state.kind === 'text' ? { ...state, mode: 0 } : state]));

/** Such a file stays at its old path, and the ids of its hunks are made of the path. */
const isMoveRejected = ({ files }: Review): boolean =>
  files.some(
    ({ from, hunks }) => from !== undefined && hunks.some((hunk) => isWhole(hunk) && hunk.status === 'rejected'),
  );

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
  expectThereAndBack(thread, files, review);
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
  expectThereAndBack(thread, files, review);
}

/** What the document says is applied: what it shows as removed goes, and nothing else of the user's. */
function playAsEdited(thread: PlayedThread, review: Review, edits: readonly TextEdit[], pick: number): void {
  const written = thread.document();
  const isUnchanged = isDocumentKept(pick);
  const text = isUnchanged ? written : editedDocument(written, edits, pick);
  if (isUnchanged) {
    const [accepted, asWritten] = [thread.branch(), thread.branch()];
    accepted.accept(idsOf({ files: review.files.filter(({ sensitive }) => sensitive === undefined) }));
    for (const { reason } of asWritten.applyAsEdited(written, written).failed) expect(reason).toContain('left out');
    expect(asWritten.snapshot()).toEqual(accepted.snapshot());
  } else if (isTypedMeanwhile(pick)) {
    for (const edit of edits.slice(0, 1)) thread.userEdits('f', edit);
  }
  const files = thread.snapshot();
  const found = thread.review();
  const typed = thread.typed();
  const { outcomes } = thread.applyAsEdited(text, written);
  const kept = new Set(text.split('\n').filter((line) => !line.startsWith('-')));
  const removed = [...written.split('\n'), ...text.split('\n')].filter((line) => !kept.has(line)).join('');
  const taken = new Set(outcomes.flatMap(({ hunks }) => hunks));
  const wholes = found.files.flatMap((file) =>
    file.hunks.filter((hunk) => taken.has(hunk.id) && isWhole(hunk)).flatMap(shownBy(file)),
  );
  const left = thread.typed();
  for (const token of typed) if (!left.has(token)) expect(removed + wholes.join('')).toContain(token);
  if (outcomes.length > 0) expectThereAndBack(thread, files, found);
}

/** What was just applied, undone, and redone: exactly what was before it, and what is now. */
function expectThereAndBack(thread: PlayedThread, before: ReadonlyMap<string, FileState>, review: Review): void {
  const branch = thread.branch();
  expect(isCertainlyWhole(branch.carry('undo'))).toBe(true);
  expect(branch.snapshot()).toEqual(before);
  expect(undecided(branch.review())).toEqual(undecided(review));
  expect(isCertainlyWhole(branch.carry('redo'))).toBe(true);
  expect(branch.snapshot()).toEqual(thread.snapshot());
  expect(undecided(branch.review())).toEqual(undecided(thread.review()));
}

/** Where the user typed nothing: all that was applied, undone to the end, and redone. */
function expectAllThereAndBack(thread: PlayedThread, files: Readonly<Record<string, string>>): void {
  while (thread.carry('redo').length > 0) {}
  const end = thread.snapshot();
  while (thread.carry('undo').length > 0) {}
  expect(thread.snapshot()).toEqual(new PlayedThread(files).snapshot());
  while (thread.carry('redo').length > 0) {}
  expect(thread.snapshot()).toEqual(end);
}

const isUsers = ({ kind, pick }: Move): boolean =>
  kind === 'userEdits' || kind === 'userFile' || (kind === 'asEdited' && isTypedMeanwhile(pick));

/** The document is applied as it was written; or the user types between the writing and the applying. */
const isDocumentKept = (pick: number): boolean => pick % 4 === 0;
const isTypedMeanwhile = (pick: number): boolean => !isDocumentKept(pick) && pick % 3 === 0;

const isCertainlyWhole = (carried: readonly CarriedFile[]): boolean => carried.every(({ left }) => !left);

/** Of the user's, an undo or redo takes what the apply itself had brought or taken; and the other way restores it. */
function playCarry(thread: PlayedThread, what: 'undo' | 'redo', unique: boolean): void {
  const files = thread.snapshot();
  const typed = thread.typed();
  const carried = thread.carry(what);
  const left = thread.typed();
  const taken = carried.flatMap(({ done }) => (done ? goneWith(done, what) : []));
  for (const token of typed) if (!left.has(token)) expect(taken).toContain(token);
  if (unique) for (const { done } of carried) if (done) expectDone(thread, done, what);
  if (!carried.some(({ done }) => done) || !unique || !carried.every(wroteAll)) return;
  const branch = thread.branch();
  expect(isCertainlyWhole(branch.carry(what === 'undo' ? 'redo' : 'undo'))).toBe(true);
  expect(branch.snapshot()).toEqual(files);
}

/** Marks of the user and the agent that the change takes away. */
function goneWith({ before, after }: AppliedChange, what: 'undo' | 'redo'): string[] {
  const [start, end] = (what === 'undo' ? [after, before] : [before, after]).map(marksIn);
  return (start ?? []).filter((mark) => !end?.includes(mark));
}

/** What is told as done is so: what the change takes away is gone, and what it brings is there. */
function expectDone(thread: PlayedThread, change: AppliedChange, what: 'undo' | 'redo'): void {
  const { goal } = placesOf(change, what === 'undo' ? 'back' : 'forth');
  const marks = marksIn(thread.at(goal));
  for (const mark of goneWith(change, what)) expect(marks).not.toContain(mark);
  expect(marks).toEqual(expect.arrayContaining(goneWith(change, what === 'undo' ? 'redo' : 'undo')));
}

const marksIn = (state: FileState): string[] =>
  state.kind === 'text' ? (state.text.match(/⟦u\d+⟧|«[ae][\d.]+»/g) ?? []) : [];

/** Nothing of it was in the user's text already. */
const wroteAll = ({ done, outcome }: CarriedFile): boolean =>
  !done || (outcome !== undefined && (done.blocks === undefined || outcome.edits.length === done.blocks.length));

/** Lines that were added or stand around are changed, removed and joined by others; hunks are taken out. */
function editedDocument(written: string, edits: readonly TextEdit[], pick: number): string {
  const lines = written.split('\n');
  const from = lines.findIndex((line) => line.startsWith('diff --git '));
  const isBody = (line: string, at: number): boolean => at > from && /^[+ ](?!\+\+ )/.test(line);
  edits.forEach(({ how, at }, index) => {
    const bodies = lines.flatMap((line, place) => (from >= 0 && isBody(line, place) ? [place] : []));
    const place = bodies[at % Math.max(1, bodies.length)];
    if (place === undefined) return;
    const line = lines[place] ?? '';
    const mark = `«e${pick}.${index}»`;
    if (how === 'insertLine' || how === 'copyLines') lines.splice(place, 0, `+${mark}`);
    else if (how === 'deleteLines') lines.splice(place, 1, ...(line.startsWith('+') ? [] : [`-${line.slice(1)}`]));
    else if (how === 'deleteAll') lines.splice(place, hunkEnd(lines, place) - place);
    else lines.splice(place, 1, line.slice(0, 1) + mark + line.slice(1));
  });
  return lines.join('\n');
}

const hunkEnd = (lines: readonly string[], place: number): number => {
  const next = lines.findIndex((line, at) => at > place && /^(?:@@|diff --git )/.test(line));
  return next < 0 ? lines.length : next;
};

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
  ])(`$name, CODEX_LSP_TEST_SEED=${seed}`, { timeout: timeoutMs }, ({ texts, unique }) => {
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
          if (!moves.some(isUsers)) expectAllThereAndBack(thread, files);
        },
      ),
      { numRuns: interleavings, seed },
    );
  });
});
