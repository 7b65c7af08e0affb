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

/** How one kind of text is written: `plain` are words of ours or of the agent, `block` is a diff, `words` are lines of code. */
type Format = Readonly<Record<'plain' | 'block' | 'words', (text: string) => string>>;

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
  const lines = wordDiff(isConflict ? userLines : oldLines, newLines).slice(0, wordLinesMax);
  const words = lines.map((parts) => parts.map(({ kind, text }) => marks[kind](text)).join('')).join('\n');
  const message = said === undefined ? [] : [format.plain(`“${oneLine(said, saidCharsMax)}”`)];
  const diff = `${marked('-', oldLines)}${marked('+', newLines)}`;
  const block = diff === '' ? [] : [format.block(bounded(diff))];
  return [
    `Codex: ${format.plain(describe(file, hunk))}`,
    ...message,
    ...sides,
    ...block,
    words === '' ? '' : format.words(words),
  ]
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

/** As `git diff --word-diff` writes it. Markup of its own would be lost beside that which code looks like. */
const marks: Readonly<Record<WordPart['kind'], (text: string) => string>> = {
  same: (text) => text,
  old: (text) => `[-${text}-]`,
  new: (text) => `{+${text}+}`,
};

const asIs = (text: string): string => text;

const plaintext: Format = { plain: asIs, block: asIs, words: asIs };
const markdown: Format = {
  plain: (text) => text.replace(/[\\`*_~<>[\]#|&]/g, '\\$&'),
  block: (text) => fenced(text, 'diff'),
  words: (text) => fenced(text, ''),
};

/** A fence longer than any in the text. */
function fenced(text: string, language: string): string {
  const longest = Math.max(2, ...(text.match(/`+/g) ?? []).map(({ length }) => length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}${language}\n${text}\n${fence}`;
}
