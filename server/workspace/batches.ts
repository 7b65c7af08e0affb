/** Many small reads at once, but not all. */
const atOnce = 32;

/** In the order given, a batch after the other. */
export async function inBatches<T>(items: readonly T[], run: (item: T) => Promise<unknown>): Promise<void> {
  for (let at = 0; at < items.length; at += atOnce) await Promise.all(items.slice(at, at + atOnce).map(run));
}
