/** The agent's change put over the user's lines, because the user said so of this very hunk. */
import { agentText } from './agent-blocks.ts';
import { applyLineEdits, splitLines } from './lines.ts';
import type { TextState } from './metadata.ts';
import type { LineEdit, ReviewFile, ReviewHunk } from './review-types.ts';
import { textHunks } from './text-hunks.ts';

/** What could not be brought back afterwards, or was never seen, is never written over; a device never made. */
export const canGoOver = ({ user, agent }: ReviewFile): boolean => user.kind !== 'other' && agent.kind !== 'other';

/** The user's text with the hunks of `taken` in it. */
export type Over = { text: string; taken: readonly string[] };

/**
 * With these hunks, pending and conflicting ones; ids. Undefined where the file is taken whole. Each where it was shown;
 * where the same lines of the user stand in the way of several hunks, one after the other, for the first may free the
 * rest. One that would then replace more of the user's lines than was shown is not taken.
 */
export function textOver(file: ReviewFile, ids: readonly string[]): Over | undefined {
  const { path, base, agent, user, tooLarge, hunks } = file;
  if (agent.kind !== 'text' || tooLarge || (base !== 'unknown' && base.kind !== 'text')) return undefined;
  if (base === 'unknown') {
    return user.kind === 'text' ? { text: withLines(user.text, hunks, ids), taken: ids } : undefined;
  }
  const accepted = (id: string): boolean =>
    ids.includes(id) || hunks.some((hunk) => hunk.id === id && hunk.status === 'accepted');
  if (user.kind !== 'text') return { text: agentText(path, base.text, agent.text, accepted), taken: ids };
  const decided = decisionsOf(hunks);
  const shown = new Set([base.text, agent.text].flatMap(splitLines));
  for (const { id, userLines = [] } of hunks) if (ids.includes(id)) for (const line of userLines) shown.add(line);
  const apart = hunksApart(hunks.filter(({ id }) => ids.includes(id)));
  const taken = apart.map(({ id }) => id);
  for (const id of taken) decided.set(id, 'accepted');
  let now: TextState = { ...user, text: applyLineEdits(splitLines(user.text), apart.map(editOf)) };
  for (const id of ids.filter((id) => !taken.includes(id))) {
    const hunk = textHunks(path, { base, agent, user: now }, decided).hunks.find((found) => found.hunk.id === id)?.hunk;
    if (!(hunk?.userLines ?? []).every((line) => shown.has(line))) continue;
    if (hunk) now = { ...now, text: applyLineEdits(splitLines(now.text), [editOf(hunk)]) };
    decided.set(id, 'accepted');
    taken.push(id);
  }
  return { text: now.text, taken };
}

/** Those whose lines are no other's, and beside which an unchanged line stands; ascending. */
function hunksApart(hunks: readonly ReviewHunk[]): ReviewHunk[] {
  const ordered = hunks.toSorted((a, b) => a.line - b.line).map((hunk) => ({ ...editOf(hunk), shown: hunk }));
  return ordered
    .filter(({ line, deleteCount }, index) => {
      const [before, next] = [ordered.slice(0, index), ordered[index + 1]];
      const isAfter = before.every((other) => other.line + other.deleteCount < line);
      return isAfter && (next === undefined || line + deleteCount < next.line);
    })
    .map(({ shown }) => shown);
}

const editOf = ({ line, oldLines, newLines, userLines, insteadLines }: ReviewHunk): LineEdit => ({
  line,
  deleteCount: (userLines ?? oldLines).length,
  lines: insteadLines ?? newLines,
});

/** Hunks of an unknown base are the differences to the user's text itself. */
function withLines(text: string, hunks: readonly ReviewHunk[], ids: readonly string[]): string {
  const edits = hunks.filter(({ id }) => ids.includes(id)).map(editOf);
  return applyLineEdits(splitLines(text), edits);
}

function decisionsOf(hunks: readonly ReviewHunk[]): Map<string, 'accepted' | 'rejected'> {
  return new Map(
    hunks.flatMap(({ id, status }) => (status === 'accepted' || status === 'rejected' ? [[id, status] as const] : [])),
  );
}
