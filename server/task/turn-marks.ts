/** Where turns begin in a thread's conversation: lines of ours among the model's, never sent; pure. */
import type { ConversationItem } from '../model/model.ts';

const markType = 'codex_lsp_turn';

export const turnMark = (turnId: string): ConversationItem => ({ type: markType, turnId });

export const withoutMarks = (items: readonly ConversationItem[]): ConversationItem[] =>
  items.filter(({ type }) => type !== markType);

/**
 * What was said before the first of these turns that said anything. Undefined where that can't be told: the conversation
 * was begun by a version that left no marks.
 */
export function before(
  items: readonly ConversationItem[],
  turnIds: ReadonlySet<string>,
): ConversationItem[] | undefined {
  const [first] = items;
  if (first && first.type !== markType) return undefined;
  const end = items.findIndex(
    ({ type, turnId }) => type === markType && typeof turnId === 'string' && turnIds.has(turnId),
  );
  return end < 0 ? [...items] : items.slice(0, end);
}
