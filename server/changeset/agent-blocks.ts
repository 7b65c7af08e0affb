/** The agent's blocks of one text and the ids of their hunks. They depend on nothing the user does. */
import { hunkId } from './hunk-id.ts';
import { type Block, changedBlocks } from './hunks.ts';
import { applyLineEdits, splitLines } from './lines.ts';

export type AgentBlocks = {
  baseLines: readonly string[];
  agentLines: readonly string[];
  blocks: readonly Block[];
  /** One for each block. */
  ids: readonly string[];
};

/** The file in which the user types is compared after each pause, and these two texts of it are the same each time. */
const rememberedMax = 2;
let remembered: readonly { path: string; base: string; agent: string; made: AgentBlocks }[] = [];

export function agentBlocks(path: string, base: string, agent: string): AgentBlocks {
  const known = remembered.find((one) => one.path === path && one.base === base && one.agent === agent);
  if (known) return known.made;
  const made = compared(path, base, agent);
  remembered = [{ path, base, agent, made }, ...remembered.slice(0, rememberedMax - 1)];
  return made;
}

function compared(path: string, base: string, agent: string): AgentBlocks {
  const baseLines = splitLines(base);
  const agentLines = splitLines(agent);
  const blocks = changedBlocks(baseLines, agentLines);
  return { baseLines, agentLines, blocks, ids: blockIds(path, baseLines, agentLines, blocks) };
}

function blockIds(
  path: string,
  oldLines: readonly string[],
  newLines: readonly string[],
  blocks: readonly Block[],
): string[] {
  const ordinals = new Map<string, number>();
  return blocks.map((block) => {
    const oldText = oldLines.slice(block.oldLine, block.oldLine + block.oldCount).join('');
    const newText = newLines.slice(block.newLine, block.newLine + block.newCount).join('');
    const first = hunkId(path, oldText, newText, 0);
    const ordinal = ordinals.get(first) ?? 0;
    ordinals.set(first, ordinal + 1);
    return ordinal === 0 ? first : hunkId(path, oldText, newText, ordinal);
  });
}

/** `base` with those of the agent's blocks that are `kept`. */
export function agentText(path: string, base: string, agent: string, kept: (id: string) => boolean): string {
  if (base === agent) return base;
  const { baseLines, agentLines, blocks, ids } = agentBlocks(path, base, agent);
  const edits = blocks
    .filter((_, index) => kept(ids[index] ?? ''))
    .map(({ oldLine, oldCount, newLine, newCount }) => ({
      line: oldLine,
      deleteCount: oldCount,
      lines: agentLines.slice(newLine, newLine + newCount),
    }));
  return applyLineEdits(baseLines, edits);
}
