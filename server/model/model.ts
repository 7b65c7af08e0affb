/** The seam to a model: a request goes in, a closed set of events comes out. Nothing behind it throws. */
import type { Effort } from '../protocol/settings.ts';
import type { FailureReason, Usage } from '../protocol/thread.ts';

/**
 * One entry of the conversation in the Responses API's own shape (message, reasoning, function_call,
 * function_call_output, custom_tool_call, custom_tool_call_output), kept and resent verbatim.
 */
export type ConversationItem = { readonly type: string; readonly [key: string]: unknown };

export type ToolDefinition = {
  readonly type: 'function' | 'custom';
  readonly name: string;
  readonly [key: string]: unknown;
};

export type ModelRequest = {
  model: string;
  effort: Effort;
  instructions: string;
  input: readonly ConversationItem[];
  tools: readonly ToolDefinition[];
  /** The thread's id: `prompt_cache_key`. */
  cacheKey: string;
  /** JSON schema that the final answer must follow (`exec --output-schema`). */
  outputSchema?: { name: string; schema: Record<string, unknown> };
};

export type ModelEvent =
  /** Text as it comes; `itemId` is the model's own id of the item. */
  | { type: 'delta'; kind: 'message' | 'reasoning'; itemId: string; text: string }
  /** A finished output item, normalised for being sent back (no ids or states that `store: false` makes dangling). */
  | { type: 'item'; itemId: string; item: ConversationItem }
  /** Before another attempt. What the failed attempt said is void: deltas and items since the last `retry` or the start. */
  | { type: 'retry'; attempt: number; attemptsMax: number; delayMs: number; message: string }
  /** Always last, exactly one of these three. */
  | { type: 'completed'; usage: Usage }
  | { type: 'failed'; reason: FailureReason; message: string }
  | { type: 'aborted' };

/** Must not throw; ends with `completed`, `failed` or, soon after the signal fires, `aborted`. */
export type Model = (request: ModelRequest, signal: AbortSignal) => AsyncIterable<ModelEvent>;
