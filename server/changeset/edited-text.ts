/** The edited hunks of a file that is a text and stays one: the text that they make of the user's, or why one does not fit. */
import { type DiffBlock, diffBlocks } from './diff-blocks.ts';
import type { EditedHunk } from './edited-document.ts';
import { fitHunk, type Misfit, type Replacement, type Written } from './edited-hunk.ts';
import type { EditedResult, EditedSections } from './edited-outcome.ts';
import { gitLines } from './git-lines.ts';
import { isWhole, modeAfter, movesStill } from './metadata.ts';
import { lineEdits } from './outcome.ts';
import type { ReviewFile, ReviewHunk } from './review-types.ts';

type Fitted = Replacement & { hunk: EditedHunk };

export function editedText(sections: EditedSections): EditedResult {
  const { file, edited, only } = sections;
  if (file.user.kind !== 'text') return undefined;
  const user = gitLines(file.user.text);
  const chosen = edited
    .flatMap(({ hunks }) => hunks)
    .filter(({ ids }) => only === undefined || ids.some((id) => only.has(id)));
  const blocks = diffBlocks(file);
  const fitted: Fitted[] = [];
  const misfits: (Misfit & { hunk?: string })[] = [];
  for (const hunk of chosen) {
    const isTwice = chosen.some((other) => other.line < hunk.line && other.ids.some((id) => hunk.ids.includes(id)));
    const settled = isTwice
      ? { at: hunk.line, reason: 'this hunk stands here twice' }
      : settledAs(file, hunk, sections);
    const fit = settled ?? fitHunk(hunk, writtenAs(hunk, blocks, sections), user);
    if (fit === 'skipped') continue;
    if ('reason' in fit) misfits.push({ ...fit, hunk: hunk.ids[0] ?? '' });
    else fitted.push({ ...fit, hunk });
  }
  fitted.sort((a, b) => a.line - b.line);
  for (const [index, { line, hunk }] of fitted.entries()) {
    const before = fitted[index - 1];
    if (before && before.line + before.count > line) {
      misfits.push({ at: hunk.line, reason: 'it overlaps another hunk', hunk: hunk.ids[0] ?? '' });
    }
  }
  if (misfits.length > 0) return { misfits };
  const mode = modeAfter(file) ?? file.user.mode;
  const saysMore = only === undefined && (movesStill(file) || mode !== file.user.mode);
  if (fitted.length === 0 && !saysMore) return undefined;
  const text = replaced(user, fitted);
  return {
    path: file.path,
    ...(movesStill(file) ? { from: file.userPath } : {}),
    before: file.user,
    after: { kind: 'text', text, mode },
    edits: lineEdits(file.user.text, text),
    hunks: idsOf(file, fitted, blocks),
  };
}

/** What can't be applied because of what was decided, or typed, since the document was written. */
function settledAs(file: ReviewFile, hunk: EditedHunk, sections: EditedSections): 'skipped' | Misfit | undefined {
  const known = hunk.ids.map((id) => file.hunks.find((one) => one.id === id));
  const misfit = (reason: string): Misfit => ({ at: hunk.line, reason });
  if (known.some((one) => one === undefined)) return misfit('this hunk is not in the review any more');
  const statuses = new Set(known.flatMap((one) => one?.status ?? []));
  if (statuses.has('conflicting')) return misfit('you have changed the same lines of your file since; they stay');
  if (statuses.size === 0 || (statuses.size === 1 && statuses.has('pending'))) return undefined;
  if (statuses.has('pending')) return misfit('a part of this hunk was decided already');
  const before = sections.written.flatMap(({ hunks }) => hunks).find((one) => sameIds(one.ids, hunk.ids));
  const isEdited = before !== undefined && JSON.stringify(before.body) !== JSON.stringify(hunk.body);
  // Applied by itself, as edited.
  if (isEdited && statuses.has('accepted') && standsIn(hunk, sections.file)) return 'skipped';
  return isEdited ? misfit(`this hunk was already ${[...statuses].join(' and ')}`) : 'skipped';
}

/** Whether the user's text has what the hunk makes of it. */
function standsIn({ body }: EditedHunk, { user }: ReviewFile): boolean {
  const plainly = (text: string): string => text.replaceAll('\r', '');
  const made = body.filter(({ mark }) => mark !== '-').map(({ text }) => plainly(`${text}\n`));
  return user.kind === 'text' && `\n${plainly(user.text)}\n`.includes(`\n${made.join('')}`);
}

/** The hunk as it was written, and where it stands now. */
function writtenAs(
  { ids }: EditedHunk,
  blocks: readonly DiffBlock[],
  { written, current }: EditedSections,
): Written | undefined {
  const block = ids.length > 0 ? blocks.find((one) => sameIds(one.hunks, ids)) : undefined;
  if (!block) return undefined;
  const lead = block.body.findIndex((line) => !line.startsWith(' '));
  const firstChanged = block.oldStart - (block.oldLines === 0 ? 0 : 1) + Math.max(0, lead);
  const of = (sections: EditedSections['written']): EditedHunk | undefined =>
    sections.flatMap(({ hunks }) => hunks).find((one) => sameIds(one.ids, ids));
  const original = of(written);
  if (original) return { hunk: original, firstChanged, contextMayDiffer: true };
  const now = of(current);
  return now && { hunk: now, firstChanged, contextMayDiffer: false };
}

const sameIds = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((id, index) => id === b[index]);

function replaced(user: readonly string[], replacements: readonly Replacement[]): string {
  const lines: string[] = [];
  let done = 0;
  for (const { line, count, lines: next } of replacements) {
    lines.push(...user.slice(done, line), ...next);
    done = line + count;
  }
  lines.push(...user.slice(done));
  // Only the last line of a file may have no end.
  return lines.map((line, index) => (line.endsWith('\n') || index === lines.length - 1 ? line : `${line}\n`)).join('');
}

/** Those that are named, that lie within a hunk without a name, and the one that is beyond lines. */
function idsOf(file: ReviewFile, fitted: readonly Fitted[], blocks: readonly DiffBlock[]): string[] {
  const ids = new Set(fitted.flatMap(({ hunk }) => hunk.ids));
  for (const { hunk, line, count } of fitted.filter(({ hunk }) => hunk.ids.length === 0)) {
    for (const { hunks, oldStart, oldLines } of blocks) {
      const start = oldStart - (oldLines === 0 ? 0 : 1);
      if (line <= start && start + oldLines <= line + count && hunk.body.length > 0)
        for (const id of hunks) ids.add(id);
    }
  }
  const isBeyondLines = (hunk: ReviewHunk): boolean => isWhole(hunk) && hunk.status === 'pending';
  for (const hunk of file.hunks.filter(isBeyondLines)) ids.add(hunk.id);
  return [...ids];
}
