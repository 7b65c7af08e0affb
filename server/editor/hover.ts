/** Hovering a pending hunk shows its diff. */
import type { Hover, MarkupKind } from 'vscode-languageserver';
import type { ReviewHunk } from '../changeset/review-types.ts';
import { describe } from './diagnostics.ts';
import { hunksAt, type Reviews } from './reviews.ts';
import type { Session } from './session.ts';

const linesMax = 60;

export function hoverAt(session: Session, reviews: Reviews, uri: string, line: number): Hover | null {
  const path = session.documents.pathOf(uri);
  const found = path === undefined ? [] : reviews.at(path);
  const parts = found.flatMap((inReview) =>
    hunksAt(inReview, line, line).map((hunk) => ({ title: describe(inReview.file, hunk), diff: diffOf(hunk) })),
  );
  if (parts.length === 0) return null;
  const formats = session.capabilities.textDocument?.hover?.contentFormat ?? [];
  const markdown = formats.includes('markdown' satisfies MarkupKind);
  const value = parts.map(({ title, diff }) =>
    markdown ? `Codex: ${escaped(title)}\n\n${fenced(diff)}` : `Codex: ${title}\n\n${diff}`,
  );
  return { contents: { kind: markdown ? 'markdown' : 'plaintext', value: value.join('\n\n') } };
}

function diffOf({ oldLines, newLines }: ReviewHunk): string {
  const lines = [...oldLines.map((text) => `-${text}`), ...newLines.map((text) => `+${text}`)].map((text) =>
    text.replace(/\r?\n$/, ''),
  );
  const rest = lines.length - linesMax;
  return [...lines.slice(0, linesMax), ...(rest > 0 ? [`… ${rest} more lines`] : [])].join('\n');
}

/** A fence longer than any in the text. */
function fenced(text: string): string {
  const longest = Math.max(2, ...(text.match(/`+/g) ?? []).map(({ length }) => length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}diff\n${text}\n${fence}`;
}

const escaped = (text: string): string => text.replace(/[\\`*_<>[\]#|]/g, '\\$&');
