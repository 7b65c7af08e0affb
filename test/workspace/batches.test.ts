/** Work that goes down a tree, as much at once as there is room for. */
import { setImmediate as breathe } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { spreading } from '../../server/workspace/batches.ts';

const children = (path: string): string[] => Array.from({ length: 6 }, (_, index) => `${path}${index}`);

test('every item of a tree is visited once, after it all below it, and never too many at a time', async () => {
  const spread = spreading();
  const visited: string[] = [];
  let atWork = 0;
  let most = 0;
  const visit = async (path: string): Promise<void> => {
    if (path.length < 4) await spread(children(path), visit);
    else {
      atWork += 1;
      most = Math.max(most, atWork);
      await breathe();
      atWork -= 1;
    }
    visited.push(path);
  };
  await spread(children(''), visit);
  expect(visited.length).toBe(6 + 36 + 216 + 1296);
  expect(new Set(visited).size).toBe(visited.length);
  const below = children('0').map((path) => visited.indexOf(path));
  expect(visited.indexOf('0')).toBeGreaterThan(Math.max(...below));
  expect(most).toBeGreaterThan(8);
  expect(most).toBeLessThan(64);
});

test('after a failure nothing more begins, and it comes when what was begun has ended', async () => {
  const spread = spreading();
  const begun: number[] = [];
  const ended: number[] = [];
  const items = Array.from({ length: 200 }, (_, index) => index);
  const all = spread(items, async (item) => {
    begun.push(item);
    await breathe();
    if (item === 3) throw new Error('the fourth');
    await breathe();
    ended.push(item);
  });
  await expect(all).rejects.toThrow('the fourth');
  expect(ended.length).toBe(begun.length - 1);
  expect(begun.length).toBeLessThan(200);
});
