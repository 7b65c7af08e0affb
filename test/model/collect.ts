/** A request to the real client, against a server on loopback, and all that it answers. */
import type { ModelEvent, ModelRequest } from '../../server/model/model.ts';
import { type OpenaiOptions, openaiModel } from '../../server/model/openai.ts';
import type { RetryPolicy } from '../../server/model/retry.ts';

/** Retries as in earnest, at once. */
export const quick: RetryPolicy = { attemptsMax: 5, baseDelayMs: 1, delayMsMax: 4, serverDelayMsMax: 60_000 };

export const request: ModelRequest = {
  model: 'test-model',
  effort: 'low',
  instructions: 'Be brief.',
  input: [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'hello' }] }],
  tools: [],
  cacheKey: 'thread-1',
};

export const key = 'key-that-nobody-may-see';

export const modelAt = (baseURL: string, options: Partial<OpenaiOptions> = {}) =>
  openaiModel({ baseURL, apiKey: key, retry: quick, ...options });

export async function collect(
  baseURL: string,
  options: Partial<OpenaiOptions> & { request?: ModelRequest; signal?: AbortSignal } = {},
): Promise<ModelEvent[]> {
  const { request: asked = request, signal = new AbortController().signal, ...rest } = options;
  const events: ModelEvent[] = [];
  for await (const event of modelAt(baseURL, rest)(asked, signal)) events.push(event);
  return events;
}
