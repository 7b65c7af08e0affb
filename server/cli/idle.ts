/** Whether a host is still of use: somebody is connected, or a turn runs. */
import type { Tasks } from '../task/tasks.ts';

const firstGuestMs = 5_000;
const busyMs = 1_000;

/** `over` resolves when nobody was there and nothing ran for `idleMs`. */
export function idleWatch(tasks: Pick<Tasks, 'isBusy'>, idleMs: number): { over: Promise<void>; enter(): () => void } {
  const { promise: over, resolve } = Promise.withResolvers<void>();
  let guests = 0;
  let timer: NodeJS.Timeout | undefined;
  const lookIn = (ms: number): void => {
    clearTimeout(timer);
    timer = setTimeout(() => (tasks.isBusy() ? lookIn(Math.max(busyMs, idleMs)) : resolve()), ms);
  };
  // Whoever started it has not come yet.
  lookIn(Math.max(firstGuestMs, idleMs));
  return {
    over,
    enter() {
      guests += 1;
      clearTimeout(timer);
      return () => {
        guests -= 1;
        if (guests === 0) lookIn(idleMs);
      };
    },
  };
}
