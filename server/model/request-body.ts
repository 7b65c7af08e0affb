/** A request as the Responses API wants it. The order of the fields, as their values, is the same from one to the next. */
import type { ModelRequest } from './model.ts';

export function requestBody(request: ModelRequest) {
  const { model, effort, instructions, input, tools, cacheKey, outputSchema } = request;
  return {
    model,
    instructions,
    input,
    tools,
    tool_choice: 'auto',
    parallel_tool_calls: true,
    reasoning: { effort, summary: 'auto' },
    store: false,
    stream: true,
    include: ['reasoning.encrypted_content'],
    prompt_cache_key: cacheKey,
    ...(outputSchema && { text: { format: { type: 'json_schema', strict: true, ...outputSchema } } }),
  } as const;
}
