/** However many turns have something long to do, others have their turn after each piece of it. */
import { expect, test } from 'vitest';
import { inSlices } from '../../server/task/in-slices.ts';
import { nextRound } from '../../server/task/rounds.ts';

test('one piece a round of the event loop, in the order they were asked for', async () => {
  const done: string[] = [];
  const pieces = ['a', 'b', 'c'].map((name) => nextRound().then(() => done.push(name)));
  const round = () => new Promise((resolve) => setImmediate(resolve));
  for (const expected of ['a', 'ab', 'abc']) {
    await round();
    expect(done.join('')).toBe(expected);
  }
  await Promise.all(pieces);
  await nextRound();
});

test('what is done in slices gives way to all others after some milliseconds, not only to one', async () => {
  function* busy() {
    for (let step = 0; step < 4; step += 1) {
      const until = performance.now() + 6;
      while (performance.now() < until);
      yield;
    }
  }
  let heard = 0;
  const listening = setInterval(() => {
    heard += 1;
  }, 1);
  await Promise.all(Array.from({ length: 8 }, () => inSlices(busy())));
  clearInterval(listening);
  expect(heard).toBeGreaterThan(20);
});
