/** Which texts of a review are never split into lines: a copy may hold far more of them than memory holds lines. */
import type { FileState } from './file-state.ts';

/** Lines of one text of the base or the agent. The user's may mix both. */
const fileLinesMax = 500_000;
/** Of all texts of a review together: just enough for one file with as many lines as it may have on every side. */
const reviewLinesMax = 4 * fileLinesMax;
const reviewBytesMax = 64 * 1024 ** 2;

type Sides = { path: string; base: FileState | 'unknown'; agent: FileState; user: FileState };
export type Cost = { lines: number; bytes: number };

/**
 * The changes that have to be shown whole: those beyond a limit, and, where all together are beyond one, the largest.
 * The user's text counts as at least that of base and agent together, so accepting a hunk makes no file too large.
 */
export function tooLargeChanges<Change extends Sides>(
  changes: readonly Change[],
  cost: (change: Change) => Cost | undefined = costOf,
): Set<Change> {
  const tooLarge = new Set<Change>();
  const costed: { change: Change; cost: Cost }[] = [];
  for (const change of changes) {
    const known = cost(change);
    if (known) costed.push({ change, cost: known });
    else tooLarge.add(change);
  }
  costed.sort((a, b) => weight(a.cost) - weight(b.cost) || (a.change.path < b.change.path ? -1 : 1));
  const left = { lines: reviewLinesMax, bytes: reviewBytesMax };
  for (const { change, cost } of costed) {
    if (cost.lines > left.lines || cost.bytes > left.bytes) {
      tooLarge.add(change);
      continue;
    }
    left.lines -= cost.lines;
    left.bytes -= cost.bytes;
  }
  return tooLarge;
}

/** Whether texts can be compared line by line. */
export const areComparable = (...texts: readonly string[]): boolean =>
  texts.every((text) => text.length <= reviewBytesMax && countLines(text, fileLinesMax) <= fileLinesMax);

const weight = ({ lines, bytes }: Cost): number => lines / reviewLinesMax + bytes / reviewBytesMax;

/** Undefined: too large by itself. A change of a text's mode alone is free: its lines are never asked for. */
export function costOf({ base, agent, user }: Sides): Cost | undefined {
  const start = base === 'unknown' ? user : base;
  if (start.kind === 'text' && agent.kind === 'text' && start.text === agent.text) return { lines: 0, bytes: 0 };
  const [before, after, now] = [textOf(start), textOf(agent), textOf(user)];
  const bytes = Buffer.byteLength(before) + Buffer.byteLength(after);
  const allBytes = bytes + Math.max(bytes, Buffer.byteLength(now));
  if (allBytes > reviewBytesMax) return undefined;
  const counts = [countLines(before, fileLinesMax), countLines(after, fileLinesMax)] as const;
  const lines = counts[0] + counts[1];
  const userLines = now === before ? counts[0] : now === after ? counts[1] : countLines(now, 2 * fileLinesMax);
  if (Math.max(...counts) > fileLinesMax || userLines > 2 * fileLinesMax) return undefined;
  return { lines: lines + Math.max(lines, userLines), bytes: allBytes };
}

const textOf = (state: FileState): string => (state.kind === 'text' ? state.text : '');

/** As many lines as `splitLines` makes; counts no further than one beyond `linesMax`. */
export function countLines(text: string, linesMax = Number.POSITIVE_INFINITY): number {
  let lines = 0;
  let done = 0;
  const nextOf = (end: string, from: number): number => {
    const at = text.indexOf(end, from);
    return at < 0 ? text.length : at;
  };
  let lf = nextOf('\n', 0);
  let cr = nextOf('\r', 0);
  while (done < text.length && lines <= linesMax) {
    lines++;
    done = Math.min(lf, cr) + (cr + 1 === lf ? 2 : 1);
    if (lf < done) lf = nextOf('\n', done);
    if (cr < done) cr = nextOf('\r', done);
  }
  return lines;
}
