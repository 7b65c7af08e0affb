/** A thread as the fold of its events: whatever is shown of a thread is computed here and nowhere else. */

import type { HunkStatus } from '../protocol/changeset.ts';
import type {
  Approval,
  EventEnvelope,
  Grant,
  Item,
  PlanStep,
  ThreadEvent,
  ThreadSummary,
  TurnStatus,
  Usage,
} from '../protocol/thread.ts';

export type Turn = {
  turnId: string;
  prompt: string;
  model: string;
  mode: 'task' | 'ask';
  origin?: { path: string; line: number };
  freeformTools?: boolean;
  /** Its commands ran without a sandbox. */
  unsandboxed?: boolean;
  items: readonly Item[];
  /** Absent while it runs. */
  status?: TurnStatus;
  summary?: string;
  error?: { reason: string; message: string };
};

export type ThreadState = {
  threadId: string;
  title: string;
  /** DocumentUri of the workspace folder, or of the closest folder around several. */
  root: string;
  /** DocumentUris, where there are several. */
  folders?: readonly string[];
  createdAt: string;
  updatedAt: string;
  archived: boolean;
  usage: Usage;
  /** The last event's number; 0 before the first. */
  seq: number;
  turns: readonly Turn[];
  /** By approval id, in the order they were asked. */
  approvals: ReadonlyMap<string, Approval>;
  /** How each approval of the past ended. */
  settled: ReadonlyMap<string, string>;
  /** Hunks decided since the last turn started, with their paths. */
  decided: ReadonlyMap<string, { path: string; status: HunkStatus }>;
  /** Decisions and undos since the last turn started, for the model to be told. */
  reviewEvents: readonly ThreadEvent[];
  /** Files with something pending or conflicting, as of the last `changesetUpdated`. */
  pendingFiles: number;
  /** What the user accepted for the whole thread and has not taken back. */
  grants: readonly Grant[];
};

const noUsage: Usage = { inputTokens: 0, cachedInputTokens: 0, outputTokens: 0, reasoningTokens: 0, requests: 0 };

export const newThread = (threadId: string): ThreadState => ({
  threadId,
  title: '',
  root: '',
  createdAt: '',
  updatedAt: '',
  archived: false,
  usage: noUsage,
  seq: 0,
  turns: [],
  approvals: new Map(),
  settled: new Map(),
  decided: new Map(),
  reviewEvents: [],
  pendingFiles: 0,
  grants: [],
});

/** The state after an event. `itemDelta` changes nothing: it is live only. */
export function fold(state: ThreadState, envelope: EventEnvelope): ThreadState {
  const { event } = envelope;
  if (event.type === 'itemDelta') return state;
  const next = {
    ...state,
    seq: envelope.seq ?? state.seq,
    createdAt: state.createdAt || envelope.at,
    updatedAt: envelope.at,
  };
  return { ...next, ...change(next, event, envelope.turnId) };
}

function change(state: ThreadState, event: ThreadEvent, turnId: string | undefined): Partial<ThreadState> {
  switch (event.type) {
    case 'threadStarted':
      return { title: event.title, root: event.root, folders: event.folders };
    case 'turnStarted': {
      const { prompt, model, mode, origin, freeformTools, unsandboxed } = event;
      const turn: Turn = { turnId: turnId ?? '', prompt, model, mode, origin, freeformTools, unsandboxed, items: [] };
      return { turns: [...state.turns, turn], decided: new Map(), reviewEvents: [] };
    }
    case 'itemStarted':
    case 'itemCompleted':
      return lastTurn(state, (turn) => ({ ...turn, items: withItem(turn.items, event.item) }));
    case 'approvalRequested':
      return { approvals: new Map(state.approvals).set(event.approval.approvalId, event.approval) };
    case 'approvalResolved': {
      const approvals = new Map(state.approvals);
      const approval = approvals.get(event.approvalId);
      approvals.delete(event.approvalId);
      const settled = new Map(state.settled).set(event.approvalId, event.decision);
      const granted = approval && event.decision === 'acceptForThread' && grantOf(approval, state.updatedAt);
      return { approvals, settled, grants: granted ? [...state.grants, granted] : state.grants };
    }
    case 'grantRevoked':
      return { grants: state.grants.filter(({ grantId }) => grantId !== event.grantId) };
    case 'changesetUpdated':
      return { pendingFiles: event.files };
    case 'hunksDecided': {
      const decided = new Map(state.decided);
      for (const { id, path, status } of event.hunks) {
        if (status === 'accepted' || status === 'rejected') decided.set(id, { path, status });
        else decided.delete(id);
      }
      return { decided, reviewEvents: [...state.reviewEvents, event] };
    }
    case 'usage':
      return { usage: addUsage(state.usage, event.usage) };
    case 'renamed':
      return { title: event.title };
    case 'archived':
      return { archived: event.archived };
    case 'turnCompleted':
      return lastTurn(state, (turn) => ({
        ...turn,
        status: event.status,
        summary: event.summary,
        error: event.error,
        items: turn.items.map(ended),
      }));
    case 'applied':
    case 'undone':
      return { reviewEvents: [...state.reviewEvents, event] };
    case 'warning':
    case 'forked':
    case 'itemDelta':
      return {};
  }
}

/** Exactly what was shown. Its id follows from the approval's, so that every fold of a journal names it alike. */
function grantOf({ approvalId, threadId, kind, command, cwd, hosts, paths }: Approval, at: string): Grant | undefined {
  const known = { grantId: `g${approvalId}`, threadId, at };
  switch (kind) {
    case 'command':
      return { ...known, kind, command, cwd };
    case 'network':
      return { ...known, kind, hosts };
    case 'read':
      return { ...known, kind, paths };
    case 'question':
    case 'changes':
      return undefined;
  }
}

function lastTurn(state: ThreadState, update: (turn: Turn) => Turn): Partial<ThreadState> {
  const turn = state.turns.at(-1);
  return turn ? { turns: [...state.turns.slice(0, -1), update(turn)] } : {};
}

function withItem(items: readonly Item[], item: Item): readonly Item[] {
  const at = items.findIndex(({ id }) => id === item.id);
  return at < 0 ? [...items, item] : items.with(at, item);
}

/** Nothing runs on after its turn: what a crash left running was killed. */
function ended(item: Item): Item {
  if ((item.type === 'command' || item.type === 'tool') && item.status === 'running')
    return { ...item, status: 'killed' };
  return item;
}

function addUsage(a: Usage, b: Usage): Usage {
  return {
    inputTokens: a.inputTokens + b.inputTokens,
    cachedInputTokens: a.cachedInputTokens + b.cachedInputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    reasoningTokens: a.reasoningTokens + b.reasoningTokens,
    requests: a.requests + b.requests,
  };
}

export function isRunning(state: ThreadState): boolean {
  const turn = state.turns.at(-1);
  return turn !== undefined && turn.status === undefined;
}

/** Its first that holds: waiting comes before running here, for a turn that waits has not ended. */
export function statusOf(state: ThreadState): ThreadSummary['status'] {
  const waits = [...state.approvals.values()].some(({ kind }) => kind !== 'changes');
  if (isRunning(state)) return waits ? 'waitingForApproval' : 'running';
  if (state.pendingFiles > 0) return 'inReview';
  const last = state.turns.at(-1)?.status;
  return last === 'failed' || last === 'interrupted' ? last : 'idle';
}

export function summaryOf(state: ThreadState): ThreadSummary {
  const { threadId, title, root, createdAt, updatedAt, archived, usage } = state;
  const folders = state.folders && [...state.folders];
  const { unsandboxed } = state.turns.at(-1) ?? {};
  const status = statusOf(state);
  return { threadId, title, root, folders, status, createdAt, updatedAt, archived, unsandboxed, usage };
}

/** Whether a thread works in the workspace folder with this URI. */
export const worksIn = ({ root, folders }: Pick<ThreadSummary, 'root' | 'folders'>, uri: string): boolean =>
  folders === undefined ? root === uri : folders.includes(uri);

/** The plan as the last turn left it. */
export function planOf(state: ThreadState): readonly PlanStep[] {
  const plans = state.turns.at(-1)?.items.filter((item) => item.type === 'plan') ?? [];
  return plans.at(-1)?.steps ?? [];
}
