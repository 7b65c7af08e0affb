/** One turn of a thread from its first event to its last: copy made ready, loop run, changeset told. */
import { instructions } from '../agent/instructions.ts';
import { runTurn, type TurnOutcome } from '../agent/turn.ts';
import { nextCopy } from '../changeset/outcome.ts';
import { withoutRedone } from '../changeset/redo.ts';
import { socketWarnings } from '../policy/sockets.ts';

import { unsandboxedNotice } from '../sandbox/status.ts';
import type { ThreadState } from '../thread/state.ts';
import type { Approvals } from './approvals.ts';
import type { BegunTurn } from './begin-turn.ts';
import type { Decisions } from './decide.ts';
import { newId } from './ids.ts';
import { modelFor } from './model-for.ts';
import { overlapWarnings } from './overlap.ts';
import type { OverlappingThreads } from './overlapping-threads.ts';
import type { TaskRequest } from './ports.ts';
import type { ThreadRecord } from './record.ts';
import { publishChanges, reviewThread, textsUnder } from './review.ts';
import type { Slots } from './slots.ts';
import { stateFault } from './state-fault.ts';
import { type TurnTexts, turnTexts } from './turn-documents.ts';
import { openTurnInput } from './turn-input.ts';
import { openWorkbench } from './workbench.ts';

export type RunOptions = {
  record: ThreadRecord;
  stateDir: string;
  request: TaskRequest;
  turnId: string;
  begun: BegunTurn;
  signal: AbortSignal;
  approvals: Approvals;
  slots: Slots;
  /** Takes the messages that the user has added since it was last called. */
  steering: () => string[];
  /** Called right before the turn's end is told: whoever hears of it may start the next turn, or decide hunks. */
  leave: () => void;
  decisions: Decisions;
  overlapping: OverlappingThreads;
  /** Called as soon as the model will read no more messages. */
  stopSteering: () => void;
};

/** Never rejects: how the turn ended is in its `turnCompleted`. */
export async function runTask(options: RunOptions): Promise<void> {
  const { record, request, turnId, begun } = options;
  const { before } = begun;
  begun.tell();
  try {
    if (begun.error !== undefined) throw begun.error;
    const texts = turnTexts(request, (message) => record.emit({ type: 'warning', message }, turnId));
    const run = carryOut(options, before, texts);
    const outcome = await run.catch((error: unknown): TurnOutcome => failure(stateFault(error, options.stateDir)));
    options.stopSteering();
    await finish(options, outcome, texts);
  } catch (error) {
    // Where not even the journal can be written, the last that can be done is to end the turn for those who listen.
    options.leave();
    const { message } = failure(stateFault(error, options.stateDir)).error;
    record.emit({ type: 'turnCompleted', status: 'failed', error: { reason: 'internal', message } }, turnId);
  }
}

async function carryOut(options: RunOptions, before: ThreadState, texts: TurnTexts): Promise<TurnOutcome> {
  const { record, request, turnId, signal, approvals, steering } = options;
  const emit: ThreadRecord['emit'] = (event) => record.emit(event, turnId);
  emit({ type: 'itemCompleted', item: { id: newId('i'), type: 'userMessage', text: request.prompt } });
  const leftOut = before.seq === 0 ? (request.leftOut ?? []) : [];
  const warnings = [...leftOut, ...unsandboxed(request), ...socketWarnings(request.settings.sandbox.sockets)];
  for (const message of warnings) emit({ type: 'warning', message });
  const model = modelFor(request);
  if ('error' in model) return { status: 'failed', error: model.error };

  const full = (running: number, before: number) => {
    const turns = running === 1 ? 'one turn runs' : `${running} turns run`;
    const queue = before === 0 ? 'this one is next' : `${before} wait before this one`;
    emit({
      type: 'warning',
      message: `Waiting: ${turns}, as many as limits.parallelTurns allows; ${queue}.`,
    });
  };
  const slot = await options.slots.take(request.settings.limits.parallelTurns, signal, full);
  if (!slot) return { status: 'interrupted' };
  const ended = new AbortController();
  try {
    const copy = await record.copy();
    const reviewed =
      before.turns.length > 0
        ? withoutRedone(await reviewThread(record, await texts(), { state: before }), request.redo)
        : undefined;
    if (reviewed) await copy.settle(nextCopy(reviewed));
    const documents = await texts();
    await copy.prepare(textsUnder(documents, request.root), request.settings.sandbox.secrets);
    for (const { path, base, text } of request.seeds) await copy.seed(path, base, text);

    const history = await record.conversation();
    const input = await openTurnInput({ request: { ...request, documents }, copy, history, before, reviewed });
    await record.remember(input, turnId);
    const outcome = await runTurn({
      model: model.model,
      request: {
        model: request.model ?? request.settings.model,
        effort: request.effort ?? request.settings.effort,
        cacheKey: record.threadId,
        instructions,
        freeformTools: record.state.turns.at(-1)?.freeformTools ?? request.settings.provider.freeformTools,
        outputSchema: request.outputSchema ? { name: 'answer', schema: request.outputSchema } : undefined,
      },
      conversation: [...history, ...input],
      remember: (items) => record.remember(items),
      emit: (event) => record.emit(event, turnId),
      workbench: openWorkbench({
        record,
        stateDir: options.stateDir,
        copy,
        request,
        texts,
        turnId,
        approvals,
        slot,
        signal,
        looking: AbortSignal.any([signal, ended.signal]),
      }),
      limits: request.settings.limits,
      steering,
      signal,
      newId: () => newId('i'),
      root: request.root,
      folders: request.folders,
      explain: (error) => failure(stateFault(error, options.stateDir)).error.message,
    });
    options.stopSteering();
    return outcome;
  } finally {
    ended.abort();
    slot.free();
  }
}

/** The order of a turn's last events is part of the contract. */
async function finish(options: RunOptions, outcome: TurnOutcome, texts: TurnTexts): Promise<void> {
  const { record, turnId, decisions, overlapping } = options;
  let overlaps: string[] = [];
  const compared = texts().then(async (documents) => {
    const made = await reviewThread(record, documents);
    overlaps = overlapWarnings(await overlapping.of(record, made, documents));
    return made;
  });
  const review = await compared.catch((error: unknown) => {
    record.emit(
      { type: 'warning', message: `The changes could not be compared: ${failure(error).error.message}` },
      turnId,
    );
    return undefined;
  });
  for (const message of overlaps) record.emit({ type: 'warning', message }, turnId);
  if (review && (review.files.length > 0 || record.state.pendingFiles > 0)) publishChanges(record, review, turnId);
  // What cannot be written down is said by the turn's end.
  await record.flushed();
  // From here on whoever hears of the end may start the next turn, or decide hunks.
  options.leave();
  record.emit({ type: 'turnCompleted', ...outcome }, turnId);
  if (review) decisions.askForWhole(record, review);
  await record.flushed().catch(() => {});
}

/** Said with each turn, because each turn it is so. */
function unsandboxed({ settings: { sandbox }, mode }: TaskRequest): string[] {
  if (!sandbox.dangerouslyUnsandboxed) return [];
  const isReadOnly = mode === 'ask' || sandbox.mode === 'readOnly';
  return [isReadOnly ? `${unsandboxedNotice} Nothing keeps them from changing files.` : unsandboxedNotice];
}

function failure(error: unknown): Extract<TurnOutcome, { status: 'failed' }> {
  const message = error instanceof Error ? error.message : String(error);
  return { status: 'failed', error: { reason: 'internal', message } };
}
