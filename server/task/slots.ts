/** At most so many at once; the rest wait in order. Each says how many it accepts, for limits belong to connections. */
type Waiting = { max: number; enter: () => void };
/** Told where it must wait: how many run, and how many wait before it. */
type Full = (running: number, before: number) => void;

export type Slot = {
  free(): void;
  /** Runs without the slot, which others may have meanwhile; then waits for one before all that were never in. */
  away<T>(run: () => Promise<T>): Promise<T>;
};

export class Slots {
  #taken = 0;
  #queue: readonly Waiting[] = [];
  /** Of the queue, those at its head that were in before. */
  #returning = 0;

  /** Undefined where the signal fired first. */
  async take(max: number, signal: AbortSignal, full: Full): Promise<Slot | undefined> {
    if (!(await this.#enter(max, signal, full))) return undefined;
    let [isIn, isFree, away] = [true, false, 0];
    const leave = (): void => {
      if (!isIn) return;
      isIn = false;
      this.#taken -= 1;
      this.#letIn();
    };
    return {
      free: () => {
        isFree = true;
        leave();
      },
      away: async (run) => {
        away += 1;
        leave();
        try {
          return await run();
        } finally {
          away -= 1;
          // Whose signal has fired only ends, which needs no slot.
          if (away === 0 && !isFree) isIn = await this.#enter(max, signal, full, { returns: true });
          if (isFree) leave();
        }
      },
    };
  }

  /** False where the signal fired first. */
  async #enter(max: number, signal: AbortSignal, full: Full, { returns = false } = {}): Promise<boolean> {
    if (signal.aborted) return false;
    if (this.#taken < max) {
      this.#taken += 1;
      return true;
    }
    full(this.#taken, returns ? this.#returning : this.#queue.length);
    return this.#turn(max, signal, returns);
  }

  /** The first that accept so many. A slot is theirs from here on, so that nobody comes between. */
  #letIn(): void {
    for (const one of this.#queue) {
      if (this.#taken >= one.max) continue;
      this.#taken += 1;
      this.#remove(one);
      one.enter();
    }
  }

  #remove(one: Waiting): void {
    const at = this.#queue.indexOf(one);
    if (at >= 0 && at < this.#returning) this.#returning -= 1;
    this.#queue = this.#queue.filter((other) => other !== one);
  }

  #turn(max: number, signal: AbortSignal, returns: boolean): Promise<boolean> {
    return new Promise((resolve) => {
      const leave = (): void => {
        this.#remove(one);
        resolve(false);
      };
      const one: Waiting = {
        max,
        enter: () => {
          signal.removeEventListener('abort', leave);
          resolve(true);
        },
      };
      const place = returns ? this.#returning : this.#queue.length;
      this.#queue = this.#queue.toSpliced(place, 0, one);
      if (returns) this.#returning += 1;
      signal.addEventListener('abort', leave, { once: true });
    });
  }
}
