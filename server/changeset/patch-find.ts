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

/** A file's lines without their ends, read anew and indexed as far as it is needed. */
export class SearchedLines {
  readonly #levels: Level[];
  #stepsLeft = searchStepsMax;
  #scansLeft: number;

  constructor(lines: readonly string[]) {
    this.#levels = [new Level(lines)];
    this.#scansLeft = 2 * lines.length;
  }

  get count(): number {
    return this.#level(0).lines.length;
  }

  /** Whether a search was given up because the file and the patch together are too much. */
  get exhausted(): boolean {
    return this.#stepsLeft <= 0;
  }

  text(index: number): string | undefined {
    return this.#level(0).lines[index];
  }

  /** The first place at or after `from` where `wanted` stands; with `atEnd`, only as the last lines. -1 if nowhere. */
  find(wanted: readonly string[], from: number, atEnd = false): number {
    const last = this.count - wanted.length;
    const first = atEnd ? Math.max(from, last) : from;
    for (const [number, read] of readings.entries()) {
      const level = this.#level(number);
      const { lines } = level;
      const expected = wanted.map(read);
      const seen = this.#scan(lines, expected, first, last);
      if (seen === -1) continue;
      if (seen !== undefined) return seen;
      const rarest = rarestOf(expected, level.places);
      for (let i = firstAtLeast(rarest.places, first + rarest.index); i < rarest.places.length; i++) {
        const at = (rarest.places[i] ?? 0) - rarest.index;
        if (at > last || this.#stepsLeft <= 0) break;
        const differs = expected.findIndex((line, index) => lines[at + index] !== line);
        if (differs < 0) return at;
        this.#stepsLeft -= differs + 1;
      }
    }
    return -1;
  }

  /** Where most of the lines of `wanted` stand where they should; undefined if hardly any do. */
  closest(wanted: readonly string[]): { at: number; equal: number } | undefined {
    const { places } = this.#level(2);
    const votes = new Map<number, number>();
    for (const [index, line] of wanted.slice(0, comparedLinesMax).entries()) {
      const trimmed = line.trim();
      for (const place of trimmed === '' ? [] : (places.get(trimmed) ?? []).slice(0, placesOfLineMax)) {
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

  /** What the index would answer, as long as that takes less than making it; else undefined. */
  #scan(lines: readonly string[], expected: readonly string[], first: number, last: number): number | undefined {
    for (let at = first; at <= last; at++) {
      let equal = 0;
      while (equal < expected.length && lines[at + equal] === expected[equal]) equal++;
      if (equal === expected.length) return at;
      this.#scansLeft -= equal + 1;
      if (this.#scansLeft < 0) return undefined;
    }
    return -1;
  }

  #level(number: number): Level {
    const known = this.#levels[number];
    if (known) return known;
    const read = readings[number];
    const level = new Level(read ? this.#level(0).lines.map(read) : []);
    this.#levels[number] = level;
    return level;
  }
}

class Level {
  readonly lines: readonly string[];
  #places: ReadonlyMap<string, readonly number[]> | undefined;

  constructor(lines: readonly string[]) {
    this.lines = lines;
  }

  /** Where each line stands, ascending. */
  get places(): ReadonlyMap<string, readonly number[]> {
    this.#places ??= placesOf(this.lines);
    return this.#places;
  }
}

function placesOf(lines: readonly string[]): Map<string, number[]> {
  const places = new Map<string, number[]>();
  for (const [index, line] of lines.entries()) {
    const known = places.get(line);
    if (known) known.push(index);
    else places.set(line, [index]);
  }
  return places;
}

/** The one of the expected lines that leaves the fewest places to try. */
function rarestOf(expected: readonly string[], places: Level['places']): { index: number; places: readonly number[] } {
  let rarest: { index: number; places: readonly number[] } | undefined;
  for (const [index, line] of expected.entries()) {
    const found = places.get(line) ?? [];
    if (!rarest || found.length < rarest.places.length) rarest = { index, places: found };
    if (found.length === 0) break;
  }
  return rarest ?? { index: 0, places: [] };
}

function firstAtLeast(ascending: readonly number[], least: number): number {
  let lo = 0;
  let hi = ascending.length;
  while (lo < hi) {
    const middle = (lo + hi) >> 1;
    if ((ascending[middle] ?? 0) < least) lo = middle + 1;
    else hi = middle;
  }
  return lo;
}

/** Line comparisons in one file. */
const searchStepsMax = 20_000_000;
const placesOfLineMax = 100;
const comparedLinesMax = 1000;
