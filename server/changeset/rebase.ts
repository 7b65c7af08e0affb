/** Where the agent's blocks, made for the base, stand in the text as the user has it now. The user's lines always win. */
import { type Block, changedBlocks } from './hunks.ts';
import { type Landing, takenOut } from './landed.ts';

/**
 * `apart`: its base lines stand in the user's text, at `line`; `there`: the user's text has the same change already;
 * `conflict`: the user changed these lines, or lines that touch them. `line` and `count`: which of the user's lines.
 */
export type Placement =
  | { kind: 'apart' | 'there'; line: number; count: number }
  /** `instead`: what would stand in place of the user's lines if the agent's change were put over them. */
  | { kind: 'conflict'; line: number; count: number; instead: readonly string[] };

/**
 * One placement per block of base → agent, in their order.
 *
 * `landed`: blocks known to have been accepted into the user's text. They are taken out of it again before the user's
 * own changes are looked for, so that accepting one block makes no other look different. That is certain where no line
 * occurs twice in a text, and, however much the lines repeat, where the user has changed nothing. Where lines repeat and
 * the user has changed some, a landed block may be seen at another of equal lines: then the placement of the others may
 * be another, and so the text that several accepts end in may depend on their order. One that the user has changed since
 * can't be taken out, and counts as part of the base.
 */
export function rebase(
  base: readonly string[],
  agent: readonly string[],
  user: readonly string[],
  blocks: readonly Block[],
  landed: (block: number) => boolean = () => false,
): Placement[] {
  const landing = takenOut(base, agent, user, blocks, landed);
  const { lines, starts, userLines, landedAt } = landing;
  const byUser = changedBlocks(lines, userLines);
  const placements: Placement[] = [];
  let passed = 0;
  let shift = 0;
  blocks.forEach((block, index) => {
    const there = landedAt.get(index);
    if (there) {
      placements.push({ kind: 'there', ...there });
      return;
    }
    const start = starts[index] ?? 0;
    const end = start + block.oldCount;
    for (let own = byUser[passed]; own && own.oldLine + own.oldCount < start; own = byUser[++passed]) {
      shift = own.newLine + own.newCount - (own.oldLine + own.oldCount);
    }
    const touching: Block[] = [];
    for (let i = passed; (byUser[i]?.oldLine ?? Number.POSITIVE_INFINITY) <= end; i++) {
      const own = byUser[i];
      if (own) touching.push(own);
    }
    const newLines = agent.slice(block.newLine, block.newLine + block.newCount);
    placements.push(inUser(place({ start, end, shift, touching, newLines, base: lines, user: userLines }), landing));
  });
  return placements;
}

type Spot = {
  start: number;
  end: number;
  shift: number;
  touching: readonly Block[];
  newLines: readonly string[];
  base: readonly string[];
  user: readonly string[];
};

function place({ start, end, shift, touching, newLines, base, user }: Spot): Placement {
  const first = touching[0];
  const last = touching.at(-1);
  if (!first || !last) return { kind: 'apart', line: start + shift, count: end - start };
  const from = Math.min(start, first.oldLine);
  const to = Math.max(end, last.oldLine + last.oldCount);
  const line = Math.min(start + shift, first.newLine);
  const count = to + (last.newLine + last.newCount - (last.oldLine + last.oldCount)) - line;
  const isWhole =
    first === last && from === start && to === end && first.oldLine === start && first.oldCount === end - start;
  if (isWhole && sameLines(newLines, user.slice(first.newLine, first.newLine + first.newCount))) {
    return { kind: 'there', line, count };
  }
  return { kind: 'conflict', line, count, instead: [...base.slice(from, start), ...newLines, ...base.slice(end, to)] };
}

const sameLines = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((line, index) => line === b[index]);

/** The same place in the text that has the landed blocks in it. */
function inUser(placement: Placement, { fromTaken }: Landing): Placement {
  const { line, count } = placement;
  const start = fromTaken(line, 'start');
  const end = count === 0 ? start : fromTaken(line + count, 'end');
  return { ...placement, line: start, count: end - start };
}
