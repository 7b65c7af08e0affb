/** What becomes of the files: of the user's when hunks are accepted, and of the agent's copy at its next turn. */
import { agentText } from './agent-blocks.ts';
import { absent, type FileState } from './file-state.ts';
import { changedBlocks } from './hunks.ts';
import { applyLineEdits, splitLines } from './lines.ts';
import { isWhole, metadataAfter, metadataId, metadataStatus, movesStill } from './metadata.ts';
import { canGoOver, textOver } from './over-mine.ts';
import type { FileOutcome, LineEdit, Review, ReviewFile, ReviewHunk } from './review-types.ts';
import { areComparable } from './too-large.ts';

/**
 * What accepting exactly these hunks makes of each file; ids of hunks that are not pending are ignored. `overMine`: the
 * conflicting ones among them are put over the user's text.
 */
export function acceptOutcomes(
  review: Review,
  ids: ReadonlySet<string>,
  { overMine }: { overMine: boolean } = { overMine: false },
): FileOutcome[] {
  return review.files.flatMap((file) => {
    const chosen = file.hunks.filter(({ id }) => ids.has(id));
    const pending = chosen.filter(({ status }) => status === 'pending');
    const conflicting = overMine && canGoOver(file) ? chosen.filter(({ status }) => status === 'conflicting') : [];
    if (conflicting.length > 0) return [outcomeOver(file, [...pending, ...conflicting])].filter(isSome);
    return pending.length > 0 ? [outcomeOf(file, pending)] : [];
  });
}

const isSome = ({ hunks }: FileOutcome): boolean => hunks.length > 0;

function outcomeOver(file: ReviewFile, accepted: readonly ReviewHunk[]): FileOutcome {
  const { agent, user } = file;
  const { mode, ...place } = metadataAfter(file);
  const ids = accepted.map(({ id }) => id);
  const over = textOver(file, ids);
  const after: FileState = over === undefined || mode === undefined ? agent : { kind: 'text', text: over.text, mode };
  const taken = over === undefined ? accepted : accepted.filter(({ id }) => over.taken.includes(id));
  const replaced = taken
    .filter((hunk) => !isWhole(hunk))
    .map(({ id, line, oldLines, newLines, userLines, insteadLines }) => ({
      line,
      deleteCount: (userLines ?? oldLines).length,
      lines: insteadLines ?? newLines,
      hunk: id,
    }));
  return {
    ...place,
    before: user,
    after,
    edits: user.kind === 'text' && after.kind === 'text' ? hunkEdits(user.text, after.text, replaced) : [],
    hunks: taken.map(({ id }) => id),
  };
}

function outcomeOf(file: ReviewFile, accepted: readonly ReviewHunk[]): FileOutcome {
  const { agent, user, tooLarge } = file;
  const { mode, ...place } = metadataAfter(file);
  const hunks = accepted.map(({ id }) => id);
  if (user.kind !== 'text' || agent.kind !== 'text' || tooLarge)
    return { ...place, before: user, after: agent, edits: [], hunks };
  const edits: LineEdit[] = accepted
    .filter((hunk) => !isWhole(hunk))
    .map(({ id, line, oldLines, newLines }) => ({ line, deleteCount: oldLines.length, lines: newLines, hunk: id }));
  const text = edits.length === 0 ? user.text : applyLineEdits(splitLines(user.text), edits);
  return {
    ...place,
    before: user,
    after: { kind: 'text', text, mode: mode ?? user.mode },
    edits,
    hunks,
  };
}

/**
 * What makes `after` of `before`, where hunks put these lines in the place of others: each hunk's own lines by themselves,
 * named. Where that does not come to the same text, as the texts differ, and of no hunk.
 */
export function hunkEdits(before: string, after: string, hunks: readonly LineEdit[]): LineEdit[] {
  if (!areComparable(before, after)) return [];
  const lines = splitLines(before);
  const edits = hunks
    .toSorted((a, b) => a.line - b.line)
    .flatMap(({ line, deleteCount, lines: next, hunk }) =>
      blockEdits(lines.slice(line, line + deleteCount), next).map((edit) => ({
        ...edit,
        line: line + edit.line,
        hunk,
      })),
    );
  const ends = edits.map(({ line, deleteCount }) => line + deleteCount);
  // As everywhere, at least one unchanged line stands between two.
  const areApart = edits.every(({ line }, index) => line > (ends[index - 1] ?? -1));
  return areApart && applyLineEdits(lines, edits) === after ? edits : lineEdits(before, after);
}

/** What makes `before` of `now`, as edits of `now`: ascending, not overlapping. None where they are too large for it. */
export function lineEdits(now: string, before: string): LineEdit[] {
  if (!areComparable(now, before)) return [];
  return blockEdits(splitLines(now), splitLines(before));
}

const blockEdits = (oldLines: readonly string[], newLines: readonly string[]): LineEdit[] =>
  changedBlocks(oldLines, newLines).map(({ oldLine, oldCount, newLine, newCount }) => ({
    line: oldLine,
    deleteCount: oldCount,
    lines: newLines.slice(newLine, newLine + newCount),
  }));

/** What a path is in the copy when the next turn starts. */
export type CopyEntry = { base: FileState | 'unknown'; agent: FileState };

/**
 * What stays in the copy: accepted and rejected hunks have left it, pending and conflicting ones stay. A path that is
 * not in the map is as the user has it. A rename is two paths.
 */
export function nextCopy(review: Review): Map<string, CopyEntry> {
  const copy = new Map<string, CopyEntry>();
  for (const file of review.files) {
    const statuses = new Set(file.hunks.map(({ status }) => status));
    if (statuses.has('conflicting')) keepConflicting(file, copy);
    else if (statuses.has('pending')) keepPending(file, copy);
  }
  return copy;
}

/** Nothing stands in the way: the user's file as it is now is the new base. */
function keepPending(file: ReviewFile, copy: Map<string, CopyEntry>): void {
  const { path, from, after } = outcomeOf(
    file,
    file.hunks.filter(({ status }) => status === 'pending'),
  );
  if (from === undefined) {
    copy.set(path, { base: file.user, agent: after });
    return;
  }
  copy.set(from, { base: file.user, agent: absent });
  copy.set(path, { base: absent, agent: after });
}

/** The old base stays, for it is what the conflict is about; accepted hunks are part of it now, rejected ones gone. */
function keepConflicting(file: ReviewFile, copy: Map<string, CopyEntry>): void {
  const { path, base, agent, tooLarge } = file;
  if (base === 'unknown') {
    copy.set(path, { base, agent: withoutRejected(file) });
    return;
  }
  if (base.kind !== 'text' || agent.kind !== 'text' || tooLarge) {
    if (file.from !== undefined) copy.set(file.from, { base, agent: absent });
    copy.set(path, { base: file.from === undefined ? base : absent, agent });
    return;
  }
  const status = statusesOf(file);
  const fate = metadataFate(file, status.get(metadataId(path, file.from, base, agent)));
  const [given, kept] = [fate === 'given', fate !== 'dropped'];
  const newBase: FileState = {
    kind: 'text',
    text: agentText(path, base.text, agent.text, (id) => status.get(id) === 'accepted'),
    mode: given ? agent.mode : base.mode,
  };
  const newAgent: FileState = {
    kind: 'text',
    text: agentText(path, base.text, agent.text, (id) => status.get(id) !== 'rejected'),
    mode: kept ? agent.mode : base.mode,
  };
  if (movesStill(file) && kept) {
    copy.set(file.userPath, { base: newBase, agent: absent });
    copy.set(path, { base: absent, agent: newAgent });
  } else {
    copy.set(file.userPath, { base: newBase, agent: newAgent });
  }
}

/** What becomes of move and mode: `listed` is the status of their own hunk; without one, other hunks take them along. */
function metadataFate(file: ReviewFile, listed: ReviewHunk['status'] | undefined): 'given' | 'kept' | 'dropped' {
  const status = metadataStatus(file);
  const any = (wanted: ReviewHunk['status']) => file.hunks.some((hunk) => hunk.status === wanted);
  if (listed === 'accepted' || status === 'none') return 'given';
  if (listed !== undefined) return listed === 'rejected' ? 'dropped' : 'kept';
  // Also where the user has taken them back since, which is theirs to do: it is not asked again.
  if (any('accepted')) return 'given';
  return any('rejected') && !any('pending') && status === 'pending' ? 'dropped' : 'kept';
}

const statusesOf = (file: ReviewFile): Map<string, ReviewHunk['status']> =>
  new Map(file.hunks.map((hunk) => [hunk.id, hunk.status]));

function withoutRejected(file: ReviewFile): FileState {
  const { path, agent, user, tooLarge } = file;
  if (agent.kind !== 'text' || user.kind !== 'text' || tooLarge) return agent;
  const status = statusesOf(file);
  return { ...agent, text: agentText(path, user.text, agent.text, (id) => status.get(id) !== 'rejected') };
}
