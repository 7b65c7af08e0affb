/** Runs the loop against a strict scripted model over HTTP, and keeps everything that it says. */
import { userMessage } from '../../server/agent/context.ts';
import { instructions } from '../../server/agent/instructions.ts';
import { repairConversation } from '../../server/agent/repair.ts';
import { runTurn, type TurnOptions, type TurnOutcome } from '../../server/agent/turn.ts';
import type { ConversationItem } from '../../server/model/model.ts';
import type { ThreadEvent } from '../../server/protocol/thread.ts';
import { modelAt } from '../model/collect.ts';
import type { StrictModel } from '../support/model.ts';
import { fakeWorkbench } from './fake-workbench.ts';

export type Ran = { outcome: TurnOutcome; events: ThreadEvent[]; remembered: ConversationItem[] };

const limits = { steps: 20, turnMinutes: 1, commandSeconds: 60, outputTokens: 1000 };

type Options = Partial<Omit<TurnOptions, 'limits' | 'request'>> & {
  prompt?: string;
  limits?: Partial<TurnOptions['limits']>;
  freeformTools?: boolean;
  /** What an earlier turn remembered. */
  history?: readonly ConversationItem[];
  onEvent?: (event: ThreadEvent) => void;
};

export async function turn(model: StrictModel, options: Options = {}): Promise<Ran> {
  const { prompt = 'Do it.', history = [], freeformTools = true, onEvent, ...rest } = options;
  const events: ThreadEvent[] = [];
  const input = [userMessage(prompt)];
  const remembered = [...history, ...input];
  let ids = 0;
  const outcome = await runTurn({
    model: modelAt(model.baseURL),
    conversation: [...repairConversation(history), ...input],
    remember: async (items) => void remembered.push(...items),
    emit: (event) => {
      events.push(event);
      onEvent?.(event);
    },
    workbench: fakeWorkbench(),
    signal: new AbortController().signal,
    newId: () => `i${++ids}`,
    root: '/work/place',
    ...rest,
    request: { model: 'test-model', effort: 'low', cacheKey: 'thread-1', instructions, freeformTools },
    limits: { ...limits, ...options.limits },
  });
  return { outcome, events, remembered };
}

export const eventsOf = <T extends ThreadEvent['type']>({ events }: { events: readonly ThreadEvent[] }, type: T) =>
  events.filter((event): event is Extract<ThreadEvent, { type: T }> => event.type === type);

/** Completed items, in order. */
export const itemsOf = (ran: { events: readonly ThreadEvent[] }) =>
  eventsOf(ran, 'itemCompleted').map(({ item }) => item);
