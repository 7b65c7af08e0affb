/**
 * kill -9 at random moments of a whole story: `CRASH_KILLS` times (25), by `CRASH_SEED`. One round is played again by the
 * seed that its failure names: `CRASH_KILLS=1 CRASH_SEED=…`.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { checkAftermath } from './aftermath.ts';
import { type Bench, openCrashBench } from './bench.ts';
import { choose, type Length, startClock, type Victim, victims } from './choice.ts';
import { decode } from './on-disk.ts';
import { play, steps, type Told } from './steps.ts';
import { asBefore } from './story.ts';

const kills = Number(process.env.CRASH_KILLS ?? 25);
const firstSeed = Number(process.env.CRASH_SEED ?? Math.floor(Math.random() * 1e9));
const seeds = Array.from({ length: kills }, (_, index) => firstSeed + index);

const lengths = new Map<Victim, Length>();

describe('the story', () => {
  beforeAll(async () => {
    for (const victim of ['server', 'host'] as const) lengths.set(victim, await wholeStory(victim));
    lengths.set('editor', lengths.get('host') ?? { ms: 0, events: 0, changes: 0 });
  }, 120_000);

  test.each(seeds)(
    'survives a kill (CRASH_SEED=%i)',
    async (seed) => {
      const longest = lengths.get('server') ?? { ms: 0, events: 0, changes: 0 };
      const { victim } = choose(seed, longest);
      const { moment } = choose(seed, lengths.get(victim) ?? longest);
      await using bench = await openCrashBench();
      const told: Told = { done: new Set() };
      const what = `${victim} at ${JSON.stringify(moment)}`;
      try {
        await killedStory(bench, victim, moment, told);
        await checkAftermath(bench, victim, told);
      } catch (error) {
        throw new Error(
          `seed ${seed}: ${what}, after ${[...told.done].at(-1) ?? 'nothing'}: ${String(error)}\n${logOf(bench)}`,
          {
            cause: error,
          },
        );
      }
    },
    90_000,
  );

  test('knows every victim', () => {
    const seen = new Set(
      Array.from({ length: 50 }, (_, seed) => choose(seed, { ms: 1, events: 1, changes: 1 }).victim),
    );
    expect([...seen].toSorted()).toEqual([...victims].toSorted());
  });
});

const logOf = ({ workspace }: Bench): string => {
  const path = join(workspace.stateDir, 'server.log');
  return existsSync(path) ? readFileSync(path, 'utf8').slice(-2_000) : '';
};

/** Resolves when the victim is gone; where the story was over before, it goes at its end. */
async function killedStory(
  bench: Bench,
  victim: Victim,
  moment: ReturnType<typeof choose>['moment'],
  told: Told,
): Promise<void> {
  await using attached = await bench.attach(victim);
  const { editor } = attached;
  let isKilled = false;
  const kill = (): void => {
    if (!isKilled) bench.kill(victim, editor);
    isKilled = true;
  };
  const clock = startClock(editor, bench.workspace.root, moment, kill);
  await play(editor, told, clock.begins).finally(() => clock.stop());
  kill();
  await editor.program.ended;
}

/** Nobody is killed: how long it takes, and that it ends as it should. */
async function wholeStory(victim: Victim): Promise<Length> {
  await using bench = await openCrashBench();
  const told: Told = { done: new Set() };
  await using attached = await bench.attach(victim);
  const clock = startClock(attached.editor, bench.workspace.root, undefined, () => {});
  await play(attached.editor, told, clock.begins);
  clock.stop();
  expect([...told.done]).toEqual(steps.map(({ name }) => name));
  expect(decode(bench.workspace.root)).toEqual({ ...asBefore, first: 1, open: 1, later: 1, other: 1 });
  return clock.seen;
}
