/** The first events of a turn: what was asked. They are in the journal before anybody hears of the turn. */
import type { ThreadState } from '../thread/state.ts';
import { titleOf } from '../thread/title.ts';
import type { Approvals } from './approvals.ts';
import type { TaskRequest } from './ports.ts';
import type { ThreadRecord } from './record.ts';

export type BegunTurn = {
  /** Of the thread, without this turn. */
  before: ThreadState;
  /** Why the turn cannot run. */
  error?: unknown;
  /** Lets listeners hear of it. */
  tell: () => void;
  /** Lets the next turn or decision in. */
  leave: () => void;
};

/** Waits for decisions that are being carried out: they belong to the turns before. The record is held. Never rejects. */
export async function beginTurn(
  record: ThreadRecord,
  request: TaskRequest,
  turnId: string,
  approvals: Approvals,
): Promise<BegunTurn> {
  const leave = await record.enter();
  const tell = record.holdBackEvents();
  const before = record.state;
  try {
    emitFirst(record, request, turnId, approvals);
    // What the disk does not take now is kept in memory, and said at the turn's end.
    await record.flushed().catch(() => {});
    return { before, tell, leave };
  } catch (error) {
    return { before, error, tell, leave };
  }
}

function emitFirst(record: ThreadRecord, request: TaskRequest, turnId: string, approvals: Approvals): void {
  const { seq, root, folders, turns } = record.state;
  const { settings, prompt, mode, origin } = request;
  if (seq === 0) {
    const title = titleOf(prompt, settings.markers);
    record.emit({ type: 'threadStarted', title, root, folders: folders && [...folders] });
  }
  approvals.withdrawAll(record);
  const freeformTools = turns[0]?.freeformTools ?? settings.provider.freeformTools;
  const model = request.model ?? settings.model;
  const unsandboxed = settings.sandbox.dangerouslyUnsandboxed || undefined;
  record.emit({ type: 'turnStarted', prompt, model, mode, origin, freeformTools, unsandboxed }, turnId);
}
