/** Values that are made again only where what they are made of is not the very same any more. */

type Made<T> = { parts: readonly unknown[]; value: T };

export class MadeOf<T> {
  #made = new Map<string, Made<T>>();
  #recalled = new Map<string, Made<T>>();

  /** What was made last under this key, if its parts were identical and it `holds` still; else what `make` makes. */
  recall(key: string, parts: readonly unknown[], make: () => T, holds: (value: T) => boolean = () => true): T {
    const known = this.#made.get(key);
    const isSame = known && areIdentical(known.parts, parts) && holds(known.value);
    const made = isSame ? known : { parts, value: make() };
    this.#made.set(key, made);
    this.#recalled.set(key, made);
    return made.value;
  }

  /** Forgets what was not asked for since the last time. */
  sweep(): void {
    this.#made = this.#recalled;
    this.#recalled = new Map();
  }
}

const areIdentical = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a.length === b.length && a.every((part, index) => part === b[index]);
