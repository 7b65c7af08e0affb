/** Who does what of an accepted change, the editor or the server: decided before anything is done. */
import { gitMode } from './file-state.ts';
import type { ApplyPlan, ApplyProfile, FileOutcome } from './review-types.ts';

/**
 * `open`: version of each open document, by the path the user has it at.
 *
 * Text is the editor's as far as the profile trusts it; creations, deletions, renames, modes and everything that is
 * not text are the server's. A disk entry whose `before` and `after` have the same text is a change of mode alone:
 * a chmod, whatever text is on disk, for the buffer it stands for may not be saved.
 */
export function planApply(
  outcomes: readonly FileOutcome[],
  open: ReadonlyMap<string, number>,
  profile: ApplyProfile,
): ApplyPlan {
  const editor: ApplyPlan['editor'][number][] = [];
  const disk: ApplyPlan['disk'][number][] = [];
  for (const outcome of outcomes) {
    const { path, from, before, after, edits, restores } = outcome;
    const version = open.get(path) ?? null;
    const byEditor =
      isTextEdit(outcome) && (profile.mode === 'editor' || (profile.mode === 'mixed' && version !== null));
    if (!byEditor) {
      disk.push({
        path,
        ...(from === undefined ? {} : { from }),
        before,
        after,
        ...(restores ? { restores } : {}),
      });
      continue;
    }
    editor.push({ path, version, edits, after });
    if (before.kind === 'text' && after.kind === 'text' && gitMode(before.mode) !== gitMode(after.mode)) {
      disk.push({ path, before, after: { ...before, mode: after.mode } });
    }
  }
  return { editor, disk };
}

const isTextEdit = ({ from, before, after, edits }: FileOutcome): boolean =>
  from === undefined && before.kind === 'text' && after.kind === 'text' && edits.length > 0;
