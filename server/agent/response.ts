/** One response of the model: followed as it comes, shown as items, and its output collected. */
import { isResendable, textOf } from '../model/conversation.ts';
import type { ConversationItem, Model, ModelEvent, ModelRequest } from '../model/model.ts';
import type { FailureReason, ItemOf, ThreadEvent } from '../protocol/thread.ts';

export type ResponseResult =
  | { type: 'completed'; items: ConversationItem[]; text: string }
  | { type: 'aborted' }
  | { type: 'failed'; reason: FailureReason; message: string };

type Shown = ItemOf<'agentMessage' | 'reasoning'>;

/** `text` of the result: what the response said to the user. Items of a response that did not complete are void. */
export async function followResponse(
  model: Model,
  request: ModelRequest,
  options: { emit: (event: ThreadEvent) => void; newId: () => string; signal: AbortSignal },
): Promise<ResponseResult> {
  const { emit, newId, signal } = options;
  const display = itemDisplay(emit, newId);
  let items: ConversationItem[] = [];

  for await (const event of model(request, signal)) {
    switch (event.type) {
      case 'delta':
        display.delta(event);
        break;
      case 'item':
        items.push(event.item);
        display.item(event.itemId, event.item);
        break;
      case 'retry':
        items = [];
        display.restart();
        emit({ type: 'warning', message: retryMessage(event) });
        break;
      case 'completed':
        display.end();
        emit({ type: 'usage', usage: event.usage });
        return { type: 'completed', items: items.filter(isResendable), text: messageText(items) };
      case 'failed':
      case 'aborted':
        display.end();
        return event;
    }
  }
  throw new Error('The model ended its events without a last one.');
}

const messageText = (items: readonly ConversationItem[]): string =>
  items
    .filter(({ type }) => type === 'message')
    .map(textOf)
    .join('\n\n');

const retryMessage = ({ message, delayMs, attempt, attemptsMax }: Extract<ModelEvent, { type: 'retry' }>): string =>
  `${message} Trying again in ${(delayMs / 1000).toFixed(1)} s (attempt ${attempt} of ${attemptsMax}).`;

/**
 * Messages and reasoning as items. The n-th message of another attempt takes the place of the n-th of the one before:
 * it starts again under the same id, so that nobody is left with half a text that is void.
 */
function itemDisplay(emit: (event: ThreadEvent) => void, newId: () => string) {
  /** Every item that was started in this response, by kind and number. */
  const slots = new Map<string, Shown>();
  /** Of this attempt: the model's ids of the items, and their slots. */
  let slotOf = new Map<string, string>();

  const open = (itemId: string, type: Shown['type']): string => {
    const known = slotOf.get(itemId);
    if (known !== undefined) return known;
    const number = [...slotOf.values()].filter((slot) => slot.startsWith(type)).length;
    const slot = `${type} ${number}`;
    slotOf.set(itemId, slot);
    const item: Shown = { id: slots.get(slot)?.id ?? newId(), type, text: '' };
    slots.set(slot, item);
    emit({ type: 'itemStarted', item });
    return slot;
  };

  return {
    delta({ kind, itemId, text }: Extract<ModelEvent, { type: 'delta' }>) {
      const slot = open(itemId, kind === 'message' ? 'agentMessage' : 'reasoning');
      const item = slots.get(slot);
      if (!item) return;
      slots.set(slot, { ...item, text: item.text + text });
      emit({ type: 'itemDelta', itemId: item.id, delta: text });
    },

    /** The whole text is the truth; the deltas are not. */
    item(itemId: string, item: ConversationItem) {
      if (item.type !== 'message' && item.type !== 'reasoning') return;
      const text = textOf(item);
      if (text === '' && !slotOf.has(itemId)) return;
      const slot = open(itemId, item.type === 'message' ? 'agentMessage' : 'reasoning');
      const shown = slots.get(slot);
      if (shown) slots.set(slot, { ...shown, text });
    },

    restart() {
      slotOf = new Map();
      for (const [slot, item] of slots) slots.set(slot, { ...item, text: '' });
    },

    /** Whatever was started is completed, with as much text as it has. */
    end() {
      for (const item of slots.values()) emit({ type: 'itemCompleted', item });
    },
  };
}
