/** What is to be reviewed: the agent's changes, as hunks, against the user's files as they are now. */

import { agentBlocks } from './agent-blocks.ts';
import { type FileState, sameState } from './file-state.ts';
import { wholeId } from './hunk-id.ts';
import { splitLines } from './lines.ts';
import { metadataId, metadataStatus, movesStill } from './metadata.ts';
import { isGitPath, isOwnPath } from './path-rules.ts';
import { findRenames, type PairedChange, pairRenames } from './renames.ts';
import { ReviewMemory } from './review-memory.ts';
import type { CopyChange, Decisions, Review, ReviewFile, ReviewHunk } from './review-types.ts';
import { sensitiveReason } from './sensitive.ts';
import { linkKey } from './sensitive-links.ts';
import { type TextHunk, textHunks } from './text-hunks.ts';
import { costOf, tooLargeChanges } from './too-large.ts';

/**
 * `user`: the user's state of every path in `changes`, buffer over disk; a path that is not in it is absent.
 *
 * A decided hunk is listed with its decision. Of the others, those whose change the user's text already has are not
 * listed, and the rest is pending or conflicting. Files without a hunk are not listed; the rest is sorted by path.
 */
export function reviewOf(
  changes: readonly CopyChange[],
  user: ReadonlyMap<string, FileState>,
  decisions: Decisions,
): Review {
  const steps = reviewInSteps(changes, user, decisions, new ReviewMemory());
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** The same, with what `memory` has of the review before; whoever runs it may do something else after each file. */
export function* reviewInSteps(
  changes: readonly CopyChange[],
  user: ReadonlyMap<string, FileState>,
  decisions: Decisions,
  memory: ReviewMemory,
): Generator<void, Review> {
  const listed = changes.filter(({ path }) => !isGitPath(path) && !isOwnPath(path));
  const paired = pairRenames(
    memory.renames(listed, () => findRenames(listed)),
    user,
    decisions,
  );
  const cost = (change: PairedChange) => memory.cost(change, () => costOf(change));
  for (const change of paired) {
    cost(change);
    yield;
  }
  const tooLarge = tooLargeChanges(paired, cost);
  const links = new Set(listed.filter(({ agent }) => agent.kind === 'symlink').map(({ path }) => linkKey(path)));
  const allLinks = [...links].sort().join('\0');
  const files: ReviewFile[] = [];
  const settled: string[] = [];
  for (const each of paired) {
    const change: Change = tooLarge.has(each) ? { ...each, tooLarge: true } : each;
    const parts = [change.tooLarge, change.agent.kind === 'symlink' ? allLinks : ''];
    const file = memory.file(change, parts, decisions, (noted) => reviewFile(change, noted, links));
    if (file.hunks.length > 0) files.push(file);
    if (file.isThere) settled.push(file.userPath);
    yield;
  }
  memory.sweep();
  const sorted = files.sort((a, b) => (a.path < b.path ? -1 : 1));
  return { files: sorted, ...(settled.length > 0 ? { settled } : {}) };
}

type Change = PairedChange & { tooLarge?: true };

function reviewFile(change: Change, decisions: Decisions, links: ReadonlySet<string>): ReviewFile {
  const { path, from, userPath, base, agent, user, tooLarge } = change;
  const reasonAt = (at: string) => sensitiveReason(at, base, agent, links);
  const sensitive = reasonAt(path) ?? (from === undefined ? undefined : reasonAt(from));
  return {
    path,
    kind: kindOf(change),
    from,
    userPath,
    base,
    agent,
    user,
    sensitive,
    ...(tooLarge ? { tooLarge } : {}),
    ...hunksOf(change, decisions),
  };
}

function kindOf({ from, base, agent, user }: PairedChange): ReviewFile['kind'] {
  if (from !== undefined) return 'rename';
  if (agent.kind === 'absent') return 'delete';
  return (base === 'unknown' ? user : base).kind === 'absent' ? 'create' : 'modify';
}

type Listed = Pick<ReviewFile, 'hunks' | 'isThere'>;

function hunksOf(change: Change, decisions: Decisions): Listed {
  const { base, agent, user, tooLarge } = change;
  if (base === 'unknown') return orThere(baselessHunks(change, decisions));
  if (sameState(base, agent) && change.from === undefined) return { hunks: [] };
  if (base.kind !== 'text' || agent.kind !== 'text' || tooLarge) return orThere(wholeHunk(change, base, decisions));
  const { hunks: lineHunks, isThere } = textHunks(change.path, { base, agent, user }, decisions);
  const id = metadataId(change.path, change.from, base, agent);
  const hunks = [...lineHunks.map(({ hunk }) => hunk), ...metadataHunk(change, id, lineHunks, decisions)];
  return { hunks, ...(isThere ? { isThere } : {}) };
}

/** A change as a whole is not listed only where the user's file has it. */
const orThere = (hunks: readonly ReviewHunk[]): Listed => ({ hunks, ...(hunks.length === 0 ? { isThere: true } : {}) });

/** Move and mode, where no line hunk takes them along: one that the user's text does not stand in the way of. */
function metadataHunk(
  change: PairedChange,
  id: string,
  lineHunks: readonly TextHunk[],
  decisions: Decisions,
): ReviewHunk[] {
  const decided = decisions.get(id);
  const status = decided ?? metadataStatus(change);
  if (status === 'none') return [];
  const taken = lineHunks.some(({ inTheWay }) => status === 'conflicting' || !inTheWay);
  if (taken && !decided) return [];
  return [{ id, status, line: 0, oldLines: [], newLines: [] }];
}

/** A creation, a deletion, or a change that has no lines: all of the file or nothing. */
function wholeHunk(change: Change, base: FileState, decisions: Decisions): ReviewHunk[] {
  const { path, agent, user } = change;
  const id = wholeId(path, base, agent);
  const decided = decisions.get(id);
  const pending = sameState(user, base) && base.kind !== 'other' && agent.kind !== 'other';
  if (!decided && sameState(user, agent) && !movesStill(change)) return [];
  const status = decided ?? (pending ? 'pending' : 'conflicting');
  const linesOf = linesIn(change);
  return [
    {
      id,
      status,
      line: 0,
      oldLines: agent.kind === 'absent' ? linesOf(base) : [],
      newLines: base.kind === 'absent' ? linesOf(agent) : [],
      ...(status === 'conflicting' ? { userLines: linesOf(user) } : {}),
    },
  ];
}

/** The lines of a state of this change that are shown. */
const linesIn =
  ({ tooLarge }: Change) =>
  (state: FileState): string[] =>
    state.kind === 'text' && !tooLarge ? splitLines(state.text) : [];

/** Nobody knows what the agent started from: everything that differs is shown, and none of it is guessed to fit. */
function baselessHunks(change: Change, decisions: Decisions): ReviewHunk[] {
  const { path, agent, user, tooLarge } = change;
  if (tooLarge || user.kind !== 'text' || agent.kind !== 'text' || user.text === agent.text) {
    if (sameState(user, agent)) return [];
    const id = wholeId(path, user, agent);
    const status = decisions.get(id) ?? 'conflicting';
    const onlyMode = user.kind === 'text' && agent.kind === 'text';
    const linesOf = linesIn(change);
    const [oldLines, newLines] = onlyMode ? [[], []] : [linesOf(user), linesOf(agent)];
    return [{ id, status, line: 0, oldLines, newLines, userLines: oldLines }];
  }
  const { baseLines, agentLines, blocks, ids } = agentBlocks(path, user.text, agent.text);
  return blocks.map((block, index) => {
    const id = ids[index] ?? '';
    const oldLines = baseLines.slice(block.oldLine, block.oldLine + block.oldCount);
    const newLines = agentLines.slice(block.newLine, block.newLine + block.newCount);
    return {
      id,
      status: decisions.get(id) ?? 'conflicting',
      line: block.oldLine,
      oldLines,
      newLines,
      userLines: oldLines,
    };
  });
}

/** Of hunks that are pending or conflicting: files that have one, lines added and lines removed. */
export function countChanges(review: Review): { files: number; additions: number; deletions: number } {
  const open = review.files
    .map(({ hunks }) => hunks.filter(({ status }) => status === 'pending' || status === 'conflicting'))
    .filter((hunks) => hunks.length > 0);
  const hunks = open.flat();
  return {
    files: open.length,
    additions: hunks.reduce((sum, { newLines }) => sum + newLines.length, 0),
    deletions: hunks.reduce((sum, { oldLines }) => sum + oldLines.length, 0),
  };
}
