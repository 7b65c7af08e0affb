/** The hunks of one text: the agent's blocks, each where it stands in the user's text and as it was decided. */
import { agentBlocks } from './agent-blocks.ts';
import type { FileState } from './file-state.ts';
import { splitLines } from './lines.ts';
import type { TextState } from './metadata.ts';
import { type Placement, rebase } from './rebase.ts';
import type { Decisions, ReviewHunk } from './review-types.ts';

/** `inTheWay`: the user's text stands in its way, whatever was decided. */
export type TextHunk = { hunk: ReviewHunk; inTheWay: boolean };

/** Decided ones, and of the others those whose change the user's text does not have; `isThere`: it has that of another. */
export function textHunks(
  path: string,
  { base, agent, user }: { base: TextState; agent: TextState; user: FileState },
  decisions: Decisions,
): { hunks: TextHunk[]; isThere: boolean } {
  if (base.text === agent.text) return { hunks: [], isThere: false };
  const { baseLines, agentLines, blocks, ids } = agentBlocks(path, base.text, agent.text);
  const userLines = user.kind === 'text' ? splitLines(user.text) : [];
  const placements = (): Placement[] => {
    if (user.kind !== 'text') return blocks.map(() => ({ kind: 'conflict', line: 0, count: 0, instead: [] }));
    if (user.text === agent.text) {
      return blocks.map(({ newLine, newCount }) => ({ kind: 'there', line: newLine, count: newCount }));
    }
    return rebase(baseLines, agentLines, userLines, blocks, (index) => decisions.get(ids[index] ?? '') === 'accepted');
  };
  const hunks: TextHunk[] = [];
  let isThere = false;
  for (const [index, placement] of placements().entries()) {
    const id = ids[index];
    const block = blocks[index];
    if (id === undefined || block === undefined) continue;
    const { kind, line, count } = placement;
    const decided = decisions.get(id);
    if (!decided && kind === 'there') {
      isThere = true;
      continue;
    }
    const oldLines = baseLines.slice(block.oldLine, block.oldLine + block.oldCount);
    const newLines = agentLines.slice(block.newLine, block.newLine + block.newCount);
    const hunk = { id, line, oldLines, newLines };
    // Among lines that repeat, a place may be found that is not the right one: nothing else than was shown is ever replaced.
    const isOther = kind === 'apart' && oldLines.some((text, at) => userLines[line + at] !== text);
    const inTheWay = kind === 'conflict' || isOther;
    if (decided) hunks.push({ hunk: { ...hunk, status: decided }, inTheWay });
    else if (!inTheWay) hunks.push({ hunk: { ...hunk, status: 'pending' }, inTheWay });
    else {
      const instead = placement.kind === 'conflict' ? { insteadLines: placement.instead } : {};
      const conflict = { userLines: userLines.slice(line, line + count), ...instead };
      hunks.push({ hunk: { ...hunk, status: 'conflicting', ...conflict }, inTheWay });
    }
  }
  return { hunks, isThere };
}
