/** The loop: ask the model, run what it calls, ask again, until it has nothing more to call. It owns nothing. */
import type { ConversationItem, Model } from '../model/model.ts';
import type { Effort } from '../protocol/settings.ts';
import type { FailureReason, ThreadEvent } from '../protocol/thread.ts';
import { userMessage } from './context.ts';
import { openStop, type Stop, type TurnLimits } from './limits.ts';
import { abortedOutput, asCall, type Call, outputOf } from './repair.ts';
import { followResponse } from './response.ts';
import { runTool, toolDefinitions } from './tools/table.ts';
import type { ToolContext } from './tools/tool.ts';
import type { Workbench } from './workbench.ts';

export type TurnOptions = {
  model: Model;
  request: {
    model: string;
    effort: Effort;
    /** The thread's id. */
    cacheKey: string;
    instructions: string;
    /** False: apply_patch is offered as a function. */
    freeformTools: boolean;
    outputSchema?: { name: string; schema: Record<string, unknown> };
  };
  /** All of the thread, with this turn's new input; valid (`repairConversation`) and already remembered. */
  conversation: readonly ConversationItem[];
  /** Appends to what is kept of the conversation. Awaited: before a tool runs, its call is on disk. */
  remember: (items: ConversationItem[]) => Promise<void>;
  emit: (event: ThreadEvent) => void;
  workbench: Workbench;
  limits: TurnLimits;
  /** Takes the user's messages since it was last called; they are told to the model with its next request. */
  steering?: () => string[];
  signal: AbortSignal;
  newId: () => string;
  /** The workspace's absolute path, where a command's workdir may begin with it. */
  root?: string;
  /** All there is of the workspace, where it has several folders; absolute. */
  folders?: readonly string[];
  /** What went wrong beneath the turn, as a sentence; default its own message. */
  explain?: (error: unknown) => string;
};

export type TurnOutcome =
  | { status: 'completed'; summary: string }
  | { status: 'interrupted' }
  | { status: 'failed'; error: { reason: FailureReason; message: string } };

/** Never rejects. When it is settled, nothing that it started runs on, and every call in the conversation has its output. */
export async function runTurn(options: TurnOptions): Promise<TurnOutcome> {
  using stop = openStop(options.signal, options.limits.turnMinutes);
  try {
    return await takeSteps(options, stop);
  } catch (error) {
    return stopped(stop, options.limits) ?? failed('internal', (options.explain ?? messageOf)(error));
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

async function takeSteps(options: TurnOptions, stop: Stop): Promise<TurnOutcome> {
  const { model, emit, newId, limits } = options;
  const { freeformTools, ...request } = options.request;
  const tools = toolDefinitions(freeformTools);
  const conversation = [...options.conversation];
  const remember = async (items: ConversationItem[]) => {
    conversation.push(...items);
    await options.remember(items);
  };

  for (let step = 0; step < limits.steps; step += 1) {
    await steer(options, remember);
    const input = [...conversation];
    const response = await followResponse(model, { ...request, input, tools }, { emit, newId, signal: stop.signal });
    if (response.type === 'failed' && !stop.signal.aborted) return failed(response.reason, response.message);
    if (response.type !== 'completed') return stopped(stop, limits) ?? { status: 'interrupted' };

    await remember(response.items);
    const calls = response.items.flatMap((item) => asCall(item) ?? []);
    await answerCalls(calls, options, stop, remember);
    const outcome = stopped(stop, limits);
    if (outcome) return outcome;
    if (calls.length > 0) continue;
    if (!(await steer(options, remember))) return { status: 'completed', summary: response.text };
  }
  return failed(
    'stepLimit',
    `The turn reached its limit of ${limits.steps} steps (setting limits.steps). What it changed is kept; tell it to go on.`,
  );
}

/** One after the other, in the order of the response. Each call gets exactly one output, whatever happens. */
async function answerCalls(
  calls: readonly Call[],
  options: TurnOptions,
  stop: Stop,
  remember: (items: ConversationItem[]) => Promise<void>,
): Promise<void> {
  const { emit, newId, workbench, limits, root, folders } = options;
  const context: ToolContext = { emit, newId, workbench, limits, root, folders, signal: stop.signal };
  let bug: { error: unknown } | undefined;
  for (const call of calls) {
    let output = bug ? 'not run: an internal error' : abortedOutput;
    if (!bug && !stop.signal.aborted) {
      try {
        const result = await runTool(call, context);
        output = result.output;
        if (result.stopTurn) stop.interrupt();
      } catch (error) {
        if (!stop.signal.aborted) {
          bug = { error };
          output = 'failed: an internal error';
        }
      }
    }
    await remember([outputOf(call, output)]);
  }
  if (bug) throw bug.error;
}

/** True if there was something to tell. */
async function steer(options: TurnOptions, remember: (items: ConversationItem[]) => Promise<void>): Promise<boolean> {
  const texts = options.steering?.() ?? [];
  for (const text of texts)
    options.emit({ type: 'itemCompleted', item: { id: options.newId(), type: 'userMessage', text } });
  if (texts.length > 0) await remember(texts.map(userMessage));
  return texts.length > 0;
}

function stopped(stop: Stop, limits: TurnLimits): TurnOutcome | undefined {
  switch (stop.reason()) {
    case undefined:
      return undefined;
    case 'interrupted':
      return { status: 'interrupted' };
    case 'timeLimit':
      return failed(
        'timeLimit',
        `The turn reached its limit of ${limits.turnMinutes} minutes (setting limits.turnMinutes). What it changed is kept; tell it to go on.`,
      );
  }
}

const failed = (reason: FailureReason, message: string): TurnOutcome => ({
  status: 'failed',
  error: { reason, message },
});
