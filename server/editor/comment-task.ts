/** A comment that is a task (`// codex: …`), found by its text alone, whatever the language. Pure. */

/** Lines without their line ends. */
export type Lines = { readonly count: number; at(line: number): string };

type Place = { line: number; character: number };

export type CommentTask = {
  prompt: string;
  /** What to delete so that the comment is gone: whole lines, or only the comment behind some code. */
  remove: { start: Place; end: Place };
  /** The lines the comment stands on, 0-based, both included. */
  first: number;
  last: number;
};

/** Longer first where one begins another; a decoration such as `**` belongs to the opener. */
const blocks: readonly { open: RegExp; close: RegExp }[] = [
  { open: /\{\/\*+/, close: /\*+\/\}/ }, // JSX
  { open: /\/\*[*!]*/, close: /\*+\// }, // C and its family
  { open: /\{\{!--/, close: /--\}\}/ }, // Handlebars
  { open: /<!--/, close: /-->/ }, // HTML, XML, Markdown
  { open: /<%--/, close: /--%>/ }, // JSP
  { open: /<%#/, close: /%>/ }, // ERB
  { open: /\(\*+/, close: /\*+\)/ }, // OCaml, Pascal, Coq
  { open: /\{-/, close: /-\}/ }, // Haskell, Elm
  { open: /\{#/, close: /#\}/ }, // Jinja
  { open: /--\[(=*)\[/, close: /\]=*\]/ }, // Lua
  { open: /#\|/, close: /\|#/ }, // Lisp, Scheme
  { open: /#=/, close: /=#/ }, // Julia
  { open: /#\[/, close: /\]#/ }, // Nim
  { open: /%\{/, close: /%\}/ }, // Matlab
  { open: /<#/, close: /#>/ }, // PowerShell
  { open: /"""/, close: /"""/ }, // Python
  { open: /'''/, close: /'''/ },
];

/** A line comment's opener, as it may stand: at the start of a line, or behind code and a space. */
const line = {
  anywhere: String.raw`\/\/+!?|#+|--+|;+|%+|'|dnl\b|(?:REM|rem|Rem)\b`,
  atStart: String.raw`"|!|\\|\*|::|@REM\b|C\b`,
};

const linesMax = 200;
/** Longer ones are made by programs. */
const lineCharactersMax = 2_000;
const shortEnough = (text: string): string => (text.length > lineCharactersMax ? '' : text);

/** The task whose comment covers line `cursor`. `markers`: what a task begins with, in any case. */
export function findCommentTask(lines: Lines, cursor: number, markers: readonly string[]): CommentTask | undefined {
  if (markers.length === 0 || cursor < 0 || cursor >= lines.count) return undefined;
  const marker = markers.map((text) => text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&')).join('|');
  const readable: Lines = { count: lines.count, at: (line) => shortEnough(lines.at(line)) };
  return inBlock(readable, cursor, marker) ?? inLines(readable, cursor, marker);
}

function inBlock(lines: Lines, cursor: number, marker: string): CommentTask | undefined {
  const marked = new RegExp(marker, 'i');
  const holds = (at: number): boolean => at < lines.count && marked.test(lines.at(at));
  for (let first = cursor; first >= 0 && first > cursor - linesMax; first--) {
    if (!holds(first) && !holds(first + 1)) continue;
    const text = lines.at(first);
    for (const { open, close } of blocks) {
      // The marker follows the opener at once, or on the next line, behind that line's own star.
      const sameLine = new RegExp(`(?:${open.source})\\s*(?:${marker})`, 'i').exec(text);
      const nextLine =
        first < cursor || first + 1 < lines.count ? new RegExp(`(?:${open.source})\\s*$`).exec(text) : null;
      const opened = sameLine ?? nextLine;
      if (!opened || inString(text, opened.index, true)) continue;
      if (
        !sameLine &&
        !new RegExp(`^\\s*\\**\\s*(?:${marker})`, 'i').test(first + 1 < lines.count ? lines.at(first + 1) : '')
      )
        continue;
      const found = closed(lines, first, opened.index, open, close, marker);
      if (found && found.last >= cursor) return found;
    }
  }
  return undefined;
}

function closed(
  lines: Lines,
  first: number,
  at: number,
  open: RegExp,
  close: RegExp,
  marker: string,
): CommentTask | undefined {
  const opener = new RegExp(open.source, 'y');
  opener.lastIndex = at;
  const inside = at + (opener.exec(lines.at(first))?.[0].length ?? 0);
  const parts: string[] = [];
  for (let last = first; last < lines.count && last < first + linesMax; last++) {
    const text = lines.at(last);
    const from = last === first ? inside : 0;
    const end = close.exec(text.slice(from));
    parts.push(end ? text.slice(from, from + end.index) : text.slice(from));
    if (!end) continue;
    const stop = from + end.index + end[0].length;
    const prompt = parts
      .map((part, index) => (index === 0 ? part : part.replace(/^\s*\*+(?=\s|$)/, '')).trim())
      .join('\n')
      .trim()
      .replace(new RegExp(`^\\**\\s*(?:${marker})`, 'i'), '')
      .trim();
    if (prompt === '') return undefined;
    const before = lines.at(first).slice(0, at);
    const after = text.slice(stop);
    if (before.trim() === '' && after.trim() === '')
      return { prompt, remove: wholeLines(lines, first, last), first, last };
    const start = after.trim() === '' ? before.trimEnd().length : at;
    const rest =
      after.trim() === '' ? text.length : before.trim() === '' ? text.length - after.trimStart().length : stop;
    return {
      prompt,
      remove: { start: { line: first, character: start }, end: { line: last, character: rest } },
      first,
      last,
    };
  }
  return undefined;
}

function inLines(lines: Lines, cursor: number, marker: string): CommentTask | undefined {
  const comment = new RegExp(`^\\s*(?:${line.anywhere}|${line.atStart})`, 'i');
  const standing = new RegExp(`^(\\s*)(${line.anywhere}|${line.atStart})\\s*(?:${marker})(.*)$`, 'i');
  const behind = new RegExp(`(?<=[\\s;{}(),])(${line.anywhere})\\s*(?:${marker})(.*)$`, 'i');
  for (let first = cursor; first >= 0 && first > cursor - linesMax; first--) {
    const text = lines.at(first);
    const alone = standing.exec(text);
    const [, before = '', opener = '', words = ''] = alone ?? [];
    if (alone && !inString(text, before.length, true)) return whole(lines, first, cursor, opener, words, marker);
    const beside = first === cursor ? behind.exec(text) : null;
    if (beside && !inString(text, beside.index, false)) return trailing(first, text, beside.index, beside[2] ?? '');
    // Only further lines of the same comment may stand between the cursor and its marker.
    if (!comment.test(text)) return undefined;
  }
  return undefined;
}

function trailing(at: number, text: string, index: number, words: string): CommentTask | undefined {
  const prompt = words.trim();
  const start = { line: at, character: text.slice(0, index).trimEnd().length };
  return prompt === ''
    ? undefined
    : { prompt, remove: { start, end: { line: at, character: text.length } }, first: at, last: at };
}

function whole(
  lines: Lines,
  first: number,
  cursor: number,
  opener: string,
  words: string,
  marker: string,
): CommentTask | undefined {
  const escaped = opener.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');
  const next = new RegExp(`^\\s*${escaped}(?!\\s*(?:${marker}))(.*)$`, 'i');
  const parts = [words];
  let last = first;
  while (last + 1 < lines.count && last - first < linesMax) {
    const [, more] = next.exec(lines.at(last + 1)) ?? [];
    if (more === undefined) break;
    parts.push(more);
    last += 1;
  }
  const prompt = parts
    .map((part) => part.trim())
    .join('\n')
    .trim();
  return prompt === '' || last < cursor ? undefined : { prompt, remove: wholeLines(lines, first, last), first, last };
}

function wholeLines(lines: Lines, first: number, last: number): CommentTask['remove'] {
  const start = { line: first, character: 0 };
  if (last + 1 < lines.count) return { start, end: { line: last + 1, character: 0 } };
  return { start, end: { line: last, character: lines.at(last).length } };
}

/** A quote opened before and closed behind: what looks like a comment is text in a program. */
function inString(text: string, at: number, atStart: boolean): boolean {
  const before = text.slice(0, at);
  const opener = text[at] ?? '';
  if (opener === '"' || opener === "'") {
    const tripled = text.startsWith(opener.repeat(3), at);
    if (!tripled && text.slice(at + 1).includes(opener) && (!atStart || /["'][;,)\s]*$/.test(text))) return true;
  }
  return ['"', "'", '`'].some((quote) => before.split(quote).length % 2 === 0 && text.slice(at + 1).includes(quote));
}
