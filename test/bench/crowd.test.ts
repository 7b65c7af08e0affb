/** The benchmark of the many runs, on few; its numbers are judged where nothing else runs. */
import { expect, test } from 'vitest';
import { measureCrowd, reportOf } from './crowd.ts';

test('threads of earlier turns are listed to an attached editor, and more editors come; what it cost is said', async () => {
  const found = await measureCrowd({ threads: 120, connections: 5 });
  expect(found.initializeMs).toBeGreaterThan(0);
  expect(found.statusMs).toBeGreaterThan(0);
  expect(found.memoryMiB).toBeGreaterThan(20);
  expect(reportOf(found)).toMatch(/^codex\/status, ms +[\d.]+ +50/m);
  expect(reportOf({ ...found, statusMs: 51 })).toMatch(/^codex\/status, ms .*over$/m);
});
