/** What the tasks of this connection's workspace are doing, folded from their events for progress, actions and messages. */
import type { Workspace } from '../protocol/folders.ts';
import type { EventEnvelope, Item } from '../protocol/thread.ts';

export type Turn = {
  turnId: string;
  mode: 'task' | 'ask';
  /** Its commands run without a sandbox. */
  unsandboxed?: boolean;
  /** Model responses so far, with the one that is awaited. */
  step: number;
  /** What it is at, in a few words. */
  doing: string;
  /** A running command, and since when. */
  command?: { id: string; text: string; startedMs: number };
};

export type ThreadActivity = Workspace & {
  threadId: string;
  title: string;
  /** Where the last turn was delegated from; line 0-based. */
  origin?: { path: string; line: number };
  /** The running turn. */
  turn?: Turn;
  /** The last text of the agent in this turn. */
  said: string;
};

export class Activity {
  readonly #threads = new Map<string, ThreadActivity>();
  /** Of threads whose past was read: the last event of it, which may be told once more. */
  readonly #recalled = new Map<string, number>();
  /** Of threads whose past is being read, what happens meanwhile. */
  readonly #meanwhile = new Set<{ threadId: string; live: EventEnvelope[] }>();

  get(threadId: string): ThreadActivity | undefined {
    return this.#threads.get(threadId);
  }

  forget(threadId: string): void {
    this.#threads.delete(threadId);
    this.#recalled.delete(threadId);
  }

  running(): ThreadActivity[] {
    return [...this.#threads.values()].filter(({ turn }) => turn !== undefined);
  }

  /** Another process, or an earlier one, has this thread as well. */
  learn(threadId: string, workspace: Workspace, title: string): void {
    const known = this.#threads.get(threadId);
    if (known) known.title ||= title;
    else this.#threads.set(threadId, { ...workspace, threadId, title, said: '' });
  }

  /** A thread as it stands, of which this editor has not seen all: its past as `read` tells it, then what came meanwhile. */
  async recall(
    threadId: string,
    workspace: Workspace,
    read: () => Promise<readonly EventEnvelope[]>,
  ): Promise<ThreadActivity> {
    const meanwhile = { threadId, live: [] as EventEnvelope[] };
    this.#meanwhile.add(meanwhile);
    const past = await read().finally(() => this.#meanwhile.delete(meanwhile));
    const last = past.at(-1)?.seq ?? 0;
    const title = this.#threads.get(threadId)?.title ?? '';
    const thread: ThreadActivity = { ...workspace, threadId, title, said: '' };
    this.#threads.set(threadId, thread);
    const missing = meanwhile.live.filter(({ seq = 0 }) => seq > last);
    for (const envelope of [...past, ...missing]) foldInto(thread, envelope, Date.parse(envelope.at));
    this.#recalled.set(threadId, Math.max(last, ...missing.map(({ seq = 0 }) => seq)));
    return thread;
  }

  fold(envelope: EventEnvelope, workspace: Workspace, nowMs: number): ThreadActivity {
    const { threadId } = envelope;
    for (const one of this.#meanwhile) if (one.threadId === threadId) one.live.push(envelope);
    this.learn(threadId, workspace, '');
    const thread = this.#threads.get(threadId) ?? { ...workspace, threadId, title: '', said: '' };
    const isKnown = (envelope.seq ?? Infinity) <= (this.#recalled.get(threadId) ?? 0);
    if (!isKnown) foldInto(thread, envelope, nowMs);
    return thread;
  }
}

function foldInto(thread: ThreadActivity, { turnId, event }: EventEnvelope, nowMs: number): void {
  const { turn } = thread;
  if (event.type === 'threadStarted' || event.type === 'renamed') thread.title = event.title;
  if (event.type === 'turnStarted') {
    thread.turn = {
      turnId: turnId ?? '',
      mode: event.mode,
      unsandboxed: event.unsandboxed,
      step: 1,
      doing: 'thinking',
    };
    thread.origin = event.origin;
    thread.said = '';
    thread.title ||= event.prompt;
  }
  if (turn && event.type === 'usage') turn.step += 1;
  if (turn && event.type === 'itemStarted') begin(turn, event.item, nowMs);
  if (event.type === 'itemCompleted') {
    if (event.item.type === 'agentMessage') thread.said = event.item.text;
    if (turn) end(turn, event.item);
  }
  if (turn && event.type === 'approvalRequested') turn.doing = `waiting for your answer: ${event.approval.title}`;
  if (turn && event.type === 'approvalResolved') turn.doing = 'thinking';
  if (event.type === 'turnCompleted') delete thread.turn;
}

/** `running npm test, 12 s` · `editing src/a.ts` · `thinking (step 3)`. */
export function stepText(turn: Turn, nowMs: number): string {
  if (turn.doing.startsWith('waiting')) return turn.doing;
  if (turn.command) {
    const seconds = Math.floor((nowMs - turn.command.startedMs) / 1000);
    return `running ${turn.command.text}${seconds > 0 ? `, ${seconds} s` : ''}`;
  }
  return turn.doing === 'thinking' && turn.step > 1 ? `thinking (step ${turn.step})` : turn.doing;
}

function begin(turn: Turn, item: Item, nowMs: number): void {
  if (item.type === 'command') turn.command = { id: item.id, text: item.command, startedMs: nowMs };
  if (item.type === 'patch') turn.doing = `editing ${item.files.map(({ path }) => path).join(', ')}`;
  if (item.type === 'tool') turn.doing = item.name;
  if (item.type === 'agentMessage') turn.doing = 'writing';
}

function end(turn: Turn, item: Item): void {
  if (item.type === 'command' && turn.command?.id === item.id) delete turn.command;
  const step = item.type === 'plan' ? item.steps.find(({ status }) => status === 'inProgress')?.step : undefined;
  // Patches are quick: the word stays until the next thing begins.
  if (item.type === 'patch') turn.doing = `editing ${item.files.map(({ path }) => path).join(', ')}`;
  else turn.doing = step ?? 'thinking';
}
