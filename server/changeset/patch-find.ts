/** Finds the lines that a hunk expects in a file: exactly, else with less and less regard to white space and typography. */

/** From exact to lenient; the first at which a place is found decides. */
const readings: readonly ((line: string) => string)[] = [
  (line) => line,
  (line) => line.trimEnd(),
  (line) => line.trim(),
  (line) => folded(line.trim()),
];

const folded = (line: string): string =>
  line
    .replace(/[\u2010-\u2015\u2212]/g, '-')
    .replace(/[\u2018-\u201b]/g, "'")
    .replace(/[\u201c-\u201f]/g, '"')
    .replace(/[\u00a0\u2002-\u200a\u202f\u205f\u3000]/g, ' ');

/** A file's lines without their ends, with their readings as they are needed. */
export class SearchedLines {
  readonly #read: (readonly string[])[];

  constructor(lines: readonly string[]) {
    this.#read = [lines];
  }

  get count(): number {
    return this.#reading(0).length;
  }

  text(index: number): string | undefined {
    return this.#reading(0)[index];
  }

  /** The first place at or after `from` where `wanted` stands; with `atEnd`, only as the last lines. -1 if nowhere. */
  find(wanted: readonly string[], from: number, atEnd = false): number {
    const last = this.count - wanted.length;
    for (const [level, read] of readings.entries()) {
      const lines = this.#reading(level);
      const expected = wanted.map(read);
      for (let at = atEnd ? Math.max(from, last) : from; at <= last; at++) {
        if (expected.every((line, index) => lines[at + index] === line)) return at;
      }
    }
    return -1;
  }

  /** Where most of the lines of `wanted` stand where they should; undefined if hardly any do. */
  closest(wanted: readonly string[]): { at: number; equal: number } | undefined {
    const lines = this.#reading(2);
    const places = new Map<string, number[]>();
    for (const [index, line] of lines.entries()) {
      const at = places.get(line) ?? [];
      if (line !== '' && at.length < placesOfLineMax) at.push(index);
      places.set(line, at);
    }
    const votes = new Map<number, number>();
    for (const [index, line] of wanted.slice(0, comparedLinesMax).entries()) {
      for (const place of places.get(line.trim()) ?? []) {
        if (place >= index) votes.set(place - index, (votes.get(place - index) ?? 0) + 1);
      }
    }
    let best: { at: number; equal: number } | undefined;
    for (const [at, equal] of votes) if (equal > (best?.equal ?? 0)) best = { at, equal };
    return best;
  }

  /** Whether two texts are the same line at some reading. */
  static same(a: string, b: string): boolean {
    return folded(a.trim()) === folded(b.trim());
  }

  #reading(level: number): readonly string[] {
    const known = this.#read[level];
    if (known) return known;
    const read = readings[level];
    const lines = read ? this.#reading(0).map(read) : [];
    this.#read[level] = lines;
    return lines;
  }
}

const placesOfLineMax = 100;
const comparedLinesMax = 1000;
