/** Which hunks a request means. */
import { canGoOver } from '../changeset/over-mine.ts';
import type { Review, ReviewHunk } from '../changeset/review-types.ts';
import type { Selection } from './ports.ts';
import { Refusal } from './refusal.ts';

/**
 * Hunk ids, all of which may be decided now. Throws `unknownHunk`, `alreadyDecided` or, for one that can't be applied
 * over the user's text, `stale`. With neither hunks nor files: everything pending that is not sensitive.
 * `overMine` holds for hunks that are named, one by one.
 */
export function selectHunks(
  review: Review,
  { hunks, files, overMine }: Selection,
  options: { conflicting: boolean } = { conflicting: false },
): ReadonlySet<string> {
  const free = ({ status }: ReviewHunk): boolean =>
    status === 'pending' || (options.conflicting && status === 'conflicting');
  if (!hunks && !files) {
    const ordinary = review.files.filter(({ sensitive }) => sensitive === undefined);
    return new Set(ordinary.flatMap((file) => file.hunks.filter(free).map(({ id }) => id)));
  }
  const chosen = new Set<string>();
  for (const path of files ?? []) {
    const file = review.files.find((file) => file.path === path || file.from === path);
    if (!file) throw new Refusal('unknownHunk', `Nothing of ${path} is in this review.`, { file: path });
    const ids = file.hunks.filter(free).map(({ id }) => id);
    if (ids.length === 0) throw unfree(file.hunks[0], path);
    for (const id of ids) chosen.add(id);
  }
  for (const id of hunks ?? []) {
    const file = review.files.find((file) => file.hunks.some((hunk) => hunk.id === id));
    const hunk = file?.hunks.find((hunk) => hunk.id === id);
    if (!file || !hunk)
      throw new Refusal('unknownHunk', `There is no hunk ${id} in this review; codex/changeset lists them.`, {
        hunk: id,
      });
    const isOver = overMine && hunk.status === 'conflicting' && canGoOver(file);
    if (!free(hunk) && !isOver) throw unfree(hunk, `Hunk ${id}`);
    chosen.add(id);
  }
  return chosen;
}

function unfree(hunk: ReviewHunk | undefined, name: string): Refusal {
  const data = { hunk: hunk?.id };
  if (hunk?.status === 'conflicting') {
    return new Refusal('stale', `${name} was made for lines that you have changed since; your text stays.`, data);
  }
  return new Refusal('alreadyDecided', `${name} was already ${hunk?.status ?? 'decided'}.`, data);
}
