/** `review.diff`: written when it is opened, and again, on disk only, whenever the review changes. */
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { lineOfHunk } from '../changeset/review-place.ts';
import { homeFolderOf } from '../protocol/folders.ts';
import { Refusal } from '../task/refusal.ts';
import { isUndecided } from './reviews.ts';
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
  await writeShown(path, text);
  session.lastThread = threadId;
  session.folders.remember(workspace);
  if (!session.profile.showDocument)
    session.client.show('info', `Codex: the review is in ${within(root, path) ?? path}`);
  const line = hunk === undefined ? undefined : lineOfHunk(text, hunk);
  return { uri: show(session, path, { takeFocus: true, line }) };
}

/** `root`: the folder that the thread was delegated from. Whether the editor has it open: then it shows what the review was, until it is reloaded. */
export const isReviewOpen = (session: Session, threadId: string, root: string): boolean =>
  placesOf(session, threadId, root).some((path) => session.documents.at(path) !== undefined);

const placesOf = (session: Session, threadId: string, root: string): string[] => [
  join(root, '.codex', 'local', threadId, fileName),
  join(session.tasks.folderOf(threadId), fileName),
];

/** Brings the file up to date where there is one. */
export async function rewriteReview(session: Session, threadId: string, root: string): Promise<void> {
  for (const path of placesOf(session, threadId, root)) {
    const there = await readFile(path, 'utf8').catch(() => undefined);
    const open = session.documents.at(path);
    // What the user has written into it and not saved is theirs.
    if (there === undefined || (open && open.getText() !== there)) continue;
    await writeShown(path, await session.tasks.reviewDocument(threadId, session.documents));
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
