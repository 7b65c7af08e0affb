/** Events on their way to whoever listens: in their order, and held back while something must come before them. */
export class Telling<T> {
  readonly #tell: (event: T) => void;
  #waiting: T[] = [];
  #holds = 0;
  #isTelling = false;

  constructor(tell: (event: T) => void) {
    this.#tell = tell;
  }

  /** What a listener brings about comes after what is being told. */
  tell(event: T): void {
    this.#waiting.push(event);
    this.#drain();
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
      while (this.#holds === 0) {
        const next = this.#waiting.shift();
        if (next === undefined) return;
        this.#tell(next);
      }
    } finally {
      this.#isTelling = false;
    }
  }
}
