/** What every request of the product must be: its fields, its pairing of calls and outputs, its stable prefix. */
import { z } from 'zod';

const itemSchema = z.looseObject({ type: z.string() });
export type RequestItem = z.infer<typeof itemSchema>;

const toolSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('function'),
    name: z.string(),
    description: z.string(),
    strict: z.boolean(),
    parameters: z.looseObject({ type: z.literal('object') }),
  }),
  z.strictObject({
    type: z.literal('custom'),
    name: z.string(),
    description: z.string(),
    format: z.strictObject({ type: z.literal('grammar'), syntax: z.literal('lark'), definition: z.string().min(1) }),
  }),
]);

export const requestSchema = z.strictObject({
  model: z.string().min(1),
  instructions: z.string().min(1),
  input: z.array(itemSchema).min(1),
  tools: z.array(toolSchema),
  tool_choice: z.literal('auto'),
  parallel_tool_calls: z.literal(true),
  reasoning: z.strictObject({
    effort: z.enum(['minimal', 'low', 'medium', 'high', 'xhigh']),
    summary: z.literal('auto'),
  }),
  store: z.literal(false),
  stream: z.literal(true),
  include: z.tuple([z.literal('reasoning.encrypted_content')]),
  prompt_cache_key: z.string().min(1),
  text: z
    .strictObject({
      format: z.strictObject({
        type: z.literal('json_schema'),
        name: z.string(),
        schema: z.looseObject({}),
        strict: z.boolean(),
      }),
    })
    .optional(),
});
export type RequestBody = z.infer<typeof requestSchema>;

const callSchema = z.object({ type: z.enum(['function_call', 'custom_tool_call']), call_id: z.string() });
const outputSchema = z.object({
  type: z.enum(['function_call_output', 'custom_tool_call_output']),
  call_id: z.string(),
  output: z.string(),
});

/** What is wrong with the input on its own, one sentence each. */
export function inputProblems(input: readonly RequestItem[]): string[] {
  const problems: string[] = [];
  const open = new Map<string, string>();
  for (const [index, item] of input.entries()) {
    if ('id' in item || 'status' in item)
      problems.push(`input[${index}] has an id or a status, which dangle with store: false`);
    if (item.type === 'reasoning' && typeof item.encrypted_content !== 'string')
      problems.push(`input[${index}]: reasoning without encrypted_content`);
    const call = callSchema.safeParse(item);
    if (call.success) {
      if (open.has(call.data.call_id)) problems.push(`input[${index}]: a second call ${call.data.call_id}`);
      open.set(call.data.call_id, `${call.data.type}_output`);
    } else if (item.type.endsWith('_output')) {
      const output = outputSchema.safeParse(item);
      if (!output.success) problems.push(`input[${index}]: not an output: ${JSON.stringify(item)}`);
      else if (open.get(output.data.call_id) !== output.data.type)
        problems.push(`input[${index}]: ${item.type} without an open call ${output.data.call_id} before it`);
      else open.delete(output.data.call_id);
    } else if (open.size > 0 && item.type === 'message' && item.role !== 'assistant') {
      problems.push(`input[${index}]: a message before the outputs of ${[...open.keys()].join(', ')}`);
    }
  }
  for (const id of open.keys()) problems.push(`call ${id} has no output`);
  return problems;
}

/** What the request changed of what stood in the one before it, with the same cache key. */
export function prefixProblems(before: RequestBody, now: RequestBody): string[] {
  const problems: string[] = [];
  if (before.instructions !== now.instructions) problems.push('instructions differ from the request before');
  if (JSON.stringify(before.tools) !== JSON.stringify(now.tools)) problems.push('tools differ from the request before');
  for (const [index, item] of before.input.entries()) {
    const text = JSON.stringify(item);
    const other = JSON.stringify(now.input[index]);
    if (text !== other) {
      problems.push(`input[${index}] was ${text} and is now ${other}`);
      break;
    }
  }
  return problems;
}
