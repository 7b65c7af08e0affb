/** One attempt at a response: a stream of wire events in, our events out, and at its end what became of it. */
import type { Usage } from '../protocol/thread.ts';
import { normaliseItem } from './conversation.ts';
import { faultOfOpening, faultOfReading } from './error-fault.ts';
import {
  endedStream,
  type Fault,
  type FaultContext,
  faultOfIncomplete,
  faultOfStreamError,
  malformedStream,
  silentStream,
} from './fault.ts';
import type { ModelEvent } from './model.ts';
import { parseWireEvent, type WireUsage } from './wire-events.ts';

/** What a response says while it comes. */
export type ResponseEvent = Extract<ModelEvent, { type: 'delta' | 'item' }>;

export type Outcome = { type: 'completed'; usage: Usage } | { type: 'aborted' } | { type: 'fault'; fault: Fault };

/** Opens the stream of one request. Its iterator may end silently when the signal fires. */
export type OpenStream = (signal: AbortSignal) => Promise<AsyncIterable<unknown>>;

export type AttemptOptions = {
  context: FaultContext;
  /** The longest silence, before the first event and between two of them. */
  idleTimeoutMs: number;
};

/** Must not throw. Yields nothing more once the signal has fired. */
export async function* attempt(
  open: OpenStream,
  options: AttemptOptions,
  signal: AbortSignal,
): AsyncGenerator<ResponseEvent, Outcome> {
  const { address } = options.context;
  const idle = idleTimer(options.idleTimeoutMs);
  const either = AbortSignal.any([signal, idle.signal]);
  const stopped = (): Outcome | undefined => {
    if (signal.aborted) return { type: 'aborted' };
    return idle.signal.aborted ? fault(silentStream(options.idleTimeoutMs, address)) : undefined;
  };

  try {
    let stream: AsyncIterable<unknown>;
    try {
      stream = await open(either);
    } catch (error) {
      return stopped() ?? fault(faultOfOpening(error, options.context));
    }
    const reader = responseReader(options.context);
    try {
      for await (const raw of stream) {
        idle.restart();
        if (either.aborted) break;
        const { events, outcome } = reader.read(raw);
        yield* events;
        if (outcome) return outcome;
      }
    } catch (error) {
      return stopped() ?? fault(faultOfReading(error, options.context));
    }
    return stopped() ?? fault(endedStream(address));
  } finally {
    idle.stop();
  }
}

/** Its signal fires when nothing restarted it for `timeoutMs`. */
function idleTimer(timeoutMs: number) {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), timeoutMs);
  return { signal: controller.signal, restart: () => timer.refresh(), stop: () => clearTimeout(timer) };
}

const fault = (what: Fault): Outcome => ({ type: 'fault', fault: what });

/** Follows one response; holds which item is being streamed, as some servers leave ids out. */
function responseReader(context: FaultContext) {
  let items = 0;
  let currentId: string | undefined;
  const idOf = (id: string | null | undefined): string => {
    currentId = id ?? currentId ?? `item_${items}`;
    return currentId;
  };

  const read = (raw: unknown): { events: ResponseEvent[]; outcome?: Outcome } => {
    const event = parseWireEvent(raw);
    switch (event.type) {
      case 'response.output_item.added':
        currentId = undefined;
        idOf(event.item.id);
        return { events: [] };
      case 'response.output_text.delta':
      case 'response.refusal.delta':
        return { events: [{ type: 'delta', kind: 'message', itemId: idOf(event.item_id), text: event.delta }] };
      case 'response.reasoning_summary_text.delta':
        return { events: [{ type: 'delta', kind: 'reasoning', itemId: idOf(event.item_id), text: event.delta }] };
      case 'response.reasoning_summary_part.added':
        if (!event.summary_index) return { events: [] };
        return { events: [{ type: 'delta', kind: 'reasoning', itemId: idOf(event.item_id), text: '\n\n' }] };
      case 'response.output_item.done': {
        const item = normaliseItem(event.item);
        if (item === 'malformed')
          return { events: [], outcome: fault(malformedStream(`an item of type ${event.item.type}`)) };
        const itemId = idOf(event.item.id);
        items += 1;
        currentId = undefined;
        return { events: item === 'unknown' ? [] : [{ type: 'item', itemId, item }] };
      }
      case 'response.completed':
        return { events: [], outcome: { type: 'completed', usage: usageOf(event.response.usage) } };
      case 'response.failed':
        return { events: [], outcome: fault(faultOfStreamError(event.response.error ?? {}, context)) };
      case 'error':
        return { events: [], outcome: fault(faultOfStreamError(event, context)) };
      case 'response.incomplete':
        return { events: [], outcome: fault(faultOfIncomplete(event.response.incomplete_details?.reason)) };
      case 'malformed':
        return { events: [], outcome: fault(malformedStream(event.problem)) };
      case 'ignored':
        return { events: [] };
    }
  };
  return { read };
}

/** Of one response: one request. */
const usageOf = (usage: WireUsage | null | undefined): Usage => ({
  inputTokens: usage?.input_tokens ?? 0,
  cachedInputTokens: usage?.input_tokens_details?.cached_tokens ?? 0,
  outputTokens: usage?.output_tokens ?? 0,
  reasoningTokens: usage?.output_tokens_details?.reasoning_tokens ?? 0,
  requests: 1,
});
