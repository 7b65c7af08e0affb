/**
 * A block that only adds or only removes lines can often slide: `a }+ b }` and `a + } b }` are the same change. This
 * puts it where a person would cut, and the same change at the same place whatever else differs. Compare git's
 * indent heuristic (xdiffi.c).
 */
import type { Block } from './hunks.ts';

const slidesMax = 1000;

/** The same blocks, each moved to its best place between its neighbours; an unchanged line still parts any two. */
export function slideBlocks(
  blocks: readonly Block[],
  oldLines: readonly string[],
  newLines: readonly string[],
): Block[] {
  const slid: Block[] = [];
  blocks.forEach((block, index) => {
    if (block.oldCount > 0 && block.newCount > 0) {
      slid.push(block);
      return;
    }
    const before = slid.at(-1);
    const after = blocks[index + 1];
    const adds = block.oldCount === 0;
    const lines = adds ? newLines : oldLines;
    const start = adds ? block.newLine : block.oldLine;
    const count = adds ? block.newCount : block.oldCount;
    const lo = before ? (adds ? before.newLine + before.newCount : before.oldLine + before.oldCount) + 1 : 0;
    const hi = after ? (adds ? after.newLine : after.oldLine) - 1 : lines.length;
    const by = bestSlide(lines, start, count, lo, hi);
    slid.push({ ...block, oldLine: block.oldLine + by, newLine: block.newLine + by });
  });
  return slid;
}

/** How far the `count` lines from `start` on should move, staying within `lo`..`hi`. */
function bestSlide(lines: readonly string[], start: number, count: number, lo: number, hi: number): number {
  let up = 0;
  while (up < slidesMax && start - up > lo && lines[start - up - 1] === lines[start - up + count - 1]) up++;
  let down = 0;
  while (down < slidesMax && start + down + count < hi && lines[start + down] === lines[start + down + count]) down++;
  let best = 0;
  let bestPenalty = Number.POSITIVE_INFINITY;
  for (let by = -up; by <= down; by++) {
    const penalty = cutPenalty(lines, start + by) + cutPenalty(lines, start + by + count);
    if (penalty <= bestPenalty) {
      best = by;
      bestPenalty = penalty;
    }
  }
  return best;
}

/** How bad it reads to cut before line `at`: best at an end of the text, or after a blank line at little indentation. */
function cutPenalty(lines: readonly string[], at: number): number {
  const line = lines[at];
  const before = lines[at - 1];
  if (line === undefined || before === undefined) return 0;
  const text = line.trimStart();
  const afterText = before.trim() === '' ? 0 : 5;
  if (text === '') return 4 + afterText;
  const indent = Math.min(line.length - text.length, 40);
  return indent + afterText + (/^(?:[})\]]|end\b|<\/)/.test(text) ? 6 : 0);
}
