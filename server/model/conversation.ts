/** Output items of a response, made fit for being sent back: the conversation is kept here, `store: false`, not there. */
import * as z from 'zod';
import type { ConversationItem } from './model.ts';

const textPart = z.object({ type: z.literal('output_text'), text: z.string() });
const refusalPart = z.object({ type: z.literal('refusal'), refusal: z.string() });
const summaryPart = z.object({ type: z.literal('summary_text'), text: z.string() });
const reasoningPart = z.looseObject({ type: z.string(), text: z.string() });

/**
 * Only the fields that the API reads again. Ids and states name things that the server forgot; `phase` and `namespace`
 * belong to the meaning where a model sends them.
 */
const outputItemSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('message'),
    role: z.literal('assistant'),
    content: z.array(z.discriminatedUnion('type', [textPart, refusalPart])),
    phase: z.string().optional(),
  }),
  z.object({
    type: z.literal('reasoning'),
    summary: z.array(summaryPart).default([]),
    content: z.array(reasoningPart).nullish(),
    encrypted_content: z.string().nullish(),
  }),
  z.object({
    type: z.literal('function_call'),
    call_id: z.string().min(1),
    name: z.string(),
    arguments: z.string(),
    namespace: z.string().optional(),
  }),
  z.object({
    type: z.literal('custom_tool_call'),
    call_id: z.string().min(1),
    name: z.string(),
    input: z.string(),
    namespace: z.string().optional(),
  }),
]);

const knownTypes: readonly string[] = ['message', 'reasoning', 'function_call', 'custom_tool_call'];

/**
 * An item as it goes into the conversation; `unknown` for a type that is none of ours (a hosted tool's, say), which is
 * left out; `malformed` for one of ours that can't be read.
 */
export function normaliseItem(raw: {
  type: string;
  [key: string]: unknown;
}): ConversationItem | 'unknown' | 'malformed' {
  if (!knownTypes.includes(raw.type)) return 'unknown';
  const parsed = outputItemSchema.safeParse(raw);
  return parsed.success ? parsed.data : 'malformed';
}

/** Reasoning without its sealed content means nothing to the server: it is shown, and not sent back. */
export const isResendable = (item: ConversationItem): boolean =>
  item.type !== 'reasoning' || (typeof item.encrypted_content === 'string' && item.encrypted_content !== '');

/** What a person reads of a message or of reasoning; empty for anything else. */
export function textOf(item: ConversationItem): string {
  const parsed = outputItemSchema.safeParse(item);
  if (!parsed.success) return '';
  if (parsed.data.type === 'message')
    return parsed.data.content.map((part) => (part.type === 'refusal' ? part.refusal : part.text)).join('');
  if (parsed.data.type !== 'reasoning') return '';
  const { summary, content } = parsed.data;
  return summary.length > 0
    ? summary.map(({ text }) => text).join('\n\n')
    : (content ?? []).map(({ text }) => text).join('');
}
