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
      // Where it was answered and that is being written, the answer comes.
      const withdraw = () => {
        if (record.state.approvals.has(approval.approvalId)) this.settle(record, approval.approvalId, 'withdrawn');
      };
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

  /**
   * The user's answer, which takes effect when the disk has it. Throws as `settle` does, and what the disk says: then it
   * counts as a no, and grants nothing.
   */
  async answer(record: ThreadRecord, approvalId: string, decision: Decision): Promise<void> {
    const wake = this.#waiting.get(approvalId);
    this.#waiting.delete(approvalId);
    const before = new Set(record.state.grants.map(({ grantId }) => grantId));
    try {
      this.settle(record, approvalId, decision);
      await record.flushed();
      wake?.(decision);
    } catch (error) {
      const granted = record.state.grants.filter(({ grantId }) => !before.has(grantId));
      for (const { grantId } of granted) record.emit({ type: 'grantRevoked', grantId });
      wake?.('decline');
      throw error;
    }
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
