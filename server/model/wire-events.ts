/** The events of a response's stream that we act on, checked; every other type is passed over. */
import * as z from 'zod';

const item = z.looseObject({ type: z.string(), id: z.string().nullish() });
const delta = { delta: z.string(), item_id: z.string().nullish() };
const errorFields = { code: z.string().nullish(), message: z.string().nullish(), type: z.string().nullish() };
const count = z.number().nonnegative();

const usageSchema = z.object({
  input_tokens: count,
  input_tokens_details: z.object({ cached_tokens: count.nullish() }).nullish(),
  output_tokens: count,
  output_tokens_details: z.object({ reasoning_tokens: count.nullish() }).nullish(),
});
export type WireUsage = z.infer<typeof usageSchema>;

const wireEventSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('response.output_item.added'), item }),
  z.object({ type: z.literal('response.output_item.done'), item }),
  z.object({ type: z.literal('response.output_text.delta'), ...delta }),
  z.object({ type: z.literal('response.refusal.delta'), ...delta }),
  z.object({ type: z.literal('response.reasoning_summary_text.delta'), ...delta }),
  z.object({
    type: z.literal('response.reasoning_summary_part.added'),
    item_id: z.string().nullish(),
    summary_index: z.number().nullish(),
  }),
  z.object({ type: z.literal('response.completed'), response: z.object({ usage: usageSchema.nullish() }) }),
  z.object({
    type: z.literal('response.failed'),
    response: z.object({ error: z.object(errorFields).nullish() }),
  }),
  z.object({
    type: z.literal('response.incomplete'),
    response: z.object({ incomplete_details: z.object({ reason: z.string().nullish() }).nullish() }),
  }),
  z.object({ type: z.literal('error'), code: errorFields.code, message: errorFields.message }),
]);
export type WireEvent = z.infer<typeof wireEventSchema>;

const typeSchema = z.object({ type: z.string() });
const knownTypes = new Set<string>(wireEventSchema.options.map((option) => option.shape.type.value));

/** `malformed` names what is wrong with an event that we would have to act on. */
export function parseWireEvent(raw: unknown): WireEvent | { type: 'ignored' } | { type: 'malformed'; problem: string } {
  const typed = typeSchema.safeParse(raw);
  if (!typed.success || !knownTypes.has(typed.data.type)) return { type: 'ignored' };
  const parsed = wireEventSchema.safeParse(raw);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  return { type: 'malformed', problem: `${typed.data.type}: ${issue?.path.join('.')}: ${issue?.message}` };
}
