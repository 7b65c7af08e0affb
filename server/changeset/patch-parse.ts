/** The model's patch format, text to sections. Lenient about dress (padding, a heredoc or fence around it), strict about content. */
import { lengthRefusalOf, normalPath, refusalOf } from './path-rules.ts';

export { patchGrammar } from './patch-grammar.ts';

/** `kind` of a line: kept, removed or added. Texts are without line ends. */
export type PatchLine = { kind: ' ' | '-' | '+'; text: string };

/** `anchors`: lines to find first, one after the other. `line`: 1-based, in the patch. */
export type PatchHunk = { line: number; anchors: readonly string[]; lines: readonly PatchLine[]; atEnd: boolean };

/** Paths are normal and allowed. */
export type PatchSection =
  | { kind: 'add'; path: string; to?: undefined; lines: readonly string[] }
  | { kind: 'delete'; path: string; to?: undefined }
  | { kind: 'update'; path: string; to?: string; hunks: readonly PatchHunk[] };

export type ParsedPatch = { ok: true; sections: PatchSection[] } | { ok: false; error: string };

/** UTF-16 units of one patch. */
export const patchLengthMax = 2_000_000;
/** Files of one patch, a moved one twice. */
const patchPathsMax = 2000;

/** The error is a sentence for the model: which line, and what is wrong with it. */
export function parsePatch(text: string): ParsedPatch {
  if (text.length > patchLengthMax) {
    return {
      ok: false,
      error: `The patch has ${text.length} characters; the most is ${patchLengthMax}. Send it in parts.`,
    };
  }
  try {
    return { ok: true, sections: readSections(new Cursor(text)) };
  } catch (error) {
    if (error instanceof PatchFault) return { ok: false, error: error.message };
    throw error;
  }
}

class PatchFault extends Error {
  constructor(line: number, text: string | undefined, what: string) {
    super(
      text === undefined
        ? `Line ${line} of the patch: ${what}.`
        : `Line ${line} of the patch, \`${bounded(text)}\`: ${what}.`,
    );
  }
}

const bounded = (text: string): string => (text.length > 120 ? `${text.slice(0, 120)}…` : text);

/** The lines between the patch's first and last marker. */
class Cursor {
  readonly #lines: readonly string[];
  #at: number;
  readonly #end: number;

  constructor(text: string) {
    const withCr = text.split('\n');
    const isCrlf = withCr.every((line, index) => line.endsWith('\r') || index === withCr.length - 1);
    const lines = isCrlf ? withCr.map((line) => line.replace(/\r$/, '')) : withCr;
    const [first, last] = body(lines);
    if (lines[first]?.trim() !== '*** Begin Patch') {
      throw new PatchFault(first + 1, lines[first] ?? '', 'a patch begins with `*** Begin Patch`');
    }
    if (last <= first || lines[last]?.trim() !== '*** End Patch') {
      throw new PatchFault(last + 1, lines[last] ?? '', 'a patch ends with `*** End Patch`');
    }
    this.#lines = lines;
    this.#at = first + 1;
    this.#end = last;
  }

  /** The line to be read next; undefined at the end. */
  peek(): string | undefined {
    return this.#at < this.#end ? this.#lines[this.#at] : undefined;
  }

  next(): string | undefined {
    const line = this.peek();
    this.#at++;
    return line;
  }

  /** 1-based number of the line to be read next. */
  get line(): number {
    return this.#at + 1;
  }

  fault(what: string): PatchFault {
    return new PatchFault(this.line, this.peek(), what);
  }
}

/** Indexes of the first and last line that count: without blank lines, a heredoc or a code fence around them. */
function body(lines: readonly string[]): [first: number, last: number] {
  const isBlank = (index: number): boolean => lines[index]?.trim() === '';
  let first = 0;
  let last = lines.length - 1;
  while (first < last && isBlank(first)) first++;
  while (last > first && isBlank(last)) last--;
  const opening = lines[first]?.trim() ?? '';
  const delimiter =
    /^(?:apply_patch\s+)?<<-?\s*(['"]?)(\w+)\1$/.exec(opening)?.[2] ?? (/^```\w*$/.test(opening) ? '```' : undefined);
  if (delimiter === undefined) return [first, last];
  first++;
  if (lines[last]?.trim() === delimiter) last--;
  while (first < last && isBlank(first)) first++;
  while (last > first && isBlank(last)) last--;
  return [first, last];
}

function readSections(cursor: Cursor): PatchSection[] {
  const sections: PatchSection[] = [];
  const seen = new Set<string>();
  for (let line = cursor.peek(); line !== undefined; line = cursor.peek()) {
    if (line.trim() === '') cursor.next();
    else sections.push(readSection(cursor, line.trim(), seen));
  }
  if (sections.length === 0)
    throw cursor.fault('the patch has no `*** Add File:`, `*** Update File:` or `*** Delete File:`');
  return sections;
}

function readSection(cursor: Cursor, header: string, seen: Set<string>): PatchSection {
  const [, kind, name] = /^\*\*\* (Add|Delete|Update) File:(.*)$/.exec(header) ?? [];
  if (kind === undefined || name === undefined) {
    throw cursor.fault('expected `*** Add File: PATH`, `*** Update File: PATH` or `*** Delete File: PATH`');
  }
  const path = readPath(cursor, name, seen);
  if (kind === 'Add') return { kind: 'add', path, lines: readAdded(cursor) };
  if (kind === 'Delete') return { kind: 'delete', path };
  return readUpdate(cursor, path, seen);
}

/** Takes the line that the name stands in. */
function readPath(cursor: Cursor, name: string, seen: Set<string>): string {
  const written = name.trim();
  const tooLong = lengthRefusalOf(written);
  if (tooLong !== undefined) throw cursor.fault(`the path ${tooLong}`);
  const path = normalPath(written);
  const refusal = refusalOf(path);
  if (refusal !== undefined) throw cursor.fault(`the path ${refusal}`);
  if (seen.has(path)) throw cursor.fault(`${path} has a section already; put all changes of a file into one`);
  if (seen.size >= patchPathsMax) throw cursor.fault(`a patch has at most ${patchPathsMax} paths; send it in parts`);
  seen.add(path);
  cursor.next();
  return path;
}

function readAdded(cursor: Cursor): string[] {
  const lines: string[] = [];
  for (let line = cursor.peek(); line?.startsWith('+'); line = cursor.peek()) {
    lines.push(line.slice(1));
    cursor.next();
  }
  const line = cursor.peek();
  if (line !== undefined && line.trim() !== '' && !isSectionHeader(line)) {
    throw cursor.fault('every line of an added file begins with `+`');
  }
  return lines;
}

const isSectionHeader = (line: string): boolean => /^\s*\*\*\* (?:Add|Delete|Update) File:/.test(line);

function readUpdate(cursor: Cursor, path: string, seen: Set<string>): PatchSection {
  const [, name] = /^\s*\*\*\* Move to:(.*)$/.exec(cursor.peek() ?? '') ?? [];
  const to = name === undefined ? undefined : readPath(cursor, name, seen);
  const hunks: PatchHunk[] = [];
  for (let line = cursor.peek(); line !== undefined; line = cursor.peek()) {
    if (line.trim() === '') cursor.next();
    else if (line.startsWith('*** ') && line.trimEnd() !== endOfFile) break;
    // Only after a move alone: else the padding is the space of a context line.
    else if (hunks.length === 0 && to !== undefined && isSectionHeader(line)) break;
    else hunks.push(readHunk(cursor, hunks.length === 0));
  }
  if (hunks.length === 0 && to === undefined) throw cursor.fault(`the update of ${path} has no hunk`);
  return { kind: 'update', path, ...(to === undefined ? {} : { to }), hunks };
}

const endOfFile = '*** End of File';

function readHunk(cursor: Cursor, isFirst: boolean): PatchHunk {
  const line = cursor.line;
  const anchors = readAnchors(cursor, isFirst);
  const lines: PatchLine[] = [];
  /** Lines without even the space of a context line: at the end of a hunk they are air, elsewhere empty lines. */
  let bare = 0;
  let atEnd = false;
  for (let text = cursor.peek(); text !== undefined && !text.startsWith('@@'); text = cursor.peek()) {
    atEnd = text.trimEnd() === endOfFile;
    if (!atEnd && text.startsWith('***')) break;
    const kind = kindOf(text);
    if (!atEnd && kind === undefined) {
      throw cursor.fault('a line of a hunk begins with a space (context), `-` or `+`; a hunk begins with `@@`');
    }
    cursor.next();
    if (atEnd || kind === undefined) break;
    bare = text === '' ? bare + 1 : 0;
    lines.push({ kind, text: text.slice(1) });
  }
  lines.length -= bare;
  if (lines.length === 0) throw cursor.fault('the hunk before this has no lines');
  return { line, anchors, lines, atEnd };
}

function kindOf(line: string): PatchLine['kind'] | undefined {
  const first = line[0] ?? ' ';
  return first === ' ' || first === '-' || first === '+' ? first : undefined;
}

/** Some models write a unified diff's header: its numbers say nothing reliable, what follows them is context. */
function readAnchors(cursor: Cursor, isFirst: boolean): string[] {
  const anchors: string[] = [];
  for (let first = true; ; first = false) {
    const line = isFirst && first ? cursor.peek()?.trimStart() : cursor.peek();
    if (!line?.startsWith('@@')) return anchors;
    const text = /^@@ -\d+(?:,\d+)? \+\d+(?:,\d+)? @@(.*)$/.exec(line)?.[1] ?? line.slice(2).replace(/\s@@\s*$/, '');
    if (text.trim() !== '') anchors.push(text.replace(/^ /, '').trimEnd());
    cursor.next();
  }
}
