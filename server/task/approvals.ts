/** Questions that wait for the user. Each is settled exactly once, whoever answers. */
import type { Approval, Decision } from '../protocol/thread.ts';
import { newId } from './ids.ts';
import type { ThreadRecord } from './record.ts';
import { Refusal } from './refusal.ts';

export type Settled = Decision | 'withdrawn';
export type Question = Omit<Approval, 'approvalId' | 'threadId' | 'unsandboxed' | 'requestedAt'>;

export class Approvals {
  readonly #waiting = new Map<string, (decision: Settled) => void>();

  /** Asks, and waits until it is answered or the signal withdraws it. */
  ask(record: ThreadRecord, question: Question, signal: AbortSignal): Promise<Settled> {
    if (signal.aborted) return Promise.resolve('withdrawn');
    const approval = this.request(record, question);
    return new Promise((resolve) => {
      const withdraw = () => this.settle(record, approval.approvalId, 'withdrawn');
      signal.addEventListener('abort', withdraw, { once: true });
      this.#waiting.set(approval.approvalId, (decision) => {
        signal.removeEventListener('abort', withdraw);
        resolve(decision);
      });
    });
  }

  /** Asks without anybody waiting: the finished changeset. */
  request(record: ThreadRecord, question: Question): Approval {
    const turn = record.state.turns.findLast(({ turnId }) => turnId === question.turnId);
    const approval = {
      ...question,
      approvalId: newId('a'),
      threadId: record.threadId,
      unsandboxed: turn?.unsandboxed,
      requestedAt: new Date().toISOString(),
    };
    record.emit({ type: 'approvalRequested', approval }, question.turnId);
    return approval;
  }

  /** Throws `unknownApproval`, or `alreadySettled` naming the first answer. */
  settle(record: ThreadRecord, approvalId: string, decision: Settled): void {
    const approval = this.assertPending(record, approvalId);
    record.emit({ type: 'approvalResolved', approvalId, decision }, approval.turnId);
    this.#waiting.get(approvalId)?.(decision);
    this.#waiting.delete(approvalId);
  }

  /** Throws as `settle` does. */
  assertPending({ state }: ThreadRecord, approvalId: string): Approval {
    const approval = state.approvals.get(approvalId);
    if (approval) return approval;
    const first = state.settled.get(approvalId);
    if (first === undefined) throw unknownApproval(approvalId);
    throw new Refusal('alreadySettled', `This approval was already settled: ${first}.`, {
      approvalId,
      decision: first,
    });
  }

  /** All that is pending in a thread ends as withdrawn. */
  withdrawAll(record: ThreadRecord): void {
    for (const approvalId of record.state.approvals.keys()) this.settle(record, approvalId, 'withdrawn');
  }
}

export const unknownApproval = (approvalId: string) =>
  new Refusal('unknownApproval', `There is no approval ${approvalId}; codex/approvals lists what waits.`, {
    approvalId,
  });

export const unknownGrant = (grantId: string) =>
  new Refusal(
    'unknownGrant',
    `There is no grant ${grantId}, or it was taken back; codex/grants lists those there are.`,
    {
      grantId,
    },
  );
