/** Events on their way to whoever listens: in their order, each when it is written, and held back while something must come before. */
type Waiting<T> = { event: T; isReady: boolean };

export class Telling<T> {
  readonly #tell: (event: T) => void;
  #waiting: Waiting<T>[] = [];
  #holds = 0;
  #isTelling = false;

  constructor(tell: (event: T) => void) {
    this.#tell = tell;
  }

  /** When `written` has settled, however; what a listener brings about comes after what is being told. */
  tell(event: T, written?: Promise<unknown>): void {
    const one = { event, isReady: written === undefined };
    this.#waiting.push(one);
    const ready = (): void => {
      one.isReady = true;
      this.#drain();
    };
    if (written) written.then(ready, ready);
    else this.#drain();
  }

  /** Until the returned function is called; where there are several, the last of them. */
  holdBack(): () => void {
    this.#holds += 1;
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      this.#holds -= 1;
      this.#drain();
    };
  }

  #drain(): void {
    if (this.#isTelling) return;
    this.#isTelling = true;
    try {
      while (this.#holds === 0 && this.#waiting[0]?.isReady) {
        const [next] = this.#waiting.splice(0, 1);
        if (next) this.#tell(next.event);
      }
    } finally {
      this.#isTelling = false;
    }
  }
}
