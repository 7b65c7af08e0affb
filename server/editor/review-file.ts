/**
 * `review.diff`: written when it is opened, and again, on disk only, whenever the review changes; never over what the
 * user has written into it, saved or not.
 */
import { readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { isAsWritten, markOf } from '../changeset/review-mark.ts';
import { lineOfHunk } from '../changeset/review-place.ts';
import { withoutSent } from '../changeset/sent-comments.ts';
import { homeFolderOf } from '../protocol/folders.ts';
import { Refusal } from '../task/refusal.ts';
import { keepVersion } from './review-versions.ts';
import { isUndecided } from './reviews.ts';
import { sentComments } from './sent-comments.ts';
import type { Session } from './session.ts';
import { folderFor, rootOfLocal, show, writeShown } from './shown-files.ts';
import { within } from './uri.ts';

const fileName = 'review.diff';

/** Writes it, asks the editor to show it, at a hunk if one is named, and makes the thread the connection's own. */
export async function openReview(session: Session, threadId: string, hunk?: string): Promise<{ uri: string }> {
  await session.settled();
  const workspace = await session.tasks.workspaceOf(threadId);
  const root = homeFolderOf(workspace);
  const { files } = await session.tasks.review(threadId, session.documents);
  if (!files.some(({ hunks }) => hunks.some(isUndecided))) {
    throw new Refusal('nothingToReview', 'This task has changed nothing that is still to be reviewed.');
  }
  const text = await session.tasks.reviewDocument(threadId, session.documents);
  const path = join(await folderFor(session, root, threadId, session.tasks.folderOf(threadId)), fileName);
  await keepVersion(session.tasks.folderOf(threadId), text);
  const isKept = await holdsWords(session, threadId, path);
  if (!isKept) await writeShown(path, text);
  session.lastThread = threadId;
  session.folders.remember(workspace);
  const name = within(root, path) ?? path;
  if (isKept) session.client.show('warning', `Codex: ${name} ${keptWords}`);
  else if (showsAnother(session, path, text))
    session.client.show('info', `Codex: ${name} was renewed: ${session.profile.reload}.`);
  else if (!session.profile.showDocument) session.client.show('info', `Codex: the review is in ${name}`);
  const line = hunk === undefined || isKept ? undefined : lineOfHunk(text, hunk);
  return { uri: show(session, path, { takeFocus: true, line }) };
}

/** Whether the editor has it open with the review as it was before. */
function showsAnother(session: Session, path: string, text: string): boolean {
  const document = session.documents.at(path);
  return document !== undefined && markOf(document.getText()) !== markOf(text);
}

/** `root`: the folder that the thread was delegated from. Whether the editor has it open: then it shows what the review was, until it is reloaded. */
export const isReviewOpen = (session: Session, threadId: string, root: string): boolean =>
  placesOf(session, threadId, root).some((path) => session.documents.at(path) !== undefined);

/** What to do about a review that is open, as a sentence; undefined where none is. */
export async function reloadHint(session: Session, threadId: string, root: string): Promise<string | undefined> {
  const path = placesOf(session, threadId, root).find((one) => session.documents.at(one) !== undefined);
  if (path === undefined) return undefined;
  if (await holdsWords(session, threadId, path)) return 'review.diff keeps what you wrote: apply or send it.';
  return `In review.diff: ${session.profile.reload}.`;
}

const keptWords = 'holds what you wrote and was not renewed: apply or send that, or delete the file and open it again.';

/** Whether the user has written into the file, or into its buffer, what is neither applied nor sent. */
async function holdsWords(session: Session, threadId: string, path: string): Promise<boolean> {
  const sent = await sentComments(session.tasks.folderOf(threadId));
  const isTheirs = (text: string | undefined): boolean =>
    text !== undefined &&
    text !== '' &&
    !isAsWritten(withoutSent(text, sent)) &&
    session.usedReviews.get(path) !== text;
  // The buffer last: it may change while the file is read.
  return (
    isTheirs(await readFile(path, 'utf8').catch(() => undefined)) || isTheirs(session.documents.at(path)?.getText())
  );
}

export const placesOf = (session: Session, threadId: string, root: string): string[] => [
  join(root, '.codex', 'local', threadId, fileName),
  join(session.tasks.folderOf(threadId), fileName),
];

/** One after the other, so that the last to be written is the last that was read. */
const rewriting = new WeakMap<Session, Promise<void>>();

/** Brings the file up to date where there is one. */
export function rewriteReview(session: Session, threadId: string, root: string): Promise<void> {
  const rewritten = (rewriting.get(session) ?? Promise.resolve()).then(() => rewrite(session, threadId, root));
  rewriting.set(
    session,
    rewritten.catch(() => {}),
  );
  return rewritten;
}

async function rewrite(session: Session, threadId: string, root: string): Promise<void> {
  for (const path of placesOf(session, threadId, root)) {
    if ((await stat(path).catch(() => undefined)) === undefined) continue;
    const text = await session.tasks.reviewDocument(threadId, session.documents);
    await keepVersion(session.tasks.folderOf(threadId), text);
    if (!(await holdsWords(session, threadId, path))) await writeShown(path, text);
  }
}

/** The thread whose `review.diff` this is, by its path alone. */
export function threadOfReview(session: Session, path: string): string | undefined {
  if (basename(path) !== fileName) return undefined;
  const root = rootOfLocal(path);
  const folder = path.slice(0, -fileName.length - 1);
  const threadId = basename(folder);
  if (root !== undefined && within(join(root, '.codex', 'local', threadId), path) !== undefined) return threadId;
  return session.tasks.folderOf(threadId) === folder ? threadId : undefined;
}
