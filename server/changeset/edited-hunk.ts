/**
 * What an edited hunk says: which lines of the user's text give way to which. The hunk as it was written tells which
 * lines of context the user has edited; where it stands now, the review knows. Lines are git's: only `\n` ends one.
 */
import type { BodyLine, EditedHunk } from './edited-document.ts';

/** `count` lines from `line` on (0-based) give way to `lines`, each with its end. `at`: of the hunk in the document. */
export type Replacement = { line: number; count: number; lines: readonly string[] };
/** A sentence for a person; `at`: line of the document, 0-based. */
export type Misfit = { at: number; reason: string };

/** `firstChanged`: the line of the user's text, 0-based, where the first line that is not context stands now. */
export type Written = { hunk: EditedHunk; firstChanged: number; contextMayDiffer: boolean };

/** One line of the result: of the old side, of the new side, or, for context, of both. */
type Pair = { was?: string; is?: string; isContext: boolean };
type Aligned = { pairs: readonly Pair[]; edits: number; skipped: number; leads: boolean };

/** `user`: git's lines of the user's text. */
export function fitHunk(
  edited: EditedHunk,
  written: Written | undefined,
  user: readonly string[],
): Replacement | Misfit {
  if (edited.stray !== undefined) {
    return { at: edited.stray, reason: 'begins with none of blank, +, -, @, # and >' };
  }
  const ways = written ? align(edited.body, written).map((way) => placed(edited, way, written, user)) : [];
  const [first] = ways;
  if (first && ways.every((way) => isSame(way, first))) return first;
  return found(edited, written, user);
}

/** The best ways in which the edited lines can be those that were written, less context at the edges. */
function align(body: readonly BodyLine[], { hunk, contextMayDiffer }: Written): Aligned[] {
  const old = hunk.body.filter(isOld);
  const [lead, trail] = [contextAt(hunk.body), contextAt(hunk.body.toReversed())];
  const ways: Aligned[] = [];
  for (let blanks = 0; blanks <= blanksAtEnd(body); blanks++) {
    const kept = body.slice(0, body.length - blanks);
    const count = kept.filter(isOld).length;
    for (let skipped = 0; skipped <= lead; skipped++) {
      const left = old.length - skipped - count;
      if (left < 0 || left > trail) continue;
      const way = pairUp(kept, old.slice(skipped), hunk.body, skipped, contextAt(kept) + skipped === lead);
      if (way && (contextMayDiffer || way.edits === 0)) ways.push(way);
    }
  }
  const cost = ({ edits, leads }: Aligned): number => 2 * edits + (leads ? 0 : 1);
  const least = Math.min(...ways.map(cost));
  return ways.filter((way) => cost(way) === least);
}

function pairUp(
  body: readonly BodyLine[],
  old: readonly BodyLine[],
  original: readonly BodyLine[],
  skipped: number,
  leads: boolean,
): Aligned | undefined {
  const endings = new Endings(original);
  const pairs: Pair[] = [];
  let edits = 0;
  let next = 0;
  for (const line of body) {
    if (line.mark === '+') {
      pairs.push({ is: endings.added(line), isContext: false });
      continue;
    }
    const was = old[next++];
    if (!was) return undefined;
    const isSame = key(was) === key(line);
    // Only context can have been edited: what the agent removes is the user's own line.
    if (!isSame && (line.mark === '-' || was.mark === '-')) return undefined;
    if (!isSame) edits++;
    const text = whole(was);
    pairs.push({
      was: text,
      is: line.mark === '-' ? undefined : isSame ? text : key(line) + endOf(text),
      isContext: line.mark === ' ' && isSame,
    });
  }
  return { pairs, edits, skipped, leads };
}

/** Where the review says that it stands now; context that was not edited may differ there. */
function placed(
  edited: EditedHunk,
  { pairs, skipped }: Aligned,
  { hunk, firstChanged }: Written,
  user: readonly string[],
): Replacement | Misfit {
  let from = 0;
  let to = pairs.length;
  while (from < to && pairs[from]?.isContext) from++;
  while (to > from && pairs[to - 1]?.isContext) to--;
  const core = pairs.slice(from, to);
  const was = core.flatMap((pair) => (pair.was === undefined ? [] : [pair.was]));
  const line = firstChanged - contextAt(hunk.body) + skipped + from;
  if (line < 0 || was.some((text, index) => user[line + index] !== text)) {
    return { at: edited.line, reason: 'your file has changed where this hunk was edited' };
  }
  return { line, count: was.length, lines: core.flatMap((pair) => (pair.is === undefined ? [] : [pair.is])) };
}

/** By its own lines, where they stand at exactly one place of the user's text. */
function found(edited: EditedHunk, written: Written | undefined, user: readonly string[]): Replacement | Misfit {
  for (let blanks = 0; blanks <= blanksAtEnd(edited.body); blanks++) {
    const body = edited.body.slice(0, edited.body.length - blanks);
    const old = body.filter(isOld).map(key);
    if (old.length === 0) break;
    const places = placesOf(old, user);
    const [line] = places;
    if (places.length > 1) return { at: edited.line, reason: 'its lines stand at more than one place of your file' };
    if (line === undefined) continue;
    const endings = new Endings(written?.hunk.body ?? [], endOf(user[line] ?? '\n') || '\n');
    let next = line;
    const lines = body.flatMap((one) => {
      if (one.mark === '+') return [endings.added(one)];
      const text = user[next++] ?? '';
      return one.mark === ' ' ? [text] : [];
    });
    return { line, count: old.length, lines };
  }
  return {
    at: edited.line,
    reason: 'its lines that begin with - or a blank are not those of your file; to add a line begin it with +',
  };
}

const placesMax = 2;

function placesOf(old: readonly string[], user: readonly string[]): number[] {
  const places: number[] = [];
  for (let line = 0; line + old.length <= user.length && places.length < placesMax; line++) {
    if (old.every((text, index) => withoutEnd(user[line + index] ?? '') === text)) places.push(line);
  }
  return places;
}

/** Which end a line gets that the user may have typed: an editor shows one end for all lines of a document. */
class Endings {
  /** By key, the last first. */
  readonly #added: Map<string, BodyLine[]>;
  #end: string;

  constructor(original: readonly BodyLine[], end?: string) {
    this.#added = Map.groupBy(original.filter(({ mark }) => mark === '+').reverse(), key);
    const ends = original.toSorted((a, b) => Number(isOld(a)) - Number(isOld(b))).map((line) => endOf(whole(line)));
    this.#end = end ?? (ends.find((one) => one !== '') || '\n');
  }

  added(line: BodyLine): string {
    const known = this.#added.get(key(line))?.pop();
    const text = known && whole(known);
    if (line.isEnd) return text !== undefined && endOf(text) === '' ? text : key(line);
    if (text !== undefined && endOf(text) !== '') this.#end = endOf(text);
    return key(line) + this.#end;
  }
}

const isOld = ({ mark }: BodyLine): boolean => mark !== '+';

/** What tells a line from others, whatever its end became in an editor. */
const key = ({ text }: BodyLine): string => text.replace(/\r+$/, '');

/** As in the file. */
const whole = ({ text, isEnd }: BodyLine): string => (isEnd ? text : `${text}\n`);

const withoutEnd = (line: string): string => line.replace(/\r*\n?$/, '');
const endOf = (line: string): string => /\r*\n$/.exec(line)?.[0] ?? '';

function contextAt(body: readonly BodyLine[]): number {
  const changed = body.findIndex(({ mark }) => mark !== ' ');
  return changed < 0 ? body.length : changed;
}

const blanksMax = 100;

/** Empty lines that may be context, or only space between two hunks. */
function blanksAtEnd(body: readonly BodyLine[]): number {
  const last = body.findLastIndex((line) => line.mark !== ' ' || key(line) !== '');
  return Math.min(blanksMax, body.length - 1 - last);
}

/** To change nothing is the same anywhere. */
function isSame(a: Replacement | Misfit, b: Replacement | Misfit): boolean {
  const changesNothing = (one: Replacement | Misfit): boolean =>
    'count' in one && one.count === 0 && one.lines.length === 0;
  return (changesNothing(a) && changesNothing(b)) || JSON.stringify(a) === JSON.stringify(b);
}
