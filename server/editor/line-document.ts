/**
 * The text of an open document, kept as lines, so that a keystroke costs what it changes: with the text as one string
 * (`vscode-languageserver-textdocument`), each one copies the whole of it, 1.5 ms for 50,000 lines.
 */
import type { Position, Range } from 'vscode-languageserver';
import { type LineChange, lineChange } from '../changeset/line-change.ts';
import { splitLines, withoutEnd } from '../changeset/lines.ts';

/** Spread into one call at most; more arguments overflow the stack. */
const spreadMax = 10_000;

export class LineDocument {
  readonly uri: string;
  readonly languageId: string;
  #version: number;
  /** Each with its end, but for the last, which has none and may be empty. */
  #lines: string[];
  /** The lines as one, until they change. */
  #text: string | undefined;
  /** Where each line begins, until they change. */
  #offsets: number[] | undefined;

  constructor(uri: string, languageId: string, version: number, text: string) {
    this.uri = uri;
    this.languageId = languageId;
    this.#version = version;
    this.#lines = linesOf(text);
    this.#text = text;
  }

  get version(): number {
    return this.#version;
  }

  set version(version: number) {
    this.#version = version;
  }

  get lineCount(): number {
    return this.#lines.length;
  }

  getText(range?: Range): string {
    if (!range) {
      this.#text ??= this.#lines.join('');
      return this.#text;
    }
    const { start, end } = this.#ordered(range);
    const first = this.#line(start.line);
    if (start.line === end.line) return first.slice(start.character, end.character);
    const between = this.#lines.slice(start.line + 1, end.line);
    return [first.slice(start.character), ...between, this.#line(end.line).slice(0, end.character)].join('');
  }

  positionAt(offset: number): Position {
    const offsets = this.#begins();
    let [low, high] = [0, offsets.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((offsets[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return this.#inText({ line: low, character: offset - (offsets[low] ?? 0) });
  }

  offsetAt(position: Position): number {
    const { line, character } = this.#inText(position);
    return (this.#begins()[line] ?? 0) + character;
  }

  /** Without a range, all of the text. Which lines it changed, if any. */
  edit(range: Range | undefined, text: string): LineChange | undefined {
    const change = range ? this.#replace(range, text) : this.#replaceAll(text);
    if (!change) return undefined;
    this.#text = range ? undefined : text;
    this.#offsets = undefined;
    return change;
  }

  #replaceAll(text: string): LineChange | undefined {
    const old = this.#lines;
    this.#lines = linesOf(text);
    return lineChange(0, old, this.#lines);
  }

  #replace(range: Range, text: string): LineChange | undefined {
    const { start, end } = this.#ordered(range);
    const kept = this.#line(start.line).slice(0, start.character);
    const joined = kept + text + this.#line(end.line).slice(end.character);
    // A line feed behind a carriage return makes one line end of both.
    const joinsBefore = start.line > 0 && joined.startsWith('\n') && this.#line(start.line - 1).endsWith('\r');
    const first = joinsBefore ? start.line - 1 : start.line;
    const now = splitLines(joinsBefore ? this.#line(first) + joined : joined);
    const isLast = end.line === this.#lines.length - 1;
    if (isLast && endsLine(now.at(-1))) now.push('');
    const old = this.#lines.slice(first, end.line + 1);
    if (now.length <= spreadMax) this.#lines.splice(first, old.length, ...now);
    else this.#lines = [...this.#lines.slice(0, first), ...now, ...this.#lines.slice(end.line + 1)];
    return lineChange(first, old, now);
  }

  #line(line: number): string {
    return this.#lines[line] ?? '';
  }

  #begins(): number[] {
    if (this.#offsets) return this.#offsets;
    let at = 0;
    this.#offsets = this.#lines.map((line) => {
      at += line.length;
      return at - line.length;
    });
    return this.#offsets;
  }

  #ordered({ start, end }: Range): Range {
    const [a, b] = [this.#inText(start), this.#inText(end)];
    const isBackward = a.line > b.line || (a.line === b.line && a.character > b.character);
    return isBackward ? { start: b, end: a } : { start: a, end: b };
  }

  /** What is behind a line's text means its end; what is behind the last line, the end of all. */
  #inText({ line, character }: Position): Position {
    const last = this.#lines.length - 1;
    if (line > last) return { line: last, character: this.#line(last).length };
    if (line < 0) return { line: 0, character: 0 };
    const length = withoutEnd(this.#line(line)).length;
    return { line, character: Math.max(0, Math.min(character, length)) };
  }
}

function linesOf(text: string): string[] {
  const lines = splitLines(text);
  if (endsLine(lines.at(-1))) lines.push('');
  return lines;
}

/** No line at all needs an empty one as well. */
const endsLine = (line: string | undefined): boolean =>
  line === undefined || line.endsWith('\n') || line.endsWith('\r');
