/** Many times of one thing, as the few numbers that are told of them. */
export type Spread = { medianMs: number; p99Ms: number; mostMs: number };

export function spreadOf(times: readonly number[]): Spread {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  return { medianMs: at(0.5), p99Ms: at(0.99), mostMs: at(1) };
}
