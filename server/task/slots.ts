/** At most so many at once; the rest wait in order. */
export class Slots {
  #taken = 0;
  readonly #queue: (() => void)[] = [];

  /** Resolves with the function that frees the slot, or undefined where the signal fired first. Calls `full` if it must wait. */
  async take(max: number, signal: AbortSignal, full: () => void): Promise<(() => void) | undefined> {
    if (this.#taken >= max) full();
    while (this.#taken >= max && !signal.aborted) await this.#turn(signal);
    if (signal.aborted) {
      // It may have been woken for a slot that it does not need any more.
      if (this.#taken < max) this.#queue.shift()?.();
      return undefined;
    }
    this.#taken += 1;
    return () => {
      this.#taken -= 1;
      this.#queue.shift()?.();
    };
  }

  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const leave = () => {
        const at = this.#queue.indexOf(enter);
        if (at >= 0) this.#queue.splice(at, 1);
        resolve();
      };
      const enter = () => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      this.#queue.push(enter);
      signal.addEventListener('abort', leave, { once: true });
    });
  }
}
