/** Comments of a review document that were sent: each is known by its words and by what it stands under. */
import { createHash } from 'node:crypto';
import { type Comment, parseReview } from './edited-document.ts';
import { markOf } from './review-mark.ts';

const keyDigits = 16;

/** The same comment, written into a later text of the review, has another key. Without its mark a text can't be told from later ones. */
function commentKey(text: string, { place, text: said }: Comment): string | undefined {
  const mark = markOf(text);
  if (mark === undefined) return undefined;
  const parts = [mark, place.path ?? '', place.hunk ?? '', said];
  return createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, keyDigits);
}

export const commentKeys = (text: string): string[] =>
  parseReview(text).comments.flatMap((comment) => commentKey(text, comment) ?? []);

/** `sent`: keys. */
export const wasSent = (text: string, comment: Comment, sent: ReadonlySet<string>): boolean =>
  sent.has(commentKey(text, comment) ?? '');

/** The document without comments that were sent. `sent`: their keys. */
export function withoutSent(text: string, sent: ReadonlySet<string>): string {
  if (sent.size === 0) return text;
  const firsts = new Set(
    parseReview(text).comments.flatMap((comment) => (wasSent(text, comment, sent) ? [comment.line] : [])),
  );
  let isSent = false;
  const kept = text.split('\n').filter((line, at) => {
    isSent = line.startsWith('>') && (isSent || firsts.has(at));
    return !isSent;
  });
  return kept.join('\n');
}
