/** Turns at once, and those that wait. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as tick } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Slots } from '../../server/task/slots.ts';
import { asked, gate, patch, say, script, scriptWhen, shell } from '../support/model.ts';
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
            .then((slot) => {
              waiting.delete(id);
              if (!slot) return;
              inside.push({ max: now.max, free: slot.free });
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
  const slot = await slots.take(1, never, () => {});
  slot?.free();
  await slots.take(1, never, () => {});
  slot?.free();
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

test('who is away for a while leaves the slot to others, and comes back before those that were never in', async () => {
  const slots = new Slots();
  const order: string[] = [];
  const told: number[][] = [];
  const full = (...numbers: number[]) => told.push(numbers);
  const answers = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const [first, second] = [await slots.take(2, never, full), await slots.take(2, never, full)];
  const away = [first, second].map((slot, index) =>
    slot?.away(() => answers[index]?.promise ?? Promise.reject()).then(() => order.push(`back ${index}`)),
  );
  const others = [await slots.take(2, never, full), await slots.take(2, never, full)];
  void slots.take(2, never, full).then((slot) => order.push(slot ? 'late' : 'none'));
  for (const { resolve } of answers) resolve();
  await tick();
  expect(told).toEqual([
    [2, 0],
    [2, 0],
    [2, 1],
  ]);
  others[0]?.free();
  await away[0];
  first?.free();
  await away[1];
  expect(order).toEqual(['back 0', 'back 1']);
  second?.free();
  await tick();
  expect(order).toEqual(['back 0', 'back 1', 'late']);
});

test('who is stopped while away holds no slot, and what went wrong there is told', async () => {
  const slots = new Slots();
  const stop = new AbortController();
  const slot = await slots.take(1, stop.signal, () => {});
  const asking = slot?.away(() => Promise.reject(new Error('nobody answers')));
  stop.abort();
  await expect(asking).rejects.toThrow('nobody answers');
  slot?.free();
  const next = await slots.take(1, never, () => expect.unreachable());
  let isIn = false;
  void slots.take(1, never, () => {}).then(() => (isIn = true));
  await tick();
  expect(isIn).toBe(false);
  next?.free();
  await expect.poll(() => isIn).toBe(true);
});

test('who is freed while it waits to come back takes no slot with it; of two that it is away for, the last counts', async () => {
  const slots = new Slots();
  const slot = await slots.take(1, never, () => {});
  const [one, two] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const away = [one, two].map(({ promise }) => slot?.away(() => promise));
  one.resolve();
  await away[0];
  const other = await slots.take(1, never, () => expect.unreachable());
  two.resolve();
  await tick();
  slot?.free();
  other?.free();
  await away[1];
  expect(await slots.take(1, never, () => expect.unreachable())).toBeDefined();
});

test('a turn that waits for an answer keeps no other from running', async () => {
  await using bench = await openBench({
    files: { 'b.txt': 'b\n' },
    script: [
      scriptWhen(
        asked('first'),
        shell('true', { network: { hosts: ['example.org'], reason: 'to look' } }),
        say('Done.'),
      ),
      scriptWhen(asked('second'), patch('b.txt', '-b', '+B'), say('Done too.')),
    ],
    settings: (settings) => ({ ...settings, limits: { ...settings.limits, parallelTurns: 1 } }),
  });
  const first = await bench.start('first');
  const { approval } = await bench.event('approvalRequested');
  expect((await bench.run('second')).end.status).toBe('completed');
  await bench.tasks.approve({ approvalId: approval.approvalId, decision: 'decline' }, diskFace);
  const isFirsts = (one: (typeof bench.events)[number]) =>
    one.threadId === first.threadId && one.event.type === 'turnCompleted';
  await expect.poll(() => bench.events.find(isFirsts)?.event).toMatchObject({ status: 'completed' });
});
