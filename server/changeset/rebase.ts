/** Where the agent's blocks, made for the base, stand in the text as the user has it now. The user's lines always win. */
import { type Block, changedBlocks } from './hunks.ts';

/**
 * `apart`: its base lines stand in the user's text, at `line`; `there`: the user's text has the same change already;
 * `conflict`: the user changed these lines, or lines that touch them. `line` and `count`: which of the user's lines.
 */
export type Placement = { kind: 'apart' | 'there' | 'conflict'; line: number; count: number };

/**
 * One placement per block of base → agent, in their order.
 *
 * `landed`: blocks known to have been accepted into the user's text. They count as part of the base, so that
 * accepting one block never makes another look different, however much the lines repeat.
 */
export function rebase(
  base: readonly string[],
  agent: readonly string[],
  user: readonly string[],
  blocks: readonly Block[],
  landed: (block: number) => boolean = () => false,
): Placement[] {
  const { lines, starts } = withLanded(base, agent, blocks, landed);
  const byUser = changedBlocks(lines, user);
  const placements: Placement[] = [];
  let passed = 0;
  let shift = 0;
  blocks.forEach((block, index) => {
    const start = starts[index] ?? 0;
    const isLanded = landed(index);
    const end = start + (isLanded ? block.newCount : block.oldCount);
    for (let own = byUser[passed]; own && own.oldLine + own.oldCount < start; own = byUser[++passed]) {
      shift = own.newLine + own.newCount - (own.oldLine + own.oldCount);
    }
    const touching: Block[] = [];
    for (let i = passed; (byUser[i]?.oldLine ?? Number.POSITIVE_INFINITY) <= end; i++) {
      const own = byUser[i];
      if (own) touching.push(own);
    }
    placements.push(place({ start, end, shift, touching, isLanded }, (own) => sameChange(block, own, agent, user)));
  });
  return placements;
}

type Spot = { start: number; end: number; shift: number; touching: readonly Block[]; isLanded: boolean };

function place({ start, end, shift, touching, isLanded }: Spot, same: (own: Block) => boolean): Placement {
  const first = touching[0];
  const last = touching.at(-1);
  if (!first || !last) return { kind: isLanded ? 'there' : 'apart', line: start + shift, count: end - start };
  const firstEnd = first.oldLine + first.oldCount;
  if (isLanded && firstEnd <= start) {
    const line = start + first.newLine + first.newCount - firstEnd;
    return { kind: 'there', line, count: end - start };
  }
  const line = Math.min(start + shift, first.newLine);
  const lastEnd = last.newLine + last.newCount;
  const userEnd = Math.max(lastEnd, end + lastEnd - (last.oldLine + last.oldCount));
  const whole = first === last && first.oldLine === start && firstEnd === end;
  const kind = isLanded || (whole && same(first)) ? 'there' : 'conflict';
  return { kind, line, count: userEnd - line };
}

function sameChange(block: Block, own: Block, agent: readonly string[], user: readonly string[]): boolean {
  if (block.newCount !== own.newCount) return false;
  for (let i = 0; i < block.newCount; i++) {
    if (agent[block.newLine + i] !== user[own.newLine + i]) return false;
  }
  return true;
}

/** The base with the landed blocks in it, and where each block begins there. */
function withLanded(
  base: readonly string[],
  agent: readonly string[],
  blocks: readonly Block[],
  landed: (block: number) => boolean,
): { lines: readonly string[]; starts: readonly number[] } {
  const lines: string[] = [];
  const starts: number[] = [];
  let done = 0;
  blocks.forEach((block, index) => {
    for (; done < block.oldLine; done++) lines.push(base[done] ?? '');
    starts.push(lines.length);
    if (!landed(index)) return;
    for (let i = 0; i < block.newCount; i++) lines.push(agent[block.newLine + i] ?? '');
    done += block.oldCount;
  });
  for (; done < base.length; done++) lines.push(base[done] ?? '');
  return { lines, starts };
}
