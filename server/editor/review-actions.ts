/** Accept and reject, for the hunk at the cursor, for its file, for everything: in source files and in `review.diff`. */
import type { CodeAction, Range } from 'vscode-languageserver';
import { locateInReview } from '../changeset/review-document.ts';
import type { Review, ReviewFile, ReviewHunk } from '../changeset/review-types.ts';
import { action } from './code-actions.ts';
import { conflictActions } from './conflict-actions.ts';
import { type FileInReview, hunksAt, isUndecided, type Reviews } from './reviews.ts';
import type { Session } from './session.ts';

/** In a source file. */
export function reviewActions(reviews: Reviews, path: string | undefined, range: Range): CodeAction[] {
  if (path === undefined) return [];
  const found = reviews.at(path);
  return found.flatMap(({ threadId, file }: FileInReview, index) => {
    const review = reviews.of(threadId);
    const suffix = found.length > 1 ? ` (${index + 1})` : '';
    const touched = hunksAt(file, range.start.line, range.end.line);
    return [
      ...hunkActions(threadId, touched, suffix),
      ...conflictActions(threadId, file, touched, suffix),
      ...fileActions(threadId, file, 'this file', suffix),
      ...(review ? allActions(threadId, review, suffix) : []),
    ];
  });
}

/** In `review.diff`, whatever the buffer has become: the hunk is found by the text around the line. */
export function reviewDocumentActions(
  { session, reviews }: { session: Session; reviews: Reviews },
  threadId: string,
  uri: string,
  line: number,
): CodeAction[] {
  const review = reviews.of(threadId);
  const document = session.documents.get(uri);
  if (!review) return [];
  const at = document && locateInReview(document.getText(), line);
  const file = at?.path === undefined ? undefined : review.files.find(({ path }) => path === at.path);
  const hunk = at?.hunk === undefined ? undefined : file?.hunks.find(({ id }) => id === at.hunk);
  return [
    ...(hunk ? hunkActions(threadId, [hunk], '') : []),
    ...(file && hunk ? conflictActions(threadId, file, [hunk], '') : []),
    ...(file ? fileActions(threadId, file, 'this file', '') : []),
    ...allActions(threadId, review, ''),
  ];
}

function hunkActions(threadId: string, touched: readonly ReviewHunk[], suffix: string): CodeAction[] {
  const ids = (hunks: readonly ReviewHunk[]): string[] => hunks.map(({ id }) => id);
  const pending = touched.filter(isPending);
  const open = touched.filter(isUndecided);
  const which = (count: number): string => (count === 1 ? 'this hunk' : `these ${count} hunks`) + suffix;
  return [
    ...(pending.length > 0
      ? [action('quickfix', `accept ${which(pending.length)}`, 'codex.accept', { threadId, hunks: ids(pending) })]
      : []),
    ...(open.length > 0
      ? [action('quickfix', `reject ${which(open.length)}`, 'codex.reject', { threadId, hunks: ids(open) })]
      : []),
  ];
}

function fileActions(threadId: string, file: ReviewFile, name: string, suffix: string): CodeAction[] {
  if (!file.hunks.some(isPending)) return [];
  const params = { threadId, files: [file.path] };
  return [
    action('quickfix', `accept all changes in ${name}${suffix}`, 'codex.accept', params),
    action('quickfix', `reject all changes in ${name}${suffix}`, 'codex.reject', params),
  ];
}

function allActions(threadId: string, review: Review, suffix: string): CodeAction[] {
  if (!review.files.some(({ hunks }) => hunks.some(isPending))) return [];
  return [
    action('quickfix', `accept all changes${suffix}`, 'codex.accept', { threadId }),
    action('quickfix', `reject all changes${suffix}`, 'codex.reject', { threadId }),
  ];
}

const isPending = ({ status }: ReviewHunk): boolean => status === 'pending';
