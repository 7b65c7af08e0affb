/** Links in a workspace of several folders: one that leads between or around them leads out of the workspace. */
import { posix } from 'node:path';
import type { Review } from './review-types.ts';
import { linkOut } from './sensitive-links.ts';

/** The review with such links left out of "all". `folders`: all there is of the workspace, as its root sees them; nothing of one. */
export function withLinksInside(review: Review, folders: readonly string[] | undefined): Review {
  if (folders === undefined) return review;
  const files = review.files.map((file) => {
    const { path, agent, sensitive } = file;
    // Where a link to another, or an absolute one, leads is not known: such a one is left out already.
    if (sensitive !== undefined || agent.kind !== 'symlink') return file;
    const lead = posix.join(posix.dirname(path), agent.target.replaceAll('\\', '/'));
    const isInside = folders.some((folder) => `${lead}/`.startsWith(`${folder}/`));
    return isInside ? file : { ...file, sensitive: linkOut };
  });
  return { ...review, files };
}
