/** What a scripted model says, as values, and the Responses API's stream of events for it, in its full form. */
import type { PlanStep } from '../../protocol/thread.ts';

/** One output item of a response. */
export type Part =
  | { kind: 'message'; text: string }
  | { kind: 'reasoning'; text: string }
  | { kind: 'function'; name: string; arguments: string }
  | { kind: 'custom'; name: string; input: string };

/** One response: its output items in order. */
export type Answer = readonly Part[];

export type WireEvent = { readonly type: string; readonly [key: string]: unknown };

export const say = (text: string): Answer => [{ kind: 'message', text }];
export const reasoning = (text: string): Answer => [{ kind: 'reasoning', text }];
/** A call of a function tool; `args` may be a text that is no JSON. */
export const call = (name: string, args: unknown): Answer => [
  { kind: 'function', name, arguments: typeof args === 'string' ? args : JSON.stringify(args) },
];
/** A call of a freeform tool. */
export const custom = (name: string, input: string): Answer => [{ kind: 'custom', name, input }];

type ShellOptions = {
  workdir?: string;
  timeoutMs?: number;
  network?: { hosts: string[]; reason: string };
  read?: { paths: string[]; reason: string };
};
export const shell = (command: string, options: ShellOptions = {}): Answer => call('shell', { command, ...options });
/** `text` is the whole patch, from `*** Begin Patch` to `*** End Patch`. */
export const patch = (text: string): Answer => custom('apply_patch', text);
export const plan = (steps: readonly PlanStep[], explanation?: string): Answer =>
  call('update_plan', {
    explanation,
    plan: steps.map(({ step, status }) => ({ step, status: status === 'inProgress' ? 'in_progress' : status })),
  });
/** Several answers as one response. */
export const together = (...answers: readonly Answer[]): Answer => answers.flat();

/**
 * The events of one response, ready to be written.
 * @param id makes the ids of the response, its items and calls unique within a conversation
 * @param inputTokens what the usage says of the request
 */
export function responseEvents(answer: Answer, id: string, inputTokens = 0): WireEvent[] {
  const events: WireEvent[] = [
    { type: 'response.created', response: response(id, 'in_progress', []) },
    { type: 'response.in_progress', response: response(id, 'in_progress', []) },
  ];
  const output = answer.map((part, index) => {
    const item = outputItem(part, `${id}_${index}`);
    events.push(...itemEvents(part, item, index));
    return item;
  });
  events.push({
    type: 'response.completed',
    response: { ...response(id, 'completed', output), usage: usage(inputTokens, JSON.stringify(output).length) },
  });
  return events.map((event, index) => ({ ...event, sequence_number: index }));
}

/** An event as it stands in the stream. */
export const eventText = (event: WireEvent): string => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;

const response = (id: string, status: string, output: readonly object[]) => ({
  id: `resp_${id}`,
  object: 'response',
  status,
  error: null,
  incomplete_details: null,
  output,
  usage: null,
});

function usage(inputTokens: number, outputChars: number) {
  const outputTokens = Math.ceil(outputChars / 4);
  return {
    input_tokens: inputTokens,
    input_tokens_details: { cached_tokens: Math.floor(inputTokens / 2) },
    output_tokens: outputTokens,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: inputTokens + outputTokens,
  };
}

function outputItem(part: Part, id: string): { id: string; type: string; [key: string]: unknown } {
  switch (part.kind) {
    case 'message': {
      const content = [{ type: 'output_text', text: part.text, annotations: [], logprobs: [] }];
      return { id: `msg_${id}`, type: 'message', status: 'completed', role: 'assistant', content };
    }
    case 'reasoning': {
      const summary = [{ type: 'summary_text', text: part.text }];
      return { id: `rs_${id}`, type: 'reasoning', summary, encrypted_content: `sealed-${id}` };
    }
    case 'function': {
      const { name, arguments: args } = part;
      return {
        id: `fc_${id}`,
        type: 'function_call',
        status: 'completed',
        call_id: `call_${id}`,
        name,
        arguments: args,
      };
    }
    case 'custom': {
      const { name, input } = part;
      return { id: `ctc_${id}`, type: 'custom_tool_call', status: 'completed', call_id: `call_${id}`, name, input };
    }
  }
}

function itemEvents(part: Part, item: { id: string }, output_index: number): WireEvent[] {
  const at = { item_id: item.id, output_index };
  const added = (begun: object): WireEvent => ({
    type: 'response.output_item.added',
    output_index,
    item: { ...item, ...begun },
  });
  const done: WireEvent = { type: 'response.output_item.done', output_index, item };
  const status = 'in_progress';
  switch (part.kind) {
    case 'message': {
      const content = { ...at, content_index: 0 };
      const piece = (text: string) => ({ type: 'output_text', text, annotations: [], logprobs: [] });
      return [
        added({ status, content: [] }),
        { type: 'response.content_part.added', ...content, part: piece('') },
        ...chunks(part.text).map((delta) => ({ type: 'response.output_text.delta', ...content, delta, logprobs: [] })),
        { type: 'response.output_text.done', ...content, text: part.text, logprobs: [] },
        { type: 'response.content_part.done', ...content, part: piece(part.text) },
        done,
      ];
    }
    case 'reasoning': {
      const summary = { ...at, summary_index: 0 };
      const piece = (text: string) => ({ type: 'summary_text', text });
      return [
        added({ summary: [], encrypted_content: '' }),
        { type: 'response.reasoning_summary_part.added', ...summary, part: piece('') },
        ...chunks(part.text).map((delta) => ({ type: 'response.reasoning_summary_text.delta', ...summary, delta })),
        { type: 'response.reasoning_summary_text.done', ...summary, text: part.text },
        { type: 'response.reasoning_summary_part.done', ...summary, part: piece(part.text) },
        done,
      ];
    }
    case 'function':
      return [
        added({ status, arguments: '' }),
        ...chunks(part.arguments).map((delta) => ({ type: 'response.function_call_arguments.delta', ...at, delta })),
        { type: 'response.function_call_arguments.done', ...at, name: part.name, arguments: part.arguments },
        done,
      ];
    case 'custom':
      return [
        added({ status, input: '' }),
        ...chunks(part.input).map((delta) => ({ type: 'response.custom_tool_call_input.delta', ...at, delta })),
        { type: 'response.custom_tool_call_input.done', ...at, input: part.input },
        done,
      ];
  }
}

/** As a model streams: a few words at a time. By the `u` flag never half a character. */
const chunks = (text: string): string[] => text.match(/[\s\S]{1,24}/gu) ?? [];
