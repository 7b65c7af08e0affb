/** Takes accepted blocks out of the user's text again: what is left of it against the base is what the user did. */
import { type Block, changedBlocks } from './hunks.ts';

export type Landing = {
  /** The base, with those landed blocks that could not be taken out. */
  lines: readonly string[];
  /** Where each block begins there. */
  starts: readonly number[];
  /** The user's lines without the landed blocks that could be taken out. */
  userLines: readonly string[];
  /** Where the landed blocks stand in the user's text. */
  landedAt: ReadonlyMap<number, { line: number; count: number }>;
  /** From a line of `userLines` to one of the user's text, for the start or the end of a stretch of lines. */
  fromTaken(line: number, side: 'start' | 'end'): number;
};

export function takenOut(
  base: readonly string[],
  agent: readonly string[],
  user: readonly string[],
  blocks: readonly Block[],
  landed: (block: number) => boolean,
): Landing {
  const all = withLanded(base, agent, blocks, landed);
  const isAny = blocks.some((_, index) => landed(index));
  const none = new Map<number, { line: number; count: number }>();
  if (!isAny) return { ...all, userLines: user, landedAt: none, fromTaken: (line) => line };
  const landedAt = new Map<number, { line: number; count: number }>();
  const cuts: Cut[] = [];
  const kept = new Set<number>();
  const find = finder(changedBlocks(all.lines, user));
  blocks.forEach((block, index) => {
    if (!landed(index)) return;
    const start = all.starts[index] ?? 0;
    const { isUntouched, ...place } = find(start, start + block.newCount);
    landedAt.set(index, place);
    if (isUntouched) cuts.push({ ...place, lines: base.slice(block.oldLine, block.oldLine + block.oldCount) });
    else kept.add(index);
  });
  const rest =
    kept.size === 0
      ? withLanded(base, agent, blocks, () => false)
      : withLanded(base, agent, blocks, (index) => kept.has(index));
  return { ...rest, ...without(user, cuts), landedAt };
}

/** Lines of the user's text, and what stood there before the block landed. */
type Cut = { line: number; count: number; lines: readonly string[] };

function without(user: readonly string[], cuts: readonly Cut[]): Pick<Landing, 'userLines' | 'fromTaken'> {
  const userLines: string[] = [];
  const spots: Spot[] = [];
  let done = 0;
  for (const { line, count, lines } of cuts) {
    for (; done < line; done++) userLines.push(user[done] ?? '');
    spots.push({ from: userLines.length, to: userLines.length + lines.length, line, end: line + count });
    for (const old of lines) userLines.push(old);
    done += count;
  }
  for (; done < user.length; done++) userLines.push(user[done] ?? '');
  const fromTaken = (at: number, side: 'start' | 'end'): number => {
    const spot = spots[countBefore(spots, at, side) - 1];
    if (!spot) return at;
    if (at < spot.to) return side === 'start' ? spot.line : spot.end;
    return at + spot.end - spot.to;
  };
  return { userLines, fromTaken };
}

/** A cut as lines of the text without it (`from`, `to`) and of the user's text (`line`, `end`). */
type Spot = { from: number; to: number; line: number; end: number };

/** How many of the spots, which ascend, lie before a line. One of no lines lies before a stretch that starts there. */
function countBefore(spots: readonly Spot[], at: number, side: 'start' | 'end'): number {
  const isBefore = ({ from, to }: Spot): boolean => from < at || (from === at && to === at && side === 'start');
  let lo = 0;
  let hi = spots.length;
  while (lo < hi) {
    const middle = (lo + hi) >> 1;
    const spot = spots[middle];
    if (spot && isBefore(spot)) lo = middle + 1;
    else hi = middle;
  }
  return lo;
}

type Found = { line: number; count: number; isUntouched: boolean };

/** For ascending stretches of the base: where they stand in the user's text. */
function finder(byUser: readonly Block[]): (start: number, end: number) => Found {
  let passed = 0;
  let shift = 0;
  return (start, end) => {
    for (let own = byUser[passed]; own && isPassed(own, start, end); own = byUser[++passed]) {
      shift = own.newLine + own.newCount - (own.oldLine + own.oldCount);
    }
    const within: Block[] = [];
    for (let i = passed; (byUser[i]?.oldLine ?? Number.POSITIVE_INFINITY) < end; i++) {
      const own = byUser[i];
      if (own) within.push(own);
    }
    const [first, last] = [within[0], within.at(-1)];
    if (!first || !last) return { line: start + shift, count: end - start, isUntouched: true };
    const line = Math.min(start + shift, first.newLine);
    const lastEnd = last.oldLine + last.oldCount;
    const count = Math.max(end, lastEnd) + last.newLine + last.newCount - lastEnd - line;
    return { line, count, isUntouched: false };
  };
}

/** What the user added where a block only removed lines comes after it. */
const isPassed = ({ oldLine, oldCount }: Block, start: number, end: number): boolean =>
  oldLine + oldCount <= start && !(start === end && oldLine === start);

/** The base with the landed blocks in it, and where each block begins there. */
function withLanded(
  base: readonly string[],
  agent: readonly string[],
  blocks: readonly Block[],
  landed: (block: number) => boolean,
): { lines: readonly string[]; starts: readonly number[] } {
  const lines: string[] = [];
  const starts: number[] = [];
  let done = 0;
  blocks.forEach((block, index) => {
    for (; done < block.oldLine; done++) lines.push(base[done] ?? '');
    starts.push(lines.length);
    if (!landed(index)) return;
    for (let i = 0; i < block.newCount; i++) lines.push(agent[block.newLine + i] ?? '');
    done += block.oldCount;
  });
  for (; done < base.length; done++) lines.push(base[done] ?? '');
  return { lines, starts };
}
