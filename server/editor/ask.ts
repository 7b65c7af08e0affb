/** Approvals asked in a dialog, where the editor has a safe one. Only an explicit title is an answer. */
import type { Approval, Decision } from '../protocol/thread.ts';
import { Refusal } from '../task/refusal.ts';
import { described, speaker } from './announce.ts';
import { oneLine } from './one-line.ts';
import type { Session } from './session.ts';

type Choice = { title: string; decision?: Decision; answer?: string };

/** A toast may be answered hours later. */
const dialogTimeoutMs = 24 * 60 * 60 * 1000;
const warning = 2;
/** What is asked for must be seen whole: hosts and paths always are, a command up to here. */
const messageCharsMax = 2000;

export class Dialogs {
  readonly #session: Session;
  readonly #failed: (error: unknown) => void;
  readonly #waiting: Approval[] = [];
  #open: { approvalId: string; withdrawal: AbortController } | undefined;

  constructor(session: Session, failed: (error: unknown) => void) {
    this.#session = session;
    this.#failed = failed;
  }

  ask(approval: Approval): void {
    if (!this.#session.profile.dialog) return;
    this.#waiting.push(approval);
    this.#next();
  }

  /** Answered in another way, or withdrawn. */
  settled(approvalId: string): void {
    const at = this.#waiting.findIndex((approval) => approval.approvalId === approvalId);
    if (at >= 0) this.#waiting.splice(at, 1);
    if (this.#open?.approvalId === approvalId) this.#open.withdrawal.abort();
  }

  close(): void {
    this.#waiting.length = 0;
    this.#open?.withdrawal.abort();
  }

  /** One at a time: some editors stack dialogs, others drop one of two. */
  #next(): void {
    const approval = this.#open ? undefined : this.#waiting.shift();
    if (!approval) return;
    const withdrawal = new AbortController();
    this.#open = { approvalId: approval.approvalId, withdrawal };
    this.#show(approval, withdrawal.signal)
      .catch(this.#failed)
      .finally(() => {
        this.#open = undefined;
        this.#next();
      });
  }

  async #show(approval: Approval, signal: AbortSignal): Promise<void> {
    const choices = choicesFor(approval);
    const reply = await this.#session.client.request(
      'window/showMessageRequest',
      {
        type: warning,
        // The id keeps two alike apart: Zed shows only one of them.
        message: `${oneLine(`${speaker(approval.unsandboxed)} asks: ${described(approval)}`, messageCharsMax)} [${approval.approvalId}]`,
        actions: choices.map(({ title }) => ({ title })),
      },
      { timeoutMs: dialogTimeoutMs, signal },
    );
    const title = reply.answered ? titleIn(reply.result) : undefined;
    const chosen = choices.find((choice) => choice.title === title);
    if (!chosen?.decision || signal.aborted) return;
    const { approvalId } = approval;
    const { tasks, face, client } = this.#session;
    try {
      await tasks.approve({ approvalId, decision: chosen.decision, answer: chosen.answer }, face);
    } catch (error) {
      // Somebody else was quicker, or the thread is another process's: it is for the person to know.
      if (!(error instanceof Refusal)) throw error;
      client.show('warning', oneLine(`Codex: ${error.message}`));
    }
  }
}

/** The harmless one first: it is what a stray Enter takes. */
function choicesFor({ kind, choices }: Approval): Choice[] {
  const later: Choice = { title: 'Decide later' };
  if (kind === 'question') {
    return [
      later,
      ...(choices ?? []).slice(0, 4).map((text): Choice => ({ title: text, decision: 'accept', answer: text })),
    ];
  }
  return [
    later,
    { title: 'Deny', decision: 'decline' },
    { title: 'Allow once', decision: 'accept' },
    { title: 'Always in this thread', decision: 'acceptForThread' },
  ];
}

function titleIn(result: unknown): string | undefined {
  const title = typeof result === 'object' && result !== null && 'title' in result ? result.title : undefined;
  return typeof title === 'string' ? title : undefined;
}
