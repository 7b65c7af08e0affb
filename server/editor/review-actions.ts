/** Accept and reject, for the hunk at the cursor, for its file, for everything: in source files and in `review.diff`. */
import type { CodeAction, Range } from 'vscode-languageserver';
import { withoutComments } from '../changeset/edited-document.ts';
import { metadataAfter } from '../changeset/metadata.ts';
import { locateInReview } from '../changeset/review-document.ts';
import { isAsWritten } from '../changeset/review-mark.ts';
import type { Review, ReviewFile, ReviewHunk } from '../changeset/review-types.ts';
import { action } from './code-actions.ts';
import { conflictActions } from './conflict-actions.ts';
import type { LineDocument } from './line-document.ts';
import { type FileInReview, hunksAt, isUndecided, type Reviews } from './reviews.ts';
import type { Session } from './session.ts';

/** In a source file. */
export function reviewActions(reviews: Reviews, path: string | undefined, range: Range): CodeAction[] {
  if (path === undefined) return [];
  const found = reviews.at(path);
  return found.flatMap((inReview: FileInReview, index) => {
    const { threadId, file } = inReview;
    const review = reviews.of(threadId);
    const suffix = found.length > 1 ? ` (${index + 1})` : '';
    const touched = hunksAt(inReview, range.start.line, range.end.line);
    return [
      ...hunkActions(threadId, touched, suffix),
      ...conflictActions(threadId, file, touched, suffix),
      ...showActions(threadId, touched, suffix),
      ...fileActions(threadId, file, 'this file', suffix),
      ...(review ? allActions(threadId, review, suffix) : []),
    ];
  });
}

/**
 * In `review.diff`, whatever the buffer has become: the hunk is found by the text around the line. While a turn runs
 * nothing of its thread can be decided, for it may still change what would be: that is said instead.
 */
export function reviewDocumentActions(
  { session, reviews, isRunning }: { session: Session; reviews: Reviews; isRunning: boolean },
  threadId: string,
  uri: string,
  line: number,
): CodeAction[] {
  const review = reviews.of(threadId);
  const document = session.documents.get(uri);
  if (isRunning) return [action('quickfix', 'a turn runs: decide, apply and send when it has ended', 'codex.status')];
  if (!review) return [];
  const at = document && locateInReview(document.getText(), line);
  const file =
    at?.path === undefined
      ? undefined
      : review.files.find((one) => [one.path, metadataAfter(one).path].includes(at.path ?? ''));
  const hunk = at?.hunk === undefined ? undefined : file?.hunks.find(({ id }) => id === at.hunk);
  const { isEdited, hasComments } = wordsIn(document);
  const asEdited = (title: string, selection: object): CodeAction[] =>
    isEdited ? [action('quickfix', title, 'codex.applyEdited', { threadId, ...selection })] : [];
  // What is edited here is not what these accept.
  const how = isEdited ? ' unedited' : '';
  const send = hasComments ? [action('quickfix', 'send comments', 'codex.sendComments', { threadId })] : [];
  const first = { start: { line, character: 0 }, end: { line, character: 1 } };
  const isOnComment = document?.getText(first) === '>';
  return [
    ...(hunk && isPending(hunk) ? asEdited('accept this hunk as edited', { hunks: [hunk.id] }) : []),
    ...(hunk ? hunkActions(threadId, [hunk], '', how) : []),
    ...(file && hunk ? conflictActions(threadId, file, [hunk], '') : []),
    ...(isOnComment ? send : []),
    ...(file?.hunks.some(isPending) ? asEdited('apply this file as edited', { files: [file.path] }) : []),
    ...(file ? fileActions(threadId, file, 'this file', '', how) : []),
    ...asEdited('apply as edited', {}),
    ...allActions(threadId, review, '', how),
    ...(isOnComment ? [] : send),
  ];
}

type Words = { isEdited: boolean; hasComments: boolean };
/** Of each version once: a large document takes a moment, and editors ask at every step of the cursor. */
const seen = new WeakMap<LineDocument, Words & { version: number }>();

/** What the user has written into a review document. */
function wordsIn(document: LineDocument | undefined): Words {
  if (!document) return { isEdited: false, hasComments: false };
  const known = seen.get(document);
  if (known?.version === document.version) return known;
  const text = document.getText();
  const hasComments = /^>/m.test(text);
  const isEdited = !isAsWritten(hasComments ? withoutComments(text) : text);
  const words = { version: document.version, isEdited, hasComments };
  seen.set(document, words);
  return words;
}

function hunkActions(threadId: string, touched: readonly ReviewHunk[], suffix: string, how = ''): CodeAction[] {
  const ids = (hunks: readonly ReviewHunk[]): string[] => hunks.map(({ id }) => id);
  const pending = touched.filter(isPending);
  const open = touched.filter(isUndecided);
  const which = (count: number): string => (count === 1 ? 'this hunk' : `these ${count} hunks`) + suffix;
  return [
    ...(pending.length > 0
      ? [action('quickfix', `accept ${which(pending.length)}${how}`, 'codex.accept', { threadId, hunks: ids(pending) })]
      : []),
    ...(open.length > 0
      ? [action('quickfix', `reject ${which(open.length)}`, 'codex.reject', { threadId, hunks: ids(open) })]
      : []),
  ];
}

/** In the document that has all of the task's hunks, at the first of these. */
function showActions(threadId: string, [first]: readonly ReviewHunk[], suffix: string): CodeAction[] {
  if (!first) return [];
  return [
    action('quickfix', `show this hunk in review.diff${suffix}`, 'codex.openReview', { threadId, hunk: first.id }),
  ];
}

function fileActions(threadId: string, file: ReviewFile, name: string, suffix: string, how = ''): CodeAction[] {
  if (!file.hunks.some(isPending)) return [];
  const params = { threadId, files: [file.path] };
  return [
    action('quickfix', `accept all changes in ${name}${how}${suffix}`, 'codex.accept', params),
    action('quickfix', `reject all changes in ${name}${suffix}`, 'codex.reject', params),
  ];
}

/** `how`: they are accepted. */
function allActions(threadId: string, review: Review, suffix: string, how = ''): CodeAction[] {
  if (!review.files.some(({ hunks }) => hunks.some(isPending))) return [];
  return [
    action('quickfix', `accept all changes${how}${suffix}`, 'codex.accept', { threadId }),
    action('quickfix', `reject all changes${suffix}`, 'codex.reject', { threadId }),
  ];
}

const isPending = ({ status }: ReviewHunk): boolean => status === 'pending';
