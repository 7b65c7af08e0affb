/** Where hunks stand after the user typed, before the file is reviewed again: those behind a change move with it. */

/** `count` lines from `line` on gave way to others, and what stood behind them stands `shift` lines further down. */
export type LineChange = { line: number; count: number; shift: number };

/** `isTouched`: its lines, or lines next to them, were changed, so that only a review can tell what became of it. */
export type Spot = { line: number; count: number; isTouched: boolean };

/** What replacing `old` from `line` on by `now` changes: common lines at both ends are left out. */
export function lineChange(line: number, old: readonly string[], now: readonly string[]): LineChange | undefined {
  const most = Math.min(old.length, now.length);
  let head = 0;
  while (head < most && old[head] === now[head]) head++;
  if (head === old.length && head === now.length) return undefined;
  let tail = 0;
  while (tail < most - head && old[old.length - 1 - tail] === now[now.length - 1 - tail]) tail++;
  return { line: line + head, count: old.length - head - tail, shift: now.length - old.length };
}

/** A spot that only moves or stays is right: its lines are the ones it was made for. As in `rebase`, touching is enough. */
export function moveSpots<S extends Spot>(spots: readonly S[], change: LineChange): S[] {
  const end = change.line + change.count;
  return spots.map((spot) => {
    if (spot.line + spot.count < change.line) return spot;
    if (spot.line > end) return change.shift === 0 ? spot : { ...spot, line: spot.line + change.shift };
    const inNew = Math.max(change.line, end + change.shift);
    return { ...spot, line: Math.min(spot.line, inNew), isTouched: true };
  });
}
