/** The model over the Responses API. The only import of `openai`, and only when there is a turn to run. */
import type OpenAI from 'openai';
import { attempt } from './attempt.ts';
import type { FaultContext } from './fault.ts';
import type { Model, ModelEvent, ModelRequest } from './model.ts';
import { redaction } from './redact.ts';
import { requestBody } from './request-body.ts';
import { defaultRetryPolicy, type RetryPolicy, withRetries } from './retry.ts';

export type OpenaiOptions = {
  /** Absent: OpenAI. The environment is not read here: it may be that of another connection. */
  baseURL?: string;
  apiKey: string;
  /** Sent with every request. */
  headers?: Record<string, string>;
  /** Where the key came from, for the sentence about a refused one. */
  apiKeyEnv?: string;
  retry?: RetryPolicy;
  idleTimeoutMs?: number;
};

/** The longest silence of a server, before the first event and between two of them. */
export const defaultIdleTimeoutMs = 300_000;

/** No request is made before the first call; loading starts at once, beside what else a turn prepares. Neither key nor header values appear in an event. */
export function openaiModel(options: OpenaiOptions): Model {
  const redact = redaction([options.apiKey, ...Object.values(options.headers ?? {}), ...passwordIn(options.baseURL)]);
  const idleTimeoutMs = options.idleTimeoutMs ?? defaultIdleTimeoutMs;
  const loading = load(options, idleTimeoutMs);
  // Whoever makes a request hears of a failure; until then nobody listens.
  loading.catch(() => {});

  async function* run(request: ModelRequest, signal: AbortSignal): AsyncGenerator<ModelEvent> {
    const client = await loading;
    const context: FaultContext = {
      model: request.model,
      address: addressOf(client.baseURL),
      apiKeyEnv: options.apiKeyEnv ?? 'OPENAI_API_KEY',
    };
    // The conversation is kept in the API's own shape, item by item as it came: there is nothing to convert.
    const body = requestBody(request) as unknown as OpenAI.Responses.ResponseCreateParamsStreaming;
    const open = (either: AbortSignal) => client.responses.create(body, { signal: either });
    yield* withRetries(
      () => attempt(open, { context, idleTimeoutMs }, signal),
      options.retry ?? defaultRetryPolicy,
      signal,
    );
  }

  return async function* model(request, signal) {
    if (signal.aborted) return yield { type: 'aborted' };
    try {
      for await (const event of run(request, signal))
        yield 'message' in event ? { ...event, message: redact(event.message) } : event;
    } catch (error) {
      yield {
        type: 'failed',
        reason: 'internal',
        message: redact(`The request to the model failed: ${String(error)}`),
      };
    }
  };
}

async function load(options: OpenaiOptions, idleTimeoutMs: number): Promise<OpenAI> {
  const { default: Client } = await import('openai');
  return new Client({
    baseURL: options.baseURL ?? null,
    apiKey: options.apiKey,
    defaultHeaders: options.headers,
    // Retries and their limits are ours, and so is the log: the package would write to stdout, which is the protocol's.
    maxRetries: 0,
    logLevel: 'off',
    // Until the headers only; a little more than ours, which ends all silences.
    timeout: idleTimeoutMs + 60_000,
  });
}

/** As it was written, and as it is meant. */
function passwordIn(baseURL: string | undefined): string[] {
  const { password = '' } = (baseURL === undefined ? undefined : URL.parse(baseURL)) ?? {};
  try {
    return [password, decodeURIComponent(password)];
  } catch {
    return [password];
  }
}

/** A base URL as it may be shown: without user, password and query. */
function addressOf(baseURL: string): string {
  const url = URL.parse(baseURL);
  return url ? `${url.origin}${url.pathname.replace(/\/$/, '')}` : 'the setting provider.baseURL';
}
