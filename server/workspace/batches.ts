/** Many small reads at once, but not all. */
const atOnce = 32;

/** In the order given, a batch after the other; `size`: of a batch, more where little is done for each. */
export async function inBatches<T>(
  items: readonly T[],
  run: (item: T) => Promise<unknown>,
  { size = atOnce }: { size?: number } = {},
): Promise<void> {
  for (let at = 0; at < items.length; at += size) await Promise.all(items.slice(at, at + size).map(run));
}

/**
 * For work that goes down a tree: what there is room for runs at once, the rest in turn. Answers or throws when all that
 * was begun has ended; after a failure nothing more begins.
 */
export function spreading(): <T>(items: readonly T[], run: (item: T) => Promise<unknown>) => Promise<void> {
  let free = atOnce;
  return async (items, run) => {
    const failures: unknown[] = [];
    const begin = (item: (typeof items)[number]) => run(item).catch((error: unknown) => failures.push(error));
    const running = new Set<Promise<unknown>>();
    for (const item of items) {
      if (failures.length > 0) break;
      if (free === 0) {
        await begin(item);
        continue;
      }
      free -= 1;
      const one = begin(item).finally(() => {
        free += 1;
        running.delete(one);
      });
      running.add(one);
    }
    await Promise.all(running);
    if (failures.length > 0) throw failures[0];
  };
}
