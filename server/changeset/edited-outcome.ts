/** What applying an edited review document makes of the user's files: exactly what the document says, file by file or not at all. */
import type { ApplyResult } from '../protocol/changeset.ts';
import type { Contents } from './binary-patch.ts';
import { type EditedFile, parseReview, plain } from './edited-document.ts';
import type { Misfit } from './edited-hunk.ts';
import { editedText } from './edited-text.ts';
import { editedWhole } from './edited-whole.ts';
import { metadataAfter } from './metadata.ts';
import { reviewDiff } from './review-document.ts';
import type { FileOutcome, Review, ReviewFile } from './review-types.ts';

/**
 * `written`: the document as the server wrote it, where it is known; without it, lines of context can't be edited.
 * `hunks`, `files`: only these; what is sensitive is applied only where it is named here.
 */
export type EditedReview = {
  text: string;
  written?: string;
  hunks?: readonly string[];
  files?: readonly string[];
};

export type EditedOutcomes = Pick<ApplyResult, 'conflicts' | 'failed'> & { outcomes: FileOutcome[] };

/** The sections of one file, of the document as it is now and of those to compare it with. */
export type EditedSections = {
  file: ReviewFile;
  edited: readonly EditedFile[];
  written: readonly EditedFile[];
  current: readonly EditedFile[];
  /** Only these hunks. */
  only?: ReadonlySet<string>;
};

/** Nothing: there is nothing left to do. */
export type EditedResult = FileOutcome | undefined | { misfits: readonly (Misfit & { hunk?: string })[] };

/** Hunks that were taken out are not in the result: they stay as they are. */
export function editedOutcomes(review: Review, edited: EditedReview, contents: Contents): EditedOutcomes {
  const { text, written = '', hunks, files } = edited;
  const sections = byPath(text);
  const before = byPath(written);
  const current = byPath(reviewDiff(review, contents));
  const only = hunks && new Set(hunks);
  const result: EditedOutcomes = { outcomes: [], conflicts: [], failed: [] };
  for (const [path, parts] of sections) {
    const isNamed = files?.includes(path) || (only && parts.some((part) => idsIn(part).some((id) => only.has(id))));
    if ((files || only) && !isNamed) continue;
    const file = review.files.find((one) => metadataAfter(one).path === path);
    if (file?.sensitive !== undefined && !isNamed) {
      result.failed.push({ path, reason: `left out (${file.sensitive}); apply this file by itself` });
      continue;
    }
    const made = file
      ? editedFile({
          file,
          edited: parts,
          written: before.get(path) ?? [],
          current: current.get(path) ?? [],
          only: files?.includes(path) ? undefined : only,
        })
      : { misfits: [{ at: parts[0]?.line ?? 0, reason: 'this file is not in the review any more' }] };
    if (made && 'misfits' in made) tell(result, path, made.misfits);
    else if (made) result.outcomes.push(made);
  }
  for (const path of files ?? [])
    if (!sections.has(path)) result.failed.push({ path, reason: 'is not in review.diff' });
  return result;
}

function editedFile(sections: EditedSections): EditedResult {
  const { file, edited, written, current } = sections;
  for (const [index, { header, line }] of edited.entries()) {
    const known = [written[index], current[index]].filter((section) => section !== undefined);
    if (known.length > 0 && known.every((section) => headerOf(section.header) !== headerOf(header))) {
      return { misfits: [{ at: line, reason: 'the lines above the first hunk of a file can not be edited here' }] };
    }
  }
  const isText = file.user.kind === 'text' && file.agent.kind === 'text';
  return isText && !file.tooLarge ? editedText(sections) : editedWhole(sections);
}

const headerOf = (header: readonly string[]): string =>
  header
    .filter((line) => !/^(?:dis)?similarity index /.test(line))
    .map(plain)
    .join('\n');

const idsIn = ({ hunks, whole }: EditedFile): readonly string[] => [...hunks.flatMap(({ ids }) => ids), ...whole];

const byPath = (text: string): Map<string, EditedFile[]> => Map.groupBy(parseReview(text).files, ({ path }) => path);

function tell(result: EditedOutcomes, path: string, misfits: readonly (Misfit & { hunk?: string })[]): void {
  const said = ({ at, reason }: Misfit): string => `line ${at + 1} of review.diff: ${reason}`;
  for (const misfit of misfits) {
    if (misfit.hunk !== undefined) result.conflicts.push({ path, hunk: misfit.hunk, reason: said(misfit) });
  }
  const [first] = misfits;
  if (first) result.failed.push({ path, reason: said(first) });
}
