/** A request that cannot be carried out, for a reason the caller can act on. The editor room makes a -32803 of it. */
import type { RefusalReason } from '../protocol/methods.ts';

export class Refusal extends Error {
  readonly reason: RefusalReason;
  /** More for `error.data`, beside the reason. */
  readonly data: Record<string, unknown>;

  constructor(reason: RefusalReason, message: string, data: Record<string, unknown> = {}) {
    super(message);
    this.name = 'Refusal';
    this.reason = reason;
    this.data = data;
  }
}

/** Bad parameters that only the state of a thread shows to be bad: -32602. The message begins with the field. */
export class InvalidParams extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'InvalidParams';
  }
}

/** `pid`: of the process that runs it, where that is another one. */
export const turnRunning = (threadId: string, pid?: number) =>
  new Refusal(
    'turnRunning',
    `A turn runs in thread ${threadId}${pid ? ` (process ${pid})` : ''}; cancel it with codex/cancel, or wait for it.`,
    { threadId },
  );

export const unknownThread = (threadId: string) =>
  new Refusal('unknownThread', `There is no thread ${threadId}; 'codex-lsp threads' lists them.`, { threadId });
