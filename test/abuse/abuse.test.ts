/**
 * The abuse suite: every family of cases, as root (where we are) and as an ordinary user. Each command shows that it ran,
 * each is looked at from outside, and each has a control: without the sandbox, the same look finds what is wrong.
 */
import { afterAll, describe, expect, test } from 'vitest';
import { isRoot } from '../sandbox/users.ts';
import { cases } from './cases.ts';
import { makeCgroups } from './cgroups.ts';
import { always, problemsOf } from './checks.ts';
import { playCase, playControl } from './play.ts';
import { families } from './types.ts';

const players = isRoot ? (['root', 'user'] as const) : (['user'] as const);
const cgroups = makeCgroups();
afterAll(() => cgroups.remove());

const timeoutMs = 150_000;

const start = (output: string): string => output.slice(0, 1_000);

describe.each(cases)('%s', (_, table) => {
  for (const player of players) {
    test.concurrent.each(table)(`$name, as ${player}`, { timeout: timeoutMs, meta: { abuse: player } }, async (one) => {
      const seen = await playCase(one, { asRoot: player === 'root', cgroups: cgroups.joins });
      const problems = problemsOf([...always, ...(one.verify ?? [])], seen);
      if (problems.length > 0) throw new Error(JSON.stringify({ problems, said: seen.outputs.map(start) }, null, 2));
      const { changes = seen.changes } = one;
      const some = changes.indexOf('…');
      const shown = some === -1 ? seen.changes : [...seen.changes.slice(0, some), '…'];
      expect(shown).toEqual(changes);
    });
  }

  test.concurrent.each(table)('$name: its control fails the check', { timeout: timeoutMs }, async (one) => {
    const problems = problemsOf([...always, ...(one.verify ?? [])], await playControl(one));
    expect(problems.filter((problem) => 'harm' in problem)).not.toEqual([]);
  });
});

test('every family has its cases, each with a name of its own', () => {
  const named = cases.flatMap(([, table]) => table.map(({ name }) => name));
  expect(new Set(named).size).toBe(named.length);
  expect(families.filter((family) => !cases.some(([of, table]) => of === family && table.length > 5))).toEqual([]);
  expect(named.length).toBeGreaterThan(100);
});
