/** What a new turn adds to the conversation: changed surroundings, what became of earlier work, and the user's message. */
import { access, lstat, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, relative } from 'node:path';
import { agentsMdBytesMax, collectAgentsMd } from '../agent/agents-md.ts';
import { agentsMdContext, contextUpdates, environmentContext, reviewContext, taskMessage } from '../agent/context.ts';
import type { Review } from '../changeset/review-types.ts';
import type { ConversationItem } from '../model/model.ts';
import type { EventEnvelope } from '../protocol/thread.ts';
import type { ThreadState } from '../thread/state.ts';
import { userState } from '../workspace/snapshot.ts';
import type { TaskRequest } from './ports.ts';
import { textsUnder } from './review.ts';
import { contains } from './root.ts';

/**
 * `before`: the thread as it was when the turn was asked for; `reviewed`: its review at that moment; `events`: all of
 * the thread's so far.
 */
export async function openTurnInput(options: {
  request: TaskRequest;
  history: readonly ConversationItem[];
  before: ThreadState;
  reviewed: Review | undefined;
  events: readonly EventEnvelope[];
}): Promise<ConversationItem[]> {
  const { request, history, before, reviewed, events } = options;
  const { settings, root } = request;
  const environment = environmentContext({
    root,
    os: process.platform,
    shell: '/bin/bash',
    network: settings.sandbox.network === 'full' ? 'full' : 'off',
    sandbox: settings.sandbox.mode,
    date: today(),
  });
  const agentsMd = agentsMdContext(
    await collectAgentsMd({
      codexHome: request.environment.CODEX_HOME || join(homedir(), '.codex'),
      root,
      read: readerFor(request),
      exists: (path) =>
        access(path).then(
          () => true,
          () => false,
        ),
    }),
  );
  const review = reviewContext({
    lastTurn: before.turns.at(-1)?.status,
    events: sinceLastTurn(events, before.seq),
    pending: pathsWith(reviewed, 'pending'),
    conflicting: pathsWith(reviewed, 'conflicting'),
  });
  return [
    ...contextUpdates(history, [environment, agentsMd]),
    ...(review ? [review] : []),
    taskMessage({ prompt: request.prompt, mode: request.mode, attachments: request.attachments }),
  ];
}

/** In the user's own time zone: what they would call today. */
function today(): string {
  const now = new Date();
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
}

function sinceLastTurn(events: readonly EventEnvelope[], seqMax: number) {
  const past = events.filter(({ seq }) => (seq ?? 0) <= seqMax);
  const started = past.findLastIndex(({ event }) => event.type === 'turnStarted');
  return started < 0 ? [] : past.slice(started + 1).map(({ event }) => event);
}

const pathsWith = (review: Review | undefined, status: 'pending' | 'conflicting'): string[] =>
  (review?.files ?? []).filter(({ hunks }) => hunks.some((hunk) => hunk.status === status)).map(({ path }) => path);

/**
 * Instructions are read as the user has them, and never through a link: what a hostile repository could point at with
 * one would be sent to the model.
 */
function readerFor({ root, documents }: TaskRequest): (path: string) => Promise<string | undefined> {
  const buffers = textsUnder(documents, root);
  return async (path) => {
    if (contains(root, path)) {
      const state = await userState(root, relative(root, path), buffers);
      return state.kind === 'text' ? state.text : undefined;
    }
    const stats = await lstat(path).catch(() => undefined);
    if (!stats?.isFile() || stats.size > agentsMdBytesMax * 8) return undefined;
    return readFile(path, 'utf8').catch(() => undefined);
  };
}
