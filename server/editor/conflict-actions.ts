/** How a conflict is settled where neither side is simply dropped: made anew on the user's version, or put over it. */
import type { CodeAction } from 'vscode-languageserver';
import { isWhole } from '../changeset/metadata.ts';
import { canGoOver } from '../changeset/over-mine.ts';
import { redoOf, redoPrompt } from '../changeset/redo.ts';
import type { ReviewFile, ReviewHunk } from '../changeset/review-types.ts';
import type { Params, Result } from '../protocol/methods.ts';
import { Refusal } from '../task/refusal.ts';
import { action } from './code-actions.ts';
import type { Session } from './session.ts';
import { startTask } from './start-task.ts';
import { threadOf } from './threads.ts';

/** For the conflicting ones of the hunks at the cursor. */
export function conflictActions(
  threadId: string,
  file: ReviewFile,
  touched: readonly ReviewHunk[],
  suffix: string,
): CodeAction[] {
  const here = touched.filter(isConflicting);
  const [first] = here;
  if (!first) return [];
  const others = file.hunks.filter(isConflicting).length - 1;
  const which = others === 0 ? 'this hunk' : `this hunk and ${others} more in conflict`;
  const what = here.every(isWhole) || file.user.kind !== 'text' ? 'version' : 'lines';
  const over = { threadId, hunks: here.map(({ id }) => id), overMine: true };
  return [
    action('quickfix', `redo ${which} on my version${suffix}`, 'codex.redoHunk', { threadId, hunk: first.id }),
    ...(canGoOver(file)
      ? [action('quickfix', `put the agent's ${what} over mine${suffix}`, 'codex.accept', over)]
      : []),
  ];
}

/** `codex/redoHunk`. Throws `unknownHunk`, `alreadyDecided`, or `stale` for one that is in no conflict any more. */
export async function redoHunk(session: Session, params: Params<'codex/redoHunk'>): Promise<Result<'codex/redoHunk'>> {
  await session.settled();
  const threadId = await threadOf(session, params);
  const review = await session.tasks.review(threadId, session.documents);
  const redo = redoOf(review, params.hunk);
  if (redo) return startTask(session, { threadId, prompt: redoPrompt(redo), redo: params.hunk });
  const data = { hunk: params.hunk };
  const hunk = review.files.flatMap(({ hunks }) => hunks).find(({ id }) => id === params.hunk);
  if (!hunk) {
    const sentence = `There is no hunk ${params.hunk} in this review; codex/changeset lists them.`;
    throw new Refusal('unknownHunk', sentence, data);
  }
  if (hunk.status !== 'pending')
    throw new Refusal('alreadyDecided', `Hunk ${hunk.id} was already ${hunk.status}.`, data);
  throw new Refusal('stale', `Hunk ${hunk.id} is in no conflict with your text: accept or reject it.`, data);
}

const isConflicting = ({ status }: ReviewHunk): boolean => status === 'conflicting';
