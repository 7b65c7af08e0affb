/** A second thread with the history of a first, up to the end of one of its turns. Both live on, each for itself. */
import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { forkedContext } from '../agent/context.ts';
import type { ConversationItem } from '../model/model.ts';
import type { EventEnvelope, ThreadEvent } from '../protocol/thread.ts';
import { removeTree } from '../workspace/remove-tree.ts';
import { writeDurably } from './durable.ts';
import { versionLine } from './json-lines.ts';
import { forkOutputs, withOutputIn } from './output-files.ts';
import type { ThreadRecord } from './record.ts';
import { InvalidParams, Refusal } from './refusal.ts';
import { journalName } from './summary-file.ts';
import { passingNameOf } from './thread-folders.ts';
import { before, turnMark } from './turn-marks.ts';

/** `later`: turns of the first thread that the second has not. */
export type ForkPoint = { turnId: string; isLast: boolean; later: ReadonlySet<string> };

/** Where to fork: by default at the end of the last turn. Throws `turnRunning` by `running`, or `InvalidParams`. */
export function forkPoint(record: ThreadRecord, turnId: string | undefined, running: () => Error): ForkPoint {
  const { turns, threadId } = record.state;
  const at = turnId === undefined ? turns.length - 1 : turns.findIndex((turn) => turn.turnId === turnId);
  const turn = turns[at];
  if (!turn && turnId !== undefined) throw new InvalidParams(`turnId: thread ${threadId} has no turn ${turnId}.`);
  if (!turn)
    throw new Refusal('unknownThread', `Thread ${threadId} has no turn yet, so that there is nothing to fork.`);
  if (turn.status === undefined) throw running();
  const later = new Set(turns.slice(at + 1).map(({ turnId }) => turnId));
  return { turnId: turn.turnId, isLast: later.size === 0, later };
}

/**
 * Makes the folder of the new thread, which is there as a whole or not at all. With the copy where the point is the last
 * turn, and then the thread is held. Throws what the disk says, with nothing left behind.
 */
export async function writeFork(
  record: ThreadRecord,
  { turnId, isLast, later }: ForkPoint,
  to: { threadId: string; folder: string },
): Promise<void> {
  const conversation = before(await record.markedConversation(), later);
  if (!conversation) {
    throw new InvalidParams(
      'turnId: this thread is of an older version, which did not note where its turns end; leave it out.',
    );
  }
  const made = passingNameOf(to.folder);
  await mkdir(made, { recursive: true, mode: 0o700 });
  try {
    const problems = isLast ? await (await record.copy()).forkInto(join(made, 'copy')) : [];
    const told = isLast ? conversation : [...conversation, turnMark(turnId), forkedContext];
    await write(join(made, 'conversation.jsonl'), told);
    const events = forkEvents(record, await record.events(0), later, problems);
    await forkOutputs(record.folder, made, events.map(({ event }) => outputOf(event)).filter(isNamed));
    const theirs = events.map((told) => inFolder(told, record.folder, to.folder));
    await write(join(made, journalName), numbered(theirs, to.threadId));
    await rename(made, to.folder);
  } catch (error) {
    await removeTree(made).catch(() => {});
    throw error;
  }
}

const outputOf = (event: ThreadEvent): string | undefined =>
  event.type === 'itemCompleted' && event.item.type === 'command' ? event.item.outputFile : undefined;
const isNamed = (uri: string | undefined): uri is string => uri !== undefined;

type Told = Omit<EventEnvelope, 'threadId' | 'seq'>;

/**
 * What was asked, granted and spent belongs to the first thread; its name and place in lists are its own. What was
 * decided on hunks and done to the user's files is part of the history.
 */
const ownOfThread: ReadonlySet<ThreadEvent['type']> = new Set<ThreadEvent['type']>([
  'threadStarted',
  'approvalRequested',
  'approvalResolved',
  'grantRevoked',
  'usage',
  'renamed',
  'archived',
  'forked',
]);

function forkEvents(
  { state }: ThreadRecord,
  events: readonly EventEnvelope[],
  later: ReadonlySet<string>,
  problems: readonly string[],
): Told[] {
  const at = new Date().toISOString();
  const end = events.findIndex(({ turnId }) => turnId !== undefined && later.has(turnId));
  const history = end < 0 ? events : events.slice(0, end);
  const { root, folders } = state;
  const title = `${state.title} (fork)`;
  return [
    { at, event: { type: 'threadStarted', title, root, folders: folders && [...folders] } },
    ...history.filter(({ event }) => !ownOfThread.has(event.type)),
    ...problems.map(
      (problem): Told => ({ at, event: { type: 'warning', message: `Not in the fork's copy: ${problem}` } }),
    ),
  ];
}

/** With its outputs there. */
function inFolder(told: Told, from: string, to: string): Told {
  const { event } = told;
  if (event.type !== 'itemCompleted' || event.item.type !== 'command') return told;
  return { ...told, event: { ...event, item: withOutputIn(event.item, from, to) } };
}

const numbered = (events: readonly Told[], threadId: string): EventEnvelope[] =>
  events.map(({ turnId, at, event }, index) => ({ threadId, turnId, seq: index + 1, at, event }));

const write = (path: string, lines: readonly (EventEnvelope | ConversationItem)[]): Promise<void> =>
  writeDurably(path, `${versionLine}${lines.map((line) => `${JSON.stringify(line)}\n`).join('')}`);
