/** A part of a review document as it was written: what is left of the user's own once that part was applied. */
import { pathOfHeader } from './review-place.ts';

const headerLinesMax = 12;

/** From a `diff --git` or `@@` line to the next. `path`: of none in the heading. */
type Part = { path?: string; ids: readonly string[]; lines: string[] };

/**
 * `text`, which was made from `written`, with the hunks of these ids and files as they stand there. What the user says
 * below them stays, and so does all that is more than a change of their lines.
 */
export function asWrittenIn(
  text: string,
  written: string,
  { hunks = [], files = [] }: { hunks?: readonly string[]; files?: readonly string[] },
): string {
  const known = new Map(partsOf(written).flatMap((part) => part.ids.map((id) => [id, part] as const)));
  const lines = partsOf(text).flatMap((part) => {
    const [first = ''] = part.ids;
    const isChosen = files.includes(part.path ?? '') || part.ids.every((id) => hunks.includes(id));
    const original = isChosen ? known.get(first) : undefined;
    return original ? [...original.lines, ...part.lines.filter((line) => line.startsWith('>'))] : part.lines;
  });
  return lines.join('\n');
}

function partsOf(text: string): Part[] {
  const lines = text.split('\n');
  const parts: Part[] = [];
  let part: Part = { ids: [], lines: [] };
  parts.push(part);
  for (const [at, line] of lines.entries()) {
    if (line.startsWith('diff --git '))
      part = { path: pathOfHeader(lines.slice(at, at + headerLinesMax)), ids: [], lines: [] };
    else if (part.path !== undefined && line.startsWith('@@')) {
      part = { path: part.path, ids: line.match(/\bh[0-9a-f]+\b/g) ?? [], lines: [] };
    }
    if (parts.at(-1) !== part) parts.push(part);
    part.lines.push(line);
  }
  return parts;
}
