/** Hovering a hunk shows its diff, the words that changed, and what the agent said before it made it. */
import type { Hover, MarkupKind } from 'vscode-languageserver';
import type { ReviewFile, ReviewHunk } from '../changeset/review-types.ts';
import { type WordPart, wordDiff } from '../changeset/word-diff.ts';
import { describe } from './diagnostics.ts';
import { oneLine } from './one-line.ts';
import { hunksAt, type Reviews } from './reviews.ts';
import type { Session } from './session.ts';

const linesMax = 60;
const wordLinesMax = 12;
const saidCharsMax = 400;

/** How one kind of text is written: `block` is a diff, `line` is one of words. */
type Format = {
  plain(text: string): string;
  block(diff: string): string;
  line(words: string): string;
  marks: Readonly<Record<WordPart['kind'], (text: string) => string>>;
};

export async function hoverAt(session: Session, reviews: Reviews, uri: string, line: number): Promise<Hover | null> {
  const path = session.documents.pathOf(uri);
  const found = path === undefined ? [] : reviews.at(path);
  const hunks = found.flatMap((inReview) => hunksAt(inReview, line, line).map((hunk) => ({ ...inReview, hunk })));
  if (hunks.length === 0) return null;
  const formats = session.capabilities.textDocument?.hover?.contentFormat ?? [];
  const isMarkdown = formats.includes('markdown' satisfies MarkupKind);
  const format = isMarkdown ? markdown : plaintext;
  const parts: string[] = [];
  for (const { threadId, file, hunk } of hunks) {
    const said = await session.tasks.saidBefore(threadId, [file.path, file.userPath]).catch(() => undefined);
    parts.push(hunkText(file, hunk, said, format));
  }
  return { contents: { kind: isMarkdown ? 'markdown' : 'plaintext', value: parts.join('\n\n') } };
}

function hunkText(file: ReviewFile, hunk: ReviewHunk, said: string | undefined, format: Format): string {
  const { oldLines, newLines, userLines, status } = hunk;
  const isConflict = status === 'conflicting' && userLines !== undefined;
  const yours = isConflict && userLines.length > 0 ? [format.block(bounded(marked(' ', userLines)))] : [];
  const sides = isConflict
    ? [
        format.plain(yours.length > 0 ? 'Your lines, which stay:' : 'You removed the lines.'),
        ...yours,
        "The agent's change:",
      ]
    : [];
  const words = wordDiff(isConflict ? userLines : oldLines, newLines).slice(0, wordLinesMax);
  const lines = words.map((parts) => format.line(parts.map(({ kind, text }) => format.marks[kind](text)).join('')));
  const message = said === undefined ? [] : [format.plain(`“${oneLine(said, saidCharsMax)}”`)];
  const diff = `${marked('-', oldLines)}${marked('+', newLines)}`;
  const block = diff === '' ? [] : [format.block(bounded(diff))];
  return [`Codex: ${format.plain(describe(file, hunk))}`, ...message, ...sides, ...block, lines.join('\n')]
    .filter((part) => part !== '')
    .join('\n\n');
}

const marked = (mark: string, lines: readonly string[]): string =>
  lines.map((text) => `${mark}${text.replace(/\r\n?$|\n$/, '')}\n`).join('');

function bounded(diff: string): string {
  const lines = diff.split('\n').slice(0, -1);
  const rest = lines.length - linesMax;
  return [...lines.slice(0, linesMax), ...(rest > 0 ? [`… ${rest} more lines`] : [])].join('\n');
}

/** Spaces stand outside of the marks, which are none before or behind one. */
const around = (mark: string, text: string): string => {
  const [, before = '', words = '', after = ''] = /^(\s*)(.*?)(\s*)$/s.exec(text) ?? [];
  return words === '' ? text : `${before}${mark}${escaped(words)}${mark}${after}`;
};

const escaped = (text: string): string => text.replace(/[\\`*_~<>[\]#|&]/g, '\\$&');

const markdown: Format = {
  plain: escaped,
  block: fenced,
  // Two spaces end a line; those at its beginning would make code of it.
  line: (words) => `${words.trim()}  `,
  marks: { same: escaped, old: (text) => around('~~', text), new: (text) => around('**', text) },
};

/** As `git diff --word-diff` writes it. */
const plaintext: Format = {
  plain: (text) => text,
  block: (diff) => diff,
  line: (words) => words,
  marks: { same: (text) => text, old: (text) => `[-${text}-]`, new: (text) => `{+${text}+}` },
};

/** A fence longer than any in the text. */
function fenced(text: string): string {
  const longest = Math.max(2, ...(text.match(/`+/g) ?? []).map(({ length }) => length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}diff\n${text}\n${fence}`;
}
