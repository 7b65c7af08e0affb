/** What can go wrong in one attempt, each with its name and whether another attempt may help. Pure. */
import type { FailureReason } from '../protocol/thread.ts';

export type Fault = {
  /** How the failure is named when no further attempt is made. */
  reason: FailureReason;
  /** A sentence a person can act on. */
  message: string;
  /** Absent: another attempt would end the same way. */
  retry?: {
    /** The wait that the server asked for; else ours. */
    delayMs?: number;
    /** Fewer attempts than the policy has, where each costs a whole answer. */
    attemptsMax?: number;
  };
};

/** What a server said of an error, wherever it said it. */
export type ErrorBody = { code?: string | null; type?: string | null; message?: string | null };

export type FaultContext = { model: string; address: string; apiKeyEnv: string };

/** By the error's `code` or `type`, in a response's body and in the stream. An unknown one is left to where it was found. */
export function faultByCode(error: ErrorBody, context: FaultContext): Fault | undefined {
  for (const code of [error.code, error.type]) {
    const meaning = code ? meanings.get(code) : undefined;
    if (code && meaning) return meaning(error.message || code, context);
  }
  return undefined;
}

/** `response.failed` and `error` events. */
export function faultOfStreamError(error: ErrorBody, context: FaultContext): Fault {
  const said = error.message || error.code || error.type || 'no reason given';
  const known = faultByCode(error, context);
  if (known) return known;
  // As a type of an HTTP error this says nothing: a wrong key and an unknown model have it too.
  if ([error.code, error.type].includes('invalid_request_error')) return refused(said, context);
  return { reason: 'modelError', message: `The model failed: ${said}`, retry: {} };
}

/** An HTTP status other than 2xx. */
export function faultOfStatus(
  status: number,
  error: ErrorBody,
  header: (name: string) => string | null,
  context: FaultContext,
  now: number,
): Fault {
  const said = error.message ? `: ${error.message}` : '.';
  const delayMs = retryAfterMs(header, now);
  const known = faultByCode(error, context);
  if (known) return known.retry ? { ...known, retry: { delayMs: delayMs ?? known.retry.delayMs } } : known;
  const { model, address, apiKeyEnv } = context;

  if (status === 401)
    return {
      reason: 'unauthorized',
      message: `The model server at ${address} refused the key (401). Check the environment variable ${apiKeyEnv}.`,
    };
  if (status === 403)
    return {
      reason: 'unauthorized',
      message: `The model server at ${address} refused the request (403)${said} Check the environment variable ${apiKeyEnv} and what its key may use.`,
    };
  if (status === 402) return { reason: 'quota', message: `The model server asks for payment (402)${said}` };
  if (status === 404)
    return {
      reason: 'unknownModel',
      message: `${address} knows no model "${model}", or is not a server of the Responses API (404)${said} Check the settings model and provider.baseURL.`,
    };
  if (status === 413) return contextWindow(error.message || 'the request is too large (413).', context);
  if (status === 429)
    return { reason: 'rateLimited', message: `The model is rate limited (429)${said}`, retry: { delayMs } };
  if (status === 408 || status === 409 || status >= 500) {
    const fault: Fault = { reason: 'modelError', message: `The model server failed (${status})${said}` };
    return header('x-should-retry') === 'false' ? fault : { ...fault, retry: { delayMs } };
  }
  return { reason: 'modelError', message: `The model server refused the request (${status})${said}` };
}

/** `response.incomplete`. */
export function faultOfIncomplete(reason: string | null | undefined): Fault {
  if (reason === 'content_filter')
    return {
      reason: 'modelError',
      message: "The provider's content filter stopped the model's answer (content_filter). Word the task differently.",
    };
  if (reason === 'max_output_tokens')
    return {
      reason: 'modelError',
      message: "The model's answer was cut off at its output limit (max_output_tokens). Ask for smaller steps.",
      retry: { attemptsMax: 2 },
    };
  return {
    reason: 'modelError',
    message: `The model's answer is incomplete: ${reason ?? 'no reason given'}.`,
    retry: {},
  };
}

/** The connection: `code` is Node's, where there is one. */
export function faultOfConnection(code: string | undefined, address: string): Fault {
  const why = (code && connectionCodes[code]) ?? (code ? `connection failed, ${code}` : 'connection failed');
  if (code && /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|SSL/.test(code))
    return {
      reason: 'network',
      message: `The certificate of ${address} is not trusted (${code}). For an authority of your own set NODE_EXTRA_CA_CERTS.`,
    };
  if (code === 'ERR_INVALID_URL')
    return { reason: 'network', message: `${address} is not a URL. Check the setting provider.baseURL.` };
  return {
    reason: 'network',
    message: `Can't reach the model at ${address} (${why}). Check the network and the setting provider.baseURL.`,
    retry: {},
  };
}

export const droppedStream = (address: string): Fault => ({
  reason: 'network',
  message: `The connection to ${address} broke in the middle of an answer.`,
  retry: {},
});

export const endedStream = (address: string): Fault => ({
  reason: 'network',
  message: `${address} ended its answer without response.completed.`,
  retry: {},
});

export const malformedStream = (problem: string): Fault => ({
  reason: 'modelError',
  message: `The model server sent what can't be read: ${problem}`,
  retry: {},
});

export const silentStream = (idleTimeoutMs: number, address: string): Fault => ({
  reason: 'network',
  message: `${address} said nothing for ${Math.round(idleTimeoutMs / 1000)} s.`,
  retry: {},
});

const connectionCodes: Record<string, string> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  ENOTFOUND: 'unknown host',
  EAI_AGAIN: 'the name server does not answer',
  ETIMEDOUT: 'timed out',
  UND_ERR_CONNECT_TIMEOUT: 'timed out',
  UND_ERR_SOCKET: 'connection closed',
};

type Meaning = (said: string, context: FaultContext) => Fault;

const quota: Meaning = (said) => ({ reason: 'quota', message: `The account has no quota left for this: ${said}` });
const refused: Meaning = (said) => ({ reason: 'modelError', message: `The model refused the request: ${said}` });

const contextWindow: Meaning = (said) => ({
  reason: 'contextWindow',
  message: `The conversation is longer than the model's context window: ${said} Start a new thread for the rest.`,
});
const rateLimited: Meaning = (said) => ({
  reason: 'rateLimited',
  message: `The model is rate limited: ${said}`,
  retry: { delayMs: delayInText(said) },
});
const unknownModel: Meaning = (said, { model }) => ({
  reason: 'unknownModel',
  message: `There is no model "${model}" for this key: ${said} Check the setting model.`,
});
const wrongKey: Meaning = (_said, { apiKeyEnv, address }) => ({
  reason: 'unauthorized',
  message: `The model server at ${address} refused the key. Check the environment variable ${apiKeyEnv}.`,
});

/** Everything that isn't here is worth another attempt in a stream, and decided by the status elsewhere. */
const meanings: ReadonlyMap<string, Meaning> = new Map([
  ['context_length_exceeded', contextWindow],
  ['insufficient_quota', quota],
  ['usage_limit_reached', quota],
  ['usage_not_included', quota],
  ['billing_hard_limit_reached', quota],
  ['billing_not_active', quota],
  ['rate_limit_exceeded', rateLimited],
  ['model_not_found', unknownModel],
  ['invalid_api_key', wrongKey],
  ['invalid_prompt', refused],
  ['bio_policy', refused],
  ['cyber_policy', refused],
  ['content_policy_violation', refused],
]);

/** "Please try again in 11.054s." */
function delayInText(text: string): number | undefined {
  const match = /try again in\s*(\d+(?:\.\d+)?)\s*(ms|milliseconds?|s|seconds?|m|minutes?)\b/i.exec(text);
  if (!match?.[1] || !match[2]) return undefined;
  const unit = match[2].toLowerCase();
  return (
    Number(match[1]) * (unit.startsWith('ms') || unit.startsWith('mil') ? 1 : unit.startsWith('s') ? 1000 : 60_000)
  );
}

/** `retry-after-ms`, else `retry-after` in seconds or as a date (RFC 9110, 10.2.3). */
function retryAfterMs(header: (name: string) => string | null, now: number): number | undefined {
  const ms = Number.parseFloat(header('retry-after-ms') ?? '');
  if (ms >= 0) return ms;
  const after = header('retry-after');
  if (!after) return undefined;
  const seconds = Number(after);
  const delayMs = Number.isNaN(seconds) ? Date.parse(after) - now : seconds * 1000;
  return delayMs >= 0 ? delayMs : undefined;
}
