/** Long work that is done in steps lets others in between: an editor's keystroke never waits for all of it. */

import { nextRound } from './rounds.ts';

const sliceMs = 5;

/** Runs the steps to their end; between two of them, after some milliseconds of work, everybody else has a turn. */
export async function inSlices<T>(steps: Generator<void, T>): Promise<T> {
  let since = performance.now();
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    if (performance.now() - since < sliceMs) continue;
    await nextRound();
    since = performance.now();
  }
}
