/** What the user has made of `review.diff`: applied as it stands there, and its comments sent. */
import { readFile } from 'node:fs/promises';
import { hasNotes } from '../changeset/edited-document.ts';
import { asWrittenIn } from '../changeset/edited-parts.ts';
import { commentsPrompt } from '../changeset/review-comments.ts';
import { isAsWritten } from '../changeset/review-mark.ts';
import { commentKeys, withoutSent } from '../changeset/sent-comments.ts';
import type { Params, Result } from '../protocol/methods.ts';
import { Refusal } from '../task/refusal.ts';
import { placesOf, rewriteReview } from './review-file.ts';
import { versionOf } from './review-versions.ts';
import { keepSent, sentComments } from './sent-comments.ts';
import type { Session } from './session.ts';
import { startTask } from './start-task.ts';
import { threadOf } from './threads.ts';

type ReviewText = { threadId: string; root: string; text: string; path?: string };

/** Answers before the outcome is known; `result` never rejects. */
export async function applyEdited(
  session: Session,
  params: Params<'codex/applyEdited'>,
): ReturnType<Session['tasks']['applyEdited']> {
  await session.settled();
  const found = await reviewText(session, params);
  const { threadId, text } = found;
  const { hunks, files } = params;
  const folder = session.tasks.folderOf(threadId);
  const written = await versionOf(folder, text);
  const unsent = withoutSent(text, await sentComments(folder));
  const { applyId, result } = await session.tasks.applyEdited(threadId, { text, written, hunks, files }, session.face);
  const isAll = written !== undefined && isAllOf(unsent, written, { hunks, files });
  const finished = result.then(async (done) => {
    if (isAll && done.failed.length === 0 && done.conflicts.length === 0) await used(session, found);
    return done;
  });
  session.applyingEdited = finished;
  return { applyId, result: finished };
}

/** Whether nothing is left of what the user wrote once this selection of it is applied. */
function isAllOf(text: string, written: string, { hunks, files }: { hunks?: string[]; files?: string[] }): boolean {
  if (!hunks && !files) return !hasNotes(text, written);
  return isAsWritten(asWrittenIn(text, written, { hunks, files }));
}

/** Throws `nothingToSend`. */
export async function sendComments(
  session: Session,
  params: Params<'codex/sendComments'>,
): Promise<Result<'codex/sendComments'>> {
  await session.settled();
  const found = await reviewText(session, params);
  const { threadId, text } = found;
  const folder = session.tasks.folderOf(threadId);
  // What is named in the request is for the client to know.
  const sent = found.path === undefined ? undefined : await sentComments(folder);
  const prompt = commentsPrompt(text, sent);
  if (prompt === undefined) {
    const wereSent = commentsPrompt(text) !== undefined;
    const what = wereSent ? 'All comments in review.diff were sent already' : 'There is no comment in review.diff';
    throw new Refusal('nothingToSend', `${what}: write one below a hunk, beginning with ">".`);
  }
  const started = await startTask(session, { threadId, prompt });
  // They stay where the user has them, as edited lines that are not applied yet do. The turn's own events renew the file.
  if (sent) await keepSent(folder, commentKeys(text)).catch((error) => session.skipped('review.diff', error));
  return started;
}

/** As it was given, else the open buffer, else the file. Throws `nothingToReview`. */
async function reviewText(session: Session, params: { threadId?: string; text?: string }): Promise<ReviewText> {
  const threadId = await threadOf(session, params);
  const root = await session.tasks.rootOf(threadId);
  if (params.text !== undefined) return { threadId, root, text: params.text };
  const places = placesOf(session, threadId, root);
  for (const path of places) {
    const text = session.documents.at(path)?.getText();
    if (text !== undefined) return { threadId, root, text, path };
  }
  for (const path of places) {
    const text = await readFile(path, 'utf8').catch(() => undefined);
    if (text !== undefined) return { threadId, root, text, path };
  }
  throw new Refusal('nothingToReview', 'This task has no review.diff yet; codex.openReview writes it.');
}

/** Nothing that the user wrote into it is still to be done: it may be brought up to date again. */
async function used(session: Session, { threadId, root, text, path }: ReviewText): Promise<void> {
  if (path === undefined) return;
  session.usedReviews.set(path, text);
  await rewriteReview(session, threadId, root).catch((error) => session.skipped('review.diff', error));
}
