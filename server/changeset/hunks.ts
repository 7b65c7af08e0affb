/**
 * The changed blocks between two texts: maximal, so that at least one unchanged line stands between two of them.
 *
 * Lines that are unique on both sides anchor the comparison (patience); what is left between anchors goes to Myers'
 * algorithm. The limit is in steps, not in time, because hunk ids must not depend on how busy the machine is.
 */
import { diffArrays } from 'diff';
import { slideBlocks } from './hunk-slide.ts';

/** `oldCount` lines from `oldLine` on gave way to `newCount` lines from `newLine` on. All 0-based. */
export type Block = { oldLine: number; oldCount: number; newLine: number; newCount: number };

/** Myers' algorithm takes about edits² steps; beyond this many in one comparison, the rest is compared no further. */
const diffStepsMax = 2_000_000;
const anchorDepthMax = 8;

export function changedBlocks(oldLines: readonly string[], newLines: readonly string[]): Block[] {
  // What a person has typed lies between long common ends: these are only looked at.
  const most = Math.min(oldLines.length, newLines.length);
  let head = 0;
  while (head < most && oldLines[head] === newLines[head]) head++;
  let tail = 0;
  while (tail < most - head && oldLines[oldLines.length - 1 - tail] === newLines[newLines.length - 1 - tail]) tail++;
  const numbers = new Map<string, number>();
  const sides: Sides = {
    old: numbered(oldLines.slice(head, oldLines.length - tail), numbers),
    new: numbered(newLines.slice(head, newLines.length - tail), numbers),
    stepsLeft: diffStepsMax,
  };
  const blocks: Block[] = [];
  compare(sides, { oldLo: 0, oldHi: sides.old.length, newLo: 0, newHi: sides.new.length }, 0, blocks);
  for (const block of blocks) {
    block.oldLine += head;
    block.newLine += head;
  }
  return slideBlocks(blocks, oldLines, newLines);
}

type Sides = { old: readonly number[]; new: readonly number[]; stepsLeft: number };
type Region = { oldLo: number; oldHi: number; newLo: number; newHi: number };

function numbered(lines: readonly string[], numbers: Map<string, number>): number[] {
  return lines.map((line) => {
    const known = numbers.get(line);
    if (known !== undefined) return known;
    numbers.set(line, numbers.size);
    return numbers.size - 1;
  });
}

function compare(sides: Sides, whole: Region, depth: number, blocks: Block[]): void {
  const region = withoutCommonEnds(sides, whole);
  const { oldLo, oldHi, newLo, newHi } = region;
  if (oldLo === oldHi && newLo === newHi) return;
  if (oldLo === oldHi || newLo === newHi) {
    push(blocks, region);
    return;
  }
  const anchors = depth < anchorDepthMax ? uniqueAnchors(sides, region) : [];
  if (anchors.length === 0) {
    compareByEdits(sides, region, blocks);
    return;
  }
  let from = { oldLo, newLo };
  for (const anchor of anchors) {
    compare(sides, { ...from, oldHi: anchor.old, newHi: anchor.new }, depth + 1, blocks);
    from = { oldLo: anchor.old + 1, newLo: anchor.new + 1 };
  }
  compare(sides, { ...from, oldHi, newHi }, depth + 1, blocks);
}

function withoutCommonEnds(sides: Sides, { oldLo, oldHi, newLo, newHi }: Region): Region {
  while (oldLo < oldHi && newLo < newHi && sides.old[oldLo] === sides.new[newLo]) {
    oldLo++;
    newLo++;
  }
  while (oldLo < oldHi && newLo < newHi && sides.old[oldHi - 1] === sides.new[newHi - 1]) {
    oldHi--;
    newHi--;
  }
  return { oldLo, oldHi, newLo, newHi };
}

function push(blocks: Block[], { oldLo, oldHi, newLo, newHi }: Region): void {
  const last = blocks.at(-1);
  if (last && last.oldLine + last.oldCount === oldLo && last.newLine + last.newCount === newLo) {
    last.oldCount += oldHi - oldLo;
    last.newCount += newHi - newLo;
  } else {
    blocks.push({ oldLine: oldLo, oldCount: oldHi - oldLo, newLine: newLo, newCount: newHi - newLo });
  }
}

type Anchor = { old: number; new: number };

/** Pairs of lines that occur once on each side: as many as can stand in one order. */
function uniqueAnchors(sides: Sides, region: Region): Anchor[] {
  const oldAt = positions(sides.old, region.oldLo, region.oldHi);
  const newAt = positions(sides.new, region.newLo, region.newHi);
  const pairs: Anchor[] = [];
  for (const [line, at] of oldAt) {
    const other = newAt.get(line);
    if (at >= 0 && other !== undefined && other >= 0) pairs.push({ old: at, new: other });
  }
  return longestAscending(pairs);
}

/** Where each line stands; -1 for one that stands there more than once. In order of first appearance. */
function positions(lines: readonly number[], lo: number, hi: number): Map<number, number> {
  const at = new Map<number, number>();
  for (let i = lo; i < hi; i++) {
    const line = lines[i];
    if (line !== undefined) at.set(line, at.has(line) ? -1 : i);
  }
  return at;
}

/** `pairs` ascend by `old`; the longest subsequence that ascends by `new` as well. */
function longestAscending(pairs: readonly Anchor[]): Anchor[] {
  type Card = Anchor & { before: Card | undefined };
  const piles: Card[] = [];
  for (const pair of pairs) {
    let lo = 0;
    let hi = piles.length;
    while (lo < hi) {
      const middle = (lo + hi) >> 1;
      const top = piles[middle];
      if (top && top.new < pair.new) lo = middle + 1;
      else hi = middle;
    }
    piles[lo] = { ...pair, before: piles[lo - 1] };
  }
  const longest: Anchor[] = [];
  for (let card = piles.at(-1); card; card = card.before) longest.push({ old: card.old, new: card.new });
  return longest.reverse();
}

function compareByEdits(sides: Sides, region: Region, blocks: Block[]): void {
  const { oldLo, oldHi, newLo, newHi } = region;
  const maxEditLength = Math.floor(Math.sqrt(sides.stepsLeft));
  const changes = diffArrays(sides.old.slice(oldLo, oldHi), sides.new.slice(newLo, newHi), { maxEditLength });
  if (!changes) {
    sides.stepsLeft -= maxEditLength ** 2;
    push(blocks, region);
    return;
  }
  let edits = 0;
  let oldAt = oldLo;
  let newAt = newLo;
  for (const { added, removed, count } of changes) {
    const oldEnd = added ? oldAt : oldAt + count;
    const newEnd = removed ? newAt : newAt + count;
    if (added || removed) {
      push(blocks, { oldLo: oldAt, oldHi: oldEnd, newLo: newAt, newHi: newEnd });
      edits += count;
    }
    oldAt = oldEnd;
    newAt = newEnd;
  }
  sides.stepsLeft = Math.max(0, sides.stepsLeft - edits ** 2);
}
