/** The benchmark of a start measures what it says, and judges it. */
import { expect, test } from 'vitest';
import { isOver, measureStarts, ratioMax, reportOf, rowsOf, ways } from './start.ts';

const mebibytes = (count: number): number => count * 1024 ** 2;

test.each([
  [ratioMax.relayMs * 100 - 1, 40, []],
  [ratioMax.relayMs * 100 + 1, 40, ['relay, to initialize']],
  [100, 40 * ratioMax.relayRss + 1, ['relay, memory']],
  [Number.NaN, 40, ['relay, to initialize']],
])('a relay of %d ms and %d MiB beside a Node of 100 ms and 40 MiB', (ms, memory, over) => {
  const medians = {
    bare: { ms: 100, rssBytes: mebibytes(40) },
    relay: { ms, rssBytes: mebibytes(memory) },
    alone: { ms: 300, rssBytes: mebibytes(80) },
  };
  const rows = rowsOf(medians);
  expect(rows.filter(isOver).map(({ what }) => what)).toEqual(over);
  expect(reportOf(rows, medians).includes('  over')).toBe(over.length > 0);
});

test('one round measures each way', async () => {
  const medians = await measureStarts(1);
  for (const way of ways) {
    expect(medians[way].ms).toBeGreaterThan(1);
    expect(medians[way].rssBytes).toBeGreaterThan(mebibytes(10));
  }
});
