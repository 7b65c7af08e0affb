/** A comment that is a task (`// codex: …`), found by its text alone, whatever the language. Pure. */
import {
  type Block,
  blockOpenerBefore,
  isIndentation,
  isInsideBlock,
  isInsideLine,
  lineOpenerBefore,
} from './comment-syntax.ts';
import { closingQuote } from './quoted.ts';

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

const linesMax = 200;
/** Longer ones are made by programs. */
const lineCharactersMax = 2_000;
/** In one line. */
const markersMax = 20;
/** For the ends of all block comments that might hold the cursor. */
const closeCharactersMax = 400_000;

/** What a search reads: short lines, where markers stand in them, and what it may still spend. */
type Reading = Lines & { marked(line: number): Marked[]; closeCharacters: number };
type Marked = { start: number; end: number };

/**
 * The task whose comment covers line `cursor`. `markers`: what a task begins with, in any case.
 * Linear in the lines it reads, which are at most a few hundred short ones.
 */
export function findCommentTask(lines: Lines, cursor: number, markers: readonly string[]): CommentTask | undefined {
  if (markers.length === 0 || cursor < 0 || cursor >= lines.count) return undefined;
  const marker = new RegExp(markers.map((text) => text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&')).join('|'), 'gi');
  const at = (line: number): string => {
    const text = line < lines.count ? lines.at(line) : '';
    return text.length > lineCharactersMax ? '' : text;
  };
  const marked = (line: number): Marked[] => {
    const found: Marked[] = [];
    for (const { index, 0: text } of at(line).matchAll(marker)) {
      found.push({ start: index, end: index + text.length });
      if (found.length === markersMax) break;
    }
    return found;
  };
  const reading: Reading = { count: lines.count, at, marked, closeCharacters: closeCharactersMax };
  return inBlock(reading, cursor) ?? inLines(reading, cursor);
}

function inBlock(lines: Reading, cursor: number): CommentTask | undefined {
  for (let first = cursor; first >= 0 && first > cursor - linesMax; first--) {
    const text = lines.at(first);
    for (const { start, end } of lines.marked(first)) {
      const found = blockTask(lines, cursor, first, blockOpenerBefore(text, start), { line: first, character: end });
      if (found) return found;
    }
    // Or the marker begins the line below the opener, behind that line's own star.
    const [below] = first + 1 < lines.count ? lines.marked(first + 1) : [];
    if (!below || !/^\s*\**\s*$/.test(lines.at(first + 1).slice(0, below.start))) continue;
    const words = { line: first + 1, character: below.end };
    const found = blockTask(lines, cursor, first, blockOpenerBefore(text, text.length), words);
    if (found) return found;
  }
  return undefined;
}

/** `words`: where those of the task begin, behind the marker. */
function blockTask(
  lines: Reading,
  cursor: number,
  first: number,
  opened: { start: number; block: Block } | undefined,
  words: Place,
): CommentTask | undefined {
  if (!opened || isInsideBlock(lines.at(first), opened.start, opened.block)) return undefined;
  const found = closed(lines, words, opened.block);
  if (!found || found.prompt === '' || found.end.line < cursor) return undefined;
  const { prompt, end } = found;
  const last = end.line;
  const start = { line: first, character: opened.start };
  const before = lines.at(first).slice(0, start.character);
  const after = lines.at(last).slice(end.character);
  if (before.trim() === '' && after.trim() === '')
    return { prompt, remove: wholeLines(lines, first, last), first, last };
  if (after.trim() === '') {
    start.character = before.trimEnd().length;
    end.character += after.length;
  } else if (before.trim() === '') end.character += after.length - after.trimStart().length;
  return { prompt, remove: { start, end }, first, last };
}

/** The words from a place to the end of their comment, and the place behind it. */
function closed(lines: Reading, from: Place, { close, at }: Block): { prompt: string; end: Place } | undefined {
  const parts: string[] = [];
  for (let line = from.line; line < lines.count && line < from.line + linesMax; line++) {
    const begin = line === from.line ? from.character : 0;
    const text = lines.at(line);
    lines.closeCharacters -= text.length + 1;
    if (lines.closeCharacters < 0) return undefined;
    const end = at === 'column' ? (begin === 0 && text.startsWith(close) ? 0 : -1) : text.indexOf(close, begin);
    const part = text.slice(begin, end < 0 ? undefined : end);
    parts.push(begin > 0 ? part : part.replace(/^\s*\*+(?=\s|$)/, ''));
    if (end < 0) continue;
    if (close[0] === '*') parts.push(withoutStars(parts.pop() ?? ''));
    const character = at === 'column' ? text.length : end + close.length;
    return { prompt: joined(parts), end: { line, character } };
  }
  return undefined;
}

/** Those of `a block's doubled close`. */
function withoutStars(text: string): string {
  let end = text.length;
  while (text[end - 1] === '*') end -= 1;
  return text.slice(0, end);
}

const joined = (parts: readonly string[]): string =>
  parts
    .map((part) => part.trim())
    .join('\n')
    .trim();

function inLines(lines: Reading, cursor: number): CommentTask | undefined {
  for (let first = cursor; first >= 0 && first > cursor - linesMax; first--) {
    const text = lines.at(first);
    for (const { start, end } of lines.marked(first)) {
      const found = lineOpenerBefore(text, start);
      if (!found || isString(text, found.start, found.opener)) continue;
      if (isIndentation(text, found.start)) return whole(lines, first, cursor, found.opener, text.slice(end));
      if (first === cursor && !isInsideLine(text, found.start, found.opener))
        return trailing(first, text, found.start, text.slice(end));
    }
  }
  return undefined;
}

/** An opener that is a quote in other languages: what it begins has an end. */
function isString(text: string, at: number, opener: string): boolean {
  if (opener === '\\"') return text.includes('"', at + opener.length);
  if (opener !== '"' && opener !== "'") return false;
  if (text.startsWith(opener.repeat(3), at) || closingQuote(text, at) < 0) return false;
  return !isIndentation(text, at) || /["'][;,)\s]*$/.test(text.slice(-20));
}

function trailing(at: number, text: string, index: number, words: string): CommentTask | undefined {
  const prompt = words.trim();
  const start = { line: at, character: text.slice(0, index).trimEnd().length };
  return prompt === ''
    ? undefined
    : { prompt, remove: { start, end: { line: at, character: text.length } }, first: at, last: at };
}

/** With the further lines of the same comment. */
function whole(lines: Reading, first: number, cursor: number, opener: string, words: string): CommentTask | undefined {
  const indentation = /^\s*/.exec(lines.at(first))?.[0] ?? '';
  // The end of a block around it is no line of this one.
  const ends = (text: string): boolean => opener === '*' && text.includes('*/');
  if (ends(words)) return undefined;
  const parts = [words];
  let last = first;
  while (last + 1 < lines.count && last - first < linesMax) {
    const more = moreOf(lines.at(last + 1), opener, indentation);
    if (more === undefined || ends(lines.at(last + 1)) || lines.marked(last + 1)[0]?.start === more.start) break;
    parts.push(more.text);
    last += 1;
  }
  const prompt = joined(parts);
  return prompt === '' || last < cursor ? undefined : { prompt, remove: wholeLines(lines, first, last), first, last };
}

/** The words of a line that goes on with the comment, and where they begin. reStructuredText does it by indentation. */
function moreOf(text: string, opener: string, indentation: string): { text: string; start: number } | undefined {
  const start = text.length - text.trimStart().length;
  if (opener === '..') {
    const goesOn = start > indentation.length && start < text.length && text.startsWith(indentation);
    return goesOn ? { text: text.slice(start), start } : undefined;
  }
  if (text.slice(start, start + opener.length).toLowerCase() !== opener.toLowerCase()) return undefined;
  const rest = text.slice(start + opener.length);
  return { text: rest, start: text.length - rest.trimStart().length };
}

function wholeLines(lines: Lines, first: number, last: number): CommentTask['remove'] {
  const start = { line: first, character: 0 };
  if (last + 1 < lines.count) return { start, end: { line: last + 1, character: 0 } };
  return { start, end: { line: last, character: lines.at(last).length } };
}
