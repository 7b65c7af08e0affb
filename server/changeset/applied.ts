/**
 * What an accept made of one file, and the way back and forth again: a three-way merge onto what the file holds now. The
 * user's lines win; what they stand in the way of stays as it is, and is named.
 */
import { type FileState, gitMode, sameState } from './file-state.ts';
import type { Block } from './hunks.ts';
import { applyLineEdits, byteOrderMark, sameButEnds, splitLines, withoutMark } from './lines.ts';
import { lineEdits } from './outcome.ts';
import { type Placement, rebase } from './rebase.ts';
import type { FileOutcome, LineEdit } from './review-types.ts';

export type AppliedBlock = Block & { hunk?: string };

/** From `before` to `after`, of which `from` is where `before` was. A move and a mode go with the first of the blocks. */
export type AppliedChange = {
  path: string;
  from?: string;
  before: FileState;
  after: FileState;
  /** Accepted with it; `path` as the review has it. */
  hunks: readonly { id: string; path: string }[];
  /** All that differs in the lines of two texts; without it a change is taken as a whole. */
  blocks?: readonly AppliedBlock[];
};

export type Direction = 'back' | 'forth';

export type Carried = {
  /** What is to be written, if anything. */
  outcome?: FileOutcome;
  /** The parts that are done with it, and those that stay as they were. */
  done?: AppliedChange;
  left?: AppliedChange;
  /** Of what is left: why. */
  reason?: string;
};

export const sameLines = 'the same lines were changed since; your text was kept';

export function appliedChange({ path, from, before, after, edits, hunks }: FileOutcome): AppliedChange {
  let shift = 0;
  const blocks = edits.map(({ line, deleteCount, lines, hunk }): AppliedBlock => {
    const block = { oldLine: line, oldCount: deleteCount, newLine: line + shift, newCount: lines.length };
    shift += lines.length - deleteCount;
    return hunk === undefined ? block : { ...block, hunk };
  });
  const areLines = before.kind === 'text' && after.kind === 'text' && (blocks.length > 0 || before.text === after.text);
  return {
    path,
    ...(from === undefined ? {} : { from }),
    before,
    after,
    hunks: hunks.map((id) => ({ id, path })),
    ...(areLines ? { blocks } : {}),
  };
}

/** An editor may put its own line ends and final newline into a text: the way back starts from what it has made of it. */
export function asShown(change: AppliedChange, side: 'before' | 'after', text: string | undefined): AppliedChange {
  const state = change[side];
  if (text === undefined || state.kind !== 'text' || !sameButEnds(text, state.text)) return change;
  const mark = state.text.startsWith(byteOrderMark) ? byteOrderMark : '';
  const { blocks, ...whole } = { ...change, [side]: { ...state, text: mark + withoutMark(text) } };
  // Nothing and an empty line differ in nothing but a line end, and are not as many lines.
  const areLines = blocks && (text === '') === (state.text === '');
  return areLines ? { ...whole, blocks } : whole;
}

/** Where the file is now, and where it goes. */
export function placesOf({ path, from = path }: AppliedChange, direction: Direction): { source: string; goal: string } {
  return direction === 'back' ? { source: path, goal: from } : { source: from, goal: path };
}

/** `now`: what is at the source as the user has it; `there`: what is at the goal, where that is another path. */
export function carry(change: AppliedChange, direction: Direction, now: FileState, there: FileState): Carried {
  const { source, goal } = placesOf(change, direction);
  const [start, end] = direction === 'back' ? [change.after, change.before] : [change.before, change.after];
  const moves = source !== goal;
  if (moves ? now.kind === 'absent' && sameState(there, end) : sameState(now, end)) return { done: change };
  if (moves && there.kind !== 'absent') return { left: change, reason: `there is a ${goal} by now` };
  const written = (after: FileState, edits: readonly LineEdit[]): { outcome?: FileOutcome } => {
    if (!moves && sameState(now, after)) return {};
    const from = moves ? { from: source } : {};
    const restores = direction === 'back' ? { restores: true as const } : {};
    return { outcome: { path: goal, ...from, before: now, after, edits, hunks: [], ...restores } };
  };
  if (sameState(now, start)) {
    const edits = now.kind === 'text' && end.kind === 'text' ? lineEdits(now.text, end.text) : [];
    return { ...written(withModeOf(now, start, end), edits), done: change };
  }
  if (now.kind !== 'text' || start.kind !== 'text' || end.kind !== 'text' || !change.blocks) {
    return { left: change, reason: now.kind === 'absent' ? 'it is gone since' : 'it was changed since' };
  }
  const lines = splitLines(now.text);
  const placed = placements(change.blocks, direction, { start: start.text, end: end.text, lines });
  const stuck = stuckWith(change.blocks, placed);
  const { text, edits } = merged(
    lines,
    placed.filter((_, block) => !stuck[block]),
  );
  const after = withModeOf(now, start, { ...end, text });
  if (!stuck.includes(true)) return { ...written(after, edits), done: change };
  // Where it is not known whose the blocks are, half of them can't be told from the other.
  const areNamed = change.blocks.every(({ hunk }) => hunk !== undefined);
  if (!stuck.includes(false) || !areNamed) return { left: change, reason: sameLines };
  const { first, second } = split(change, (block) => stuck[block] === (direction === 'back'));
  // On the way back the move and the mode come last, on the way forth they come first.
  if (direction === 'forth') return { ...written(after, edits), done: first, left: second, reason: sameLines };
  const partly: FileOutcome = { path: source, before: now, after: { ...now, text }, edits, hunks: [] };
  return { ...(edits.length > 0 ? { outcome: partly } : {}), done: second, left: first, reason: sameLines };
}

/** A mode that was not changed from start to end is the user's as it is now. */
function withModeOf(now: FileState, start: FileState, end: FileState): FileState {
  const haveModes = 'mode' in now && 'mode' in start && 'mode' in end;
  return haveModes && gitMode(start.mode) === gitMode(end.mode) ? { ...end, mode: now.mode } : end;
}

type Placed = Placement & { lines: readonly string[] };

function placements(
  blocks: readonly AppliedBlock[],
  direction: Direction,
  { start, end, lines }: { start: string; end: string; lines: readonly string[] },
): Placed[] {
  const directed = direction === 'forth' ? blocks : blocks.map(reversed);
  const endLines = splitLines(end);
  return rebase(splitLines(start), endLines, lines, directed).map((placement, index) => {
    const { newLine = 0, newCount = 0 } = directed[index] ?? {};
    return { ...placement, lines: endLines.slice(newLine, newLine + newCount) };
  });
}

const reversed = ({ oldLine, oldCount, newLine, newCount }: Block): Block => ({
  oldLine: newLine,
  oldCount: newCount,
  newLine: oldLine,
  newCount: oldCount,
});

/** A hunk that consists of several blocks goes as a whole or not at all. */
function stuckWith(blocks: readonly AppliedBlock[], placed: readonly Placement[]): boolean[] {
  const isStuck = blocks.map((_, block) => placed[block]?.kind === 'conflict');
  const hunks = new Set(blocks.flatMap(({ hunk }, block) => (isStuck[block] && hunk !== undefined ? [hunk] : [])));
  return blocks.map(({ hunk }, block) => isStuck[block] === true || (hunk !== undefined && hunks.has(hunk)));
}

function merged(lines: readonly string[], placed: readonly Placed[]): { text: string; edits: LineEdit[] } {
  const edits = placed
    .filter(({ kind }) => kind === 'apart')
    .map(({ line, count, lines }) => ({ line, deleteCount: count, lines }));
  return { text: applyLineEdits(lines, edits), edits };
}

/** One change as two that follow each other. Hunks that have no lines are of the first, as the move and the mode are. */
function split(
  change: AppliedChange,
  isFirst: (block: number) => boolean,
): { first: AppliedChange; second: AppliedChange } {
  const { path, before, after, hunks, blocks = [] } = change;
  if (before.kind !== 'text' || after.kind !== 'text') throw new Error(`${path} has no lines to be split by`);
  const newLines = splitLines(after.text);
  const edits: LineEdit[] = [];
  const firstBlocks: AppliedBlock[] = [];
  const secondBlocks: AppliedBlock[] = [];
  let shift = 0;
  blocks.forEach((block, index) => {
    const middleLine = block.oldLine + shift;
    if (!isFirst(index)) {
      secondBlocks.push({ ...block, oldLine: middleLine });
      return;
    }
    const lines = newLines.slice(block.newLine, block.newLine + block.newCount);
    edits.push({ line: block.oldLine, deleteCount: block.oldCount, lines });
    firstBlocks.push({ ...block, newLine: middleLine });
    shift += block.newCount - block.oldCount;
  });
  const middle: FileState = { ...after, text: applyLineEdits(splitLines(before.text), edits) };
  const ofSecond = new Set(secondBlocks.map(({ hunk }) => hunk));
  return {
    first: { ...change, after: middle, hunks: hunks.filter(({ id }) => !ofSecond.has(id)), blocks: firstBlocks },
    second: { path, before: middle, after, hunks: hunks.filter(({ id }) => ofSecond.has(id)), blocks: secondBlocks },
  };
}
