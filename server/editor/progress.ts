/** Work-done progress of running turns, with steps a person can read and, where the editor has a button, cancel. */
import { type Activity, stepText, type ThreadActivity } from './activity.ts';
import { speaker } from './announce.ts';
import { oneLine } from './one-line.ts';
import type { Session } from './session.ts';

type Shown = { threadId: string; token: string; begun: boolean; text: string };

const createTimeoutMs = 5_000;
const tickMs = 1_000;

export class Progress {
  readonly #session: Session;
  readonly #activity: Activity;
  readonly #shown = new Map<string, Shown>();
  #tick: NodeJS.Timeout | undefined;

  constructor(session: Session, activity: Activity) {
    this.#session = session;
    this.#activity = activity;
  }

  begin(thread: ThreadActivity): void {
    if (this.#session.capabilities.window?.workDoneProgress !== true || this.#shown.has(thread.threadId)) return;
    const shown: Shown = { threadId: thread.threadId, token: this.#token(thread), begun: false, text: '' };
    this.#shown.set(thread.threadId, shown);
    void this.#create(shown, thread);
    // Seconds go by in a command without an event.
    this.#tick ??= setInterval(() => this.#reportAll(), tickMs).unref();
  }

  report(threadId: string): void {
    const shown = this.#shown.get(threadId);
    const turn = this.#activity.get(threadId)?.turn;
    if (!shown?.begun || !turn) return;
    const message = oneLine(stepText(turn, Date.now()), 100);
    if (message === shown.text) return;
    shown.text = message;
    this.#send(shown.token, { kind: 'report', message });
  }

  end(threadId: string, message: string): void {
    const shown = this.#shown.get(threadId);
    if (!shown) return;
    this.#shown.delete(threadId);
    if (shown.begun) this.#send(shown.token, { kind: 'end', message });
    if (this.#shown.size === 0) this.close();
  }

  /** The user pressed the editor's own cancel button. Clients may also name tokens that are gone. */
  threadOf(token: unknown): string | undefined {
    return [...this.#shown.values()].find((shown) => shown.token === token)?.threadId;
  }

  close(): void {
    clearInterval(this.#tick);
    this.#tick = undefined;
  }

  async #create(shown: Shown, { threadId, title, turn }: ThreadActivity): Promise<void> {
    const { token } = shown;
    const reply = await this.#session.client.request(
      'window/workDoneProgress/create',
      { token },
      { timeoutMs: createTimeoutMs },
    );
    if (!reply.answered || this.#shown.get(threadId) !== shown) return;
    shown.begun = true;
    const shownTitle = `${speaker(turn?.unsandboxed)}: ${oneLine(title, 60)}`;
    this.#send(token, { kind: 'begin', title: shownTitle, cancellable: true, message: 'thinking' });
    shown.text = 'thinking';
    this.report(threadId);
  }

  /** Helix 25.01 and Kakoune show it to the user. */
  #token({ title, turn }: ThreadActivity): string {
    const name = `${speaker(turn?.unsandboxed).toLowerCase()}: ${oneLine(title, 40)}`;
    const taken = new Set([...this.#shown.values()].map(({ token }) => token));
    let token = name;
    for (let number = 2; taken.has(token); number++) token = `${name} (${number})`;
    return token;
  }

  #reportAll(): void {
    for (const threadId of this.#shown.keys()) this.report(threadId);
  }

  #send(token: string, value: object): void {
    this.#session.client.notify('$/progress', { token, value });
  }
}
