/** The edited hunks of a file that is a text and stays one: the text that they make of the user's, or why one does not fit. */
import { type DiffBlock, diffBlocks } from './diff-blocks.ts';
import type { EditedHunk } from './edited-document.ts';
import { fitHunk, type Misfit, type Replacement, type Written } from './edited-hunk.ts';
import type { EditedResult, EditedSections } from './edited-outcome.ts';
import { gitLines } from './git-lines.ts';
import { splitLines } from './lines.ts';
import { isWhole, metadataAfter } from './metadata.ts';
import { hunkEdits, lineEdits } from './outcome.ts';
import type { LineEdit, ReviewFile, ReviewHunk } from './review-types.ts';

/** What is known of the file's hunks, by their ids. */
type Known = {
  statuses: ReadonlyMap<string, ReviewHunk['status']>;
  blocks: ReadonlyMap<string, DiffBlock>;
  written: ReadonlyMap<string, EditedHunk>;
  current: ReadonlyMap<string, EditedHunk>;
};
type Fitted = Replacement & { hunk: EditedHunk };

export function editedText(sections: EditedSections): EditedResult {
  const { file, edited, only } = sections;
  if (file.user.kind !== 'text') return undefined;
  const user = gitLines(file.user.text);
  const chosen = edited
    .flatMap(({ hunks }) => hunks)
    .filter(({ ids }) => only === undefined || ids.some((id) => only.has(id)));
  const blocks = diffBlocks(file);
  const known: Known = {
    statuses: new Map(file.hunks.map(({ id, status }) => [id, status])),
    blocks: new Map(blocks.map((block) => [nameOf(block.hunks), block])),
    written: byName(sections.written),
    current: byName(sections.current),
  };
  const fitted: Fitted[] = [];
  const misfits: (Misfit & { hunk?: string })[] = [];
  const seen = new Set<string>();
  for (const hunk of chosen) {
    const isTwice = hunk.ids.some((id) => seen.has(id));
    for (const id of hunk.ids) seen.add(id);
    const settled = isTwice ? { at: hunk.line, reason: 'this hunk stands here twice' } : settledAs(file, hunk, known);
    const fit = settled ?? fitHunk(hunk, writtenAs(hunk, known), user);
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
  const { mode = file.user.mode, ...place } = metadataAfter(file);
  const saysMore = only === undefined && (place.from !== undefined || mode !== file.user.mode);
  if (fitted.length === 0 && !saysMore) return undefined;
  const text = replaced(user, fitted);
  return {
    ...place,
    before: file.user,
    after: { kind: 'text', text, mode },
    edits: editsOf(file.user.text, text, user.length, fitted),
    hunks: idsOf(file, fitted, blocks),
  };
}

/** With the hunks that they are of, where each stood in the document by itself. `linesCount`: as git counts them. */
function editsOf(before: string, after: string, linesCount: number, fitted: readonly Fitted[]): LineEdit[] {
  const areAlone = fitted.every(({ hunk }) => hunk.ids.length === 1);
  if (!areAlone || splitLines(before).length !== linesCount) return lineEdits(before, after);
  const hunks = fitted.map(({ hunk, line, count, lines }) => ({ line, deleteCount: count, lines, hunk: hunk.ids[0] }));
  return hunkEdits(before, after, hunks);
}

/** What can't be applied because of what was decided, or typed, since the document was written. */
function settledAs(file: ReviewFile, hunk: EditedHunk, known: Known): 'skipped' | Misfit | undefined {
  const misfit = (reason: string): Misfit => ({ at: hunk.line, reason });
  const statuses = new Set(hunk.ids.map((id) => known.statuses.get(id)));
  if (statuses.has(undefined)) return misfit('this hunk is not in the review any more');
  if (statuses.has('conflicting')) return misfit('you have changed the same lines of your file since; they stay');
  if (statuses.size === 0 || (statuses.size === 1 && statuses.has('pending'))) return undefined;
  if (statuses.has('pending')) return misfit('a part of this hunk was decided already');
  const before = known.written.get(nameOf(hunk.ids));
  const isEdited = before !== undefined && JSON.stringify(before.body) !== JSON.stringify(hunk.body);
  // Applied by itself, as edited.
  if (isEdited && statuses.has('accepted') && standsIn(hunk, file)) return 'skipped';
  return isEdited ? misfit(`this hunk was already ${[...statuses].join(' and ')}; take it out`) : 'skipped';
}

/** Whether the user's text has what the hunk makes of it. */
function standsIn({ body }: EditedHunk, { user }: ReviewFile): boolean {
  const plainly = (text: string): string => text.replaceAll('\r', '');
  const made = body.filter(({ mark }) => mark !== '-').map(({ text }) => plainly(`${text}\n`));
  return user.kind === 'text' && `\n${plainly(user.text)}\n`.includes(`\n${made.join('')}`);
}

/** The hunk as it was written, and where it stands now. */
function writtenAs({ ids }: EditedHunk, { blocks, written, current }: Known): Written | undefined {
  const name = nameOf(ids);
  const block = ids.length > 0 ? blocks.get(name) : undefined;
  if (!block) return undefined;
  const lead = block.body.findIndex((line) => !line.startsWith(' '));
  const firstChanged = block.oldStart - (block.oldLines === 0 ? 0 : 1) + Math.max(0, lead);
  const original = written.get(name);
  if (original) return { hunk: original, firstChanged, contextMayDiffer: true };
  const now = current.get(name);
  return now && { hunk: now, firstChanged, contextMayDiffer: false };
}

const nameOf = (ids: readonly string[]): string => ids.join(' ');

const byName = (sections: EditedSections['written']): Map<string, EditedHunk> =>
  new Map(sections.flatMap(({ hunks }) => hunks).map((hunk) => [nameOf(hunk.ids), hunk]));

function replaced(user: readonly string[], replacements: readonly Replacement[]): string {
  const lines: string[] = [];
  let done = 0;
  for (const { line, count, lines: next } of replacements) {
    for (; done < line; done++) lines.push(user[done] ?? '');
    for (const each of next) lines.push(each);
    done = line + count;
  }
  for (; done < user.length; done++) lines.push(user[done] ?? '');
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
