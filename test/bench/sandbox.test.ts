/** The benchmark runs, on a small repository and few rounds; what it says of time is not judged here. */
import { expect, test } from 'vitest';
import { isRoot } from '../sandbox/users.ts';
import { measureOver } from './measure.ts';
import { measureAsUser, ratioMax, rowsOf } from './sandbox.ts';

test('it measures plain and sandboxed runs, and says what it found', async () => {
  const measured = await measureOver(300, 3);
  expect(measured.plain.medianMs).toBeGreaterThan(0);
  expect(measured.sandboxed.medianMs).toBeGreaterThan(measured.plain.medianMs);
  expect(measured.ratio).toBeCloseTo(measured.sandboxed.medianMs / measured.plain.medianMs);
  expect(rowsOf([['user', measured]])).toMatch(/^user +[\d.]+ \/ [\d.]+ +[\d.]+ \/ [\d.]+ +[\d.]+ +8$/m);
});

test.runIf(isRoot)('it measures an ordinary user by a process of theirs', () => {
  const { sandboxed, ratio } = measureAsUser(200, 2);
  expect(sandboxed.p90Ms).toBeGreaterThan(0);
  expect(ratio).toBeGreaterThan(1);
});

test('a sandboxed command may cost eight plain ones, and ten as root', () =>
  expect(ratioMax).toEqual({ user: 8, root: 10 }));
