/** At most so many at once; the rest wait in order. Each says how many it accepts, for limits belong to connections. */
type Waiting = { max: number; enter: () => void };

export class Slots {
  #taken = 0;
  #queue: readonly Waiting[] = [];

  /**
   * Resolves with the function that frees the slot, or undefined where the signal fired first. Where it must wait, `full` is
   * told how many run, and how many wait before it.
   */
  async take(
    max: number,
    signal: AbortSignal,
    full: (running: number, before: number) => void,
  ): Promise<(() => void) | undefined> {
    if (signal.aborted) return undefined;
    if (this.#taken < max) this.#taken += 1;
    else {
      full(this.#taken, this.#queue.length);
      if (!(await this.#turn(max, signal))) return undefined;
    }
    let isFree = false;
    return () => {
      if (isFree) return;
      isFree = true;
      this.#taken -= 1;
      this.#letIn();
    };
  }

  /** The first that accept so many. A slot is theirs from here on, so that nobody comes between. */
  #letIn(): void {
    for (const one of this.#queue) {
      if (this.#taken >= one.max) continue;
      this.#taken += 1;
      this.#queue = this.#queue.filter((other) => other !== one);
      one.enter();
    }
  }

  /** False where the signal fired first. */
  #turn(max: number, signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const leave = (): void => {
        this.#queue = this.#queue.filter((other) => other !== one);
        resolve(false);
      };
      const one: Waiting = {
        max,
        enter: () => {
          signal.removeEventListener('abort', leave);
          resolve(true);
        },
      };
      this.#queue = [...this.#queue, one];
      signal.addEventListener('abort', leave, { once: true });
    });
  }
}
