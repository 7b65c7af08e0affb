/** Whether a host is still of use: somebody is connected, or a turn runs. */
import type { Tasks } from '../task/tasks.ts';

const firstGuestMs = 5_000;

/** `over` resolves when nobody was there and nothing ran for `idleMs`. */
export function idleWatch(tasks: Tasks, idleMs: number): { over: Promise<void>; enter(): () => void } {
  const { promise: over, resolve } = Promise.withResolvers<void>();
  let guests = 0;
  let timer: NodeJS.Timeout | undefined;
  const look = (): void => {
    clearTimeout(timer);
    if (guests > 0 || tasks.isBusy()) return;
    timer = setTimeout(() => (tasks.isBusy() ? look() : resolve()), idleMs);
  };
  // The end is told before the turn is put away.
  tasks.onIdle(look);
  // Whoever started it has not come yet.
  timer = setTimeout(look, firstGuestMs);
  return {
    over,
    enter() {
      guests += 1;
      clearTimeout(timer);
      return () => {
        guests -= 1;
        look();
      };
    },
  };
}
