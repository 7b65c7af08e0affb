/** Turns at once, and those that wait. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as tick } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Slots } from '../../server/task/slots.ts';
import { asked, gate, patch, say, script, scriptWhen } from '../support/model.ts';
import { diskFace, openBench } from '../support/task.ts';

const never = new AbortController().signal;

test('never more than each accepts; those of one limit come in the order in which they asked; nobody is forgotten', async () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant('take' as const), max: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ do: fc.constantFrom('free' as const, 'leave' as const), which: fc.nat(20) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const slots = new Slots();
      const inside: { max: number; free: () => void }[] = [];
      const order = new Map<number, number[]>();
      const waiting = new Map<number, AbortController>();
      for (const [id, now] of steps.entries()) {
        if (now.do === 'take') {
          const stop = new AbortController();
          waiting.set(id, stop);
          void slots
            .take(now.max, stop.signal, () => {})
            .then((free) => {
              waiting.delete(id);
              if (!free) return;
              inside.push({ max: now.max, free });
              order.set(now.max, [...(order.get(now.max) ?? []), id]);
              expect(inside.length).toBeLessThanOrEqual(now.max);
            });
        } else if (now.do === 'free') {
          inside.splice(now.which % Math.max(1, inside.length), 1)[0]?.free();
        } else {
          [...waiting.values()][now.which % Math.max(1, waiting.size)]?.abort();
        }
        await tick();
      }
      while (inside.length > 0) {
        inside.pop()?.free();
        await tick();
      }
      expect(waiting.size).toBe(0);
      for (const ids of order.values()) expect(ids).toEqual(ids.toSorted((a, b) => a - b));
    }),
  );
});

test('freed twice is freed once', async () => {
  const slots = new Slots();
  const free = await slots.take(1, never, () => {});
  free?.();
  await slots.take(1, never, () => {});
  free?.();
  const told: number[][] = [];
  void slots.take(1, never, (...numbers) => told.push(numbers));
  void slots.take(1, never, (...numbers) => told.push(numbers));
  expect(told).toEqual([
    [1, 0],
    [1, 1],
  ]);
});

test('a turn that waits says so, holds nothing, can be cancelled, and the next one comes in its place', async () => {
  const held = gate(patch('a.txt', '-one', '+ONE'));
  await using bench = await openBench({
    files: { 'a.txt': 'one\n', 'b.txt': 'b\n' },
    script: [
      scriptWhen(asked('first'), held, say('Done.')),
      scriptWhen(asked('third'), patch('b.txt', '-b', '+B'), say('Done too.')),
      script(),
    ],
    settings: (settings) => ({ ...settings, limits: { ...settings.limits, parallelTurns: 1 } }),
  });
  const first = await bench.start('first');
  await held.arrived;
  const second = await bench.start('second');
  const third = await bench.start('third');
  const isOf = (threadId: string, type: string) => (one: (typeof bench.events)[number]) =>
    one.threadId === threadId && one.event.type === type;
  await expect
    .poll(() => bench.events.filter(({ event }) => event.type === 'warning').map(({ event }) => event))
    .toMatchObject([
      { message: expect.stringMatching(/one turn runs, .*this one is next/) },
      { message: expect.stringContaining('1 wait before this one') },
    ]);
  expect(await readdir(join(bench.workspace.stateDir, 'threads', second.threadId))).not.toContain('copy');
  expect(await bench.tasks.cancel(second.threadId)).toEqual({ status: 'interrupted' });
  await expect
    .poll(() => bench.events.find(isOf(second.threadId, 'turnCompleted'))?.event)
    .toMatchObject({ status: 'interrupted' });
  held.open();
  for (const { threadId } of [first, third]) {
    await expect
      .poll(() => bench.events.find(isOf(threadId, 'turnCompleted'))?.event, { timeout: 10_000 })
      .toMatchObject({ status: 'completed' });
    expect(await (await bench.tasks.accept(threadId, {}, diskFace)).result).toMatchObject({ failed: [] });
  }
  expect([await bench.workspace.read('a.txt'), await bench.workspace.read('b.txt')]).toEqual(['ONE\n', 'B\n']);
});
