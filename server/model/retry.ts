/** How often and when an attempt is repeated, and the stream of events that a whole request makes of its attempts. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Outcome, ResponseEvent } from './attempt.ts';
import type { Fault } from './fault.ts';
import type { ModelEvent } from './model.ts';

export type RetryPolicy = {
  /** Requests in all, the first one included. */
  attemptsMax: number;
  /** Before the second attempt; doubled before each further one. */
  baseDelayMs: number;
  /** Of the doubling. */
  delayMsMax: number;
  /** The longest wait a server may ask for. Beyond it the request fails, and says how long it would have been. */
  serverDelayMsMax: number;
};

export const defaultRetryPolicy: RetryPolicy = {
  attemptsMax: 5,
  baseDelayMs: 500,
  delayMsMax: 8_000,
  serverDelayMsMax: 120_000,
};

/** Part by which a wait of ours is shortened or lengthened at random, so that many clients don't return at once. */
const jitter = 0.1;

/**
 * What to do after the `attempts`-th attempt ended in this fault.
 * @param random in [0, 1)
 */
export function decideRetry(
  fault: Fault,
  attempts: number,
  policy: RetryPolicy,
  random: number,
): { delayMs: number; attemptsMax: number } | { giveUp: string } {
  if (!fault.retry) return { giveUp: fault.message };
  const attemptsMax = Math.min(policy.attemptsMax, fault.retry.attemptsMax ?? policy.attemptsMax);
  if (attempts >= attemptsMax)
    return { giveUp: attempts === 1 ? fault.message : `${fault.message} (${attempts} attempts)` };
  const asked = fault.retry.delayMs;
  if (asked !== undefined && asked > policy.serverDelayMsMax)
    return { giveUp: `${fault.message} It asks to come back in ${Math.ceil(asked / 1000)} s.` };
  const ours = Math.min(policy.baseDelayMs * 2 ** (attempts - 1), policy.delayMsMax);
  return { delayMs: Math.round(asked ?? ours * (1 + jitter * (2 * random - 1))), attemptsMax };
}

/** Attempts until one is completed, the signal fires or the policy gives up. Must not throw. */
export async function* withRetries(
  attempt: () => AsyncGenerator<ResponseEvent, Outcome>,
  policy: RetryPolicy,
  signal: AbortSignal,
): AsyncGenerator<ModelEvent> {
  for (let attempts = 1; ; attempts += 1) {
    const outcome = yield* attempt();
    if (signal.aborted || outcome.type === 'aborted') return yield { type: 'aborted' };
    if (outcome.type === 'completed') return yield outcome;
    const { fault } = outcome;
    const decision = decideRetry(fault, attempts, policy, Math.random());
    if ('giveUp' in decision) return yield { type: 'failed', reason: fault.reason, message: decision.giveUp };
    yield { type: 'retry', attempt: attempts + 1, ...decision, message: fault.message };
    try {
      await wait(decision.delayMs, undefined, { signal });
    } catch {
      return yield { type: 'aborted' };
    }
  }
}
