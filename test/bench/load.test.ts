/** The load test runs, on little: nothing is lost, and what was found is said. Time is judged where nothing else runs. */
import { expect, test } from 'vitest';
import { isOver, most, reportOf, rowsOf } from './load.ts';
import { type Load, measureLoad } from './measure-load.ts';

test('turns run at once while somebody types: all are completed, no event is lost, and every question is answered', async () => {
  const load = await measureLoad({ turns: 4, commands: 6, lines: 2_000, keysPerSecond: 30 });
  expect(load.problems).toEqual([]);
  expect(load.commands).toBe(24);
  expect(load.events).toBeGreaterThan(24 * 3);
  for (const times of [load.keystrokes, load.codeActions]) expect(times.length).toBeGreaterThan(5);
  expect(load.host.peakMiB).toBeGreaterThan(20);
  expect(load.host.peakMiB).toBeLessThan(most.hostMiB);
  expect(reportOf(load)).toMatch(/^keystroke, p99, ms +[\d.]+ +5 +[\d.]+/m);
}, 60_000);

test('what is over is said', () => {
  expect(most).toEqual({ codeActionMs: 20, keystrokeMs: 5, hostMiB: 250 });
  const times = (ownMs: number) => [{ ownMs, clockMs: 2 * ownMs }];
  const load: Load = {
    ...{ codeActions: times(19), keystrokes: times(6), afterKeystrokes: times(7), hovers: times(1) },
    ...{ isUndisturbed: true, seconds: 2, commands: 400, events: 2_000, problems: ['t1: after event 3 came 5'] },
    host: { peakMiB: 251, cpuMs: 1_000, loop: { p99Ms: 1, mostMs: 2 } },
  };
  expect(
    rowsOf(load)
      .filter(isOver)
      .map(({ what }) => what),
  ).toEqual(['keystroke, p99, ms', 'memory of the host at most, MiB']);
  expect(reportOf(load).match(/ {2}over$/gm)).toHaveLength(2);
  expect(reportOf(load)).toContain('after event 3 came 5');
});
