/** The turns of this process: begun, spoken to, stopped; at most one in a thread. */
import { foldersOf } from '../protocol/folders.ts';
import type { ThreadSummary } from '../protocol/thread.ts';
import { isRunning } from '../thread/state.ts';
import type { Approvals } from './approvals.ts';
import { type BegunTurn, beginTurn } from './begin-turn.ts';
import type { Decisions } from './decide.ts';
import type { DocumentsOfAll } from './documents-of-all.ts';
import { newId } from './ids.ts';
import type { OverlappingThreads } from './overlapping-threads.ts';
import type { TaskRequest } from './ports.ts';
import type { ThreadRecord } from './record.ts';
import { Refusal, turnRunning, unknownThread } from './refusal.ts';
import type { Registry } from './registry.ts';
import { assertWorkspace } from './root.ts';
import { Slots } from './slots.ts';

/** `steering`: what the user has added and the model has not read; undefined once it will not read any more. */
type RunningTurn = { turnId: string; stop: AbortController; steering: string[] | undefined; ended: Promise<void> };

type Around = {
  stateDir: string;
  registry: Registry;
  approvals: Approvals;
  decisions: Decisions;
  documents: DocumentsOfAll;
  overlapping: OverlappingThreads;
};

export class RunningTurns {
  readonly #around: Around;
  readonly #slots = new Slots();
  /** By thread id. */
  readonly #turns = new Map<string, RunningTurn>();

  constructor(around: Around) {
    this.#around = around;
  }

  get size(): number {
    return this.#turns.size;
  }

  has(threadId: string): boolean {
    return this.#turns.has(threadId);
  }

  /** Throws `turnRunning`: what runs may still change what would be decided. */
  assertNone(threadId: string): void {
    if (this.#turns.has(threadId)) throw turnRunning(threadId);
  }

  /** Resolves when the turn is in the journal, and before anybody hears of it. Throws `noWorkspace` and `turnRunning`. */
  async start(asked: TaskRequest): Promise<{ threadId: string; turnId: string }> {
    const { registry, stateDir, approvals } = this.#around;
    const known = asked.threadId === undefined ? undefined : await registry.find(asked.threadId);
    for (const folder of foldersOf(known?.workspace ?? asked)) await assertWorkspace(folder, stateDir);
    const record = known ?? (await registry.create(asked));
    const { threadId } = record;
    if (record.root !== asked.root) {
      throw new Refusal('noWorkspace', `Thread ${threadId} belongs to ${record.root}, not to ${asked.root}.`);
    }
    const request = { ...asked, folders: undefined, ...record.workspace };
    this.assertNone(threadId);
    if (registry.isForgotten(threadId)) throw unknownThread(threadId);
    const turnId = newId('u');
    const ended = Promise.withResolvers<void>();
    const turn: RunningTurn = { turnId, stop: new AbortController(), steering: [], ended: ended.promise };
    this.#turns.set(threadId, turn);
    const release = await record.hold('turn').catch((error: unknown) => {
      this.#turns.delete(threadId);
      ended.resolve();
      throw error;
    });
    const isDeciding = record.isBusy;
    const begun = beginTurn(record, request, turnId, approvals);
    // Who is answered has a turn that no kill takes back; but an answer does not wait for what is being carried out.
    if (!isDeciding) await begun;
    // A later macrotask: the answer to the request goes out before the turn's first event.
    setImmediate(() => void this.#run(record, request, turn, begun).finally(release).then(ended.resolve));
    return { threadId, turnId };
  }

  /** Never rejects: however a turn ends, it is told in `turnCompleted`. */
  async #run(
    record: ThreadRecord,
    request: TaskRequest,
    turn: RunningTurn,
    beginning: Promise<BegunTurn>,
  ): Promise<void> {
    const { documents, ...around } = this.#around;
    const begun = await beginning;
    // Agent, model and sandbox are loaded with the first turn, not with the server.
    const { runTask } = await import('./run.ts');
    await runTask({
      ...around,
      record,
      request: { ...request, documents: documents.seenBy(request.documents) },
      turnId: turn.turnId,
      begun,
      signal: turn.stop.signal,
      slots: this.#slots,
      steering: () => turn.steering?.splice(0) ?? [],
      stopSteering: () => {
        turn.steering = undefined;
      },
      leave: () => {
        this.#turns.delete(record.threadId);
        begun.leave();
      },
    });
  }

  /** Throws `noTurnRunning` and `turnRunning`. */
  async steer(threadId: string, text: string): Promise<{ turnId: string }> {
    const turn = await this.#turnOf(threadId);
    if (!turn?.steering) {
      throw new Refusal('noTurnRunning', `No turn runs in thread ${threadId}; start one with codex/runTask.`);
    }
    turn.steering.push(text);
    return { turnId: turn.turnId };
  }

  /** Throws `turnRunning`. */
  async cancel(threadId: string): Promise<{ status: 'interrupted' | 'idle' }> {
    const turn = await this.#turnOf(threadId);
    turn?.stop.abort();
    return { status: turn ? 'interrupted' : 'idle' };
  }

  /** Resolves when no turn runs in the thread any more. */
  async stop(threadId: string): Promise<void> {
    const turn = this.#turns.get(threadId);
    turn?.stop.abort();
    await turn?.ended;
  }

  async stopAll(): Promise<void> {
    await Promise.all([...this.#turns.keys()].map((threadId) => this.stop(threadId)));
  }

  /** A turn runs from the answer to its request on, though others hear of it a little later. */
  current(summary: ThreadSummary): ThreadSummary {
    const isWaiting = summary.status === 'waitingForApproval';
    return this.#turns.has(summary.threadId) && !isWaiting ? { ...summary, status: 'running' } : summary;
  }

  /** Undefined where none runs. Throws `turnRunning` where another process runs one. */
  async #turnOf(threadId: string): Promise<RunningTurn | undefined> {
    const turn = this.#turns.get(threadId);
    if (turn) return turn;
    const record = await this.#around.registry.find(threadId);
    if (isRunning(record.state)) await record.held(async () => {});
    return undefined;
  }
}
