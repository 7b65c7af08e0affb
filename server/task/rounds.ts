/**
 * Work that holds the event loop up for some milliseconds: one piece in each of its rounds, however many turns run, so that
 * what an editor asks meanwhile waits for one of them and not for all.
 */

const waiting: (() => void)[] = [];

/** Resolves when it is the caller's turn, in the order of the calls. */
export function nextRound(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    if (waiting.length === 1) setImmediate(letOneRun);
  });
}

function letOneRun(): void {
  waiting[0]?.();
  waiting.shift();
  // What the editors have sent by then is heard before the next.
  if (waiting.length > 0) setImmediate(letOneRun);
}
