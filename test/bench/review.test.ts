/** The benchmark of the review runs, on little; what it says of time is judged where nothing else runs. */
import { expect, test } from 'vitest';
import { measureAccept } from './measure-review.ts';
import { measureTyping } from './measure-typing.ts';
import { isOver, most, reportOf, rowsOf } from './review.ts';

test('hunks are reviewed and accepted on disk and by an editor, typed beside, and what was found is said', async () => {
  const size = { files: 6, hunksInFile: 3 };
  const [onDisk, inEditor] = [await measureAccept(size, 'disk'), await measureAccept(size, 'editor')];
  const typed = await measureTyping({ lines: 1_000, hunks: 20, keystrokes: 60 });
  const rows = rowsOf(onDisk, inEditor, typed);
  for (const { ms } of rows) expect(ms).toBeGreaterThan(0);
  expect(rows[0]?.ms).toBeCloseTo(onDisk.review.cpuMs + onDisk.accept.cpuMs);
  expect(reportOf(rows, [onDisk, inEditor])).toMatch(/^keystroke, p99 +[\d.]+ +1( {2}over)?$/m);
});

test('a second for a thousand hunks, a millisecond for a keystroke; what is over is said', () => {
  expect(most).toEqual({ acceptMs: 1_000, keystrokeMs: 1, codeActionMs: 10 });
  const cost = (cpuMs: number) => ({ cpuMs, clockMs: 2 * cpuMs });
  const accepted = (cpuMs: number) => ({ review: cost(cpuMs), again: cost(1), accept: cost(cpuMs) });
  const spread = (p99Ms: number) => ({ medianMs: 0.1, p99Ms, mostMs: p99Ms });
  const rows = rowsOf(accepted(499), accepted(501), { keystroke: spread(1.5), codeActions: spread(9) });
  expect(rows.filter(isOver).map(({ what }) => what)).toEqual(['review and accept, by an editor', 'keystroke, p99']);
  const report = reportOf(rows, [accepted(499), accepted(501)]);
  expect(report.match(/ {2}over$/gm)).toHaveLength(2);
  expect(report).toContain('on disk 1996 ms, by an editor 2004 ms');
  expect(isOver({ what: 'nothing measured', ms: Number.NaN, mostMs: 1 })).toBe(true);
});
