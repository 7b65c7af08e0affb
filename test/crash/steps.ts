/** What the user does, one thing after the other; what was answered is done, whatever is killed afterwards. */
import type { EventEnvelope } from '../../server/protocol/thread.ts';
import { soon } from '../support/model.ts';
import type { Attached } from './attached.ts';
import { asBefore, type Disk, prompts } from './story.ts';

/** `done`: names of the steps that were answered. */
export type Told = { done: Set<StepName>; first?: string; other?: string; question?: string };
type Step = { name: string; disk?: Partial<Disk>; run(editor: Attached, told: Told): Promise<unknown> };

const isEnd = ({ event }: EventEnvelope): boolean => event.type === 'turnCompleted';

export const steps = [
  {
    name: 'start',
    async run({ ask }, told) {
      const [first, other] = await Promise.all([
        ask('codex/runTask', { prompt: prompts.first }),
        ask('codex/runTask', { prompt: prompts.other }),
      ]);
      if ('threadId' in first) told.first = first.threadId;
      if ('threadId' in other) told.other = other.threadId;
    },
  },
  {
    name: 'question',
    async run({ client }, told) {
      const { event } = await client.event(({ event }) => event.type === 'approvalRequested' && isQuestion(event));
      if (event.type === 'approvalRequested') told.question = event.approval.approvalId;
    },
  },
  {
    name: 'answer',
    run: ({ ask }, { question = '' }) => ask('codex/approve', { approvalId: question, decision: 'decline' }),
  },
  {
    name: 'ends',
    run: ({ client }, { first, other }) =>
      Promise.all([first, other].map((id) => client.event((envelope) => isEnd(envelope) && envelope.threadId === id))),
  },
  {
    name: 'accept',
    disk: { first: 1, open: 1 },
    run: ({ ask }, { first }) => ask('codex/accept', { threadId: first }),
  },
  { name: 'undo', disk: { first: 0, open: 0 }, run: ({ ask }, { first }) => ask('codex/undo', { threadId: first }) },
  {
    name: 'redo',
    disk: { first: 1, open: 1 },
    run: ({ ask }, { first }) => ask('codex/undo', { threadId: first, redo: true }),
  },
  {
    name: 'rename',
    run: ({ ask }, { other = '' }) => ask('codex/rename', { threadId: other, title: 'task-other, renamed' }),
  },
  {
    name: 'reject',
    run: ({ ask }, { other }) => ask('codex/reject', { threadId: other, files: ['unwanted.txt'] }),
  },
  { name: 'acceptOther', disk: { other: 1 }, run: ({ ask }, { other }) => ask('codex/accept', { threadId: other }) },
  { name: 'archive', run: ({ ask }, { other = '' }) => ask('codex/archive', { threadId: other }) },
  {
    name: 'later',
    async run({ ask, client }, { first = '' }) {
      const started = await ask('codex/runTask', { prompt: prompts.later, threadId: first });
      await client.event((one) => isEnd(one) && 'turnId' in started && one.turnId === started.turnId);
    },
  },
  { name: 'acceptLater', disk: { later: 1 }, run: ({ ask }, { first }) => ask('codex/accept', { threadId: first }) },
  { name: 'delete', run: ({ ask }, { other = '' }) => ask('codex/delete', { threadId: other }) },
] as const satisfies readonly Step[];

export type StepName = (typeof steps)[number]['name'];

const isQuestion = (event: EventEnvelope['event']): boolean =>
  event.type === 'approvalRequested' && event.approval.kind === 'network';

/** Until all is done, or the editor's server is gone. */
export async function play(editor: Attached, told: Told, begins: (step: StepName) => void): Promise<void> {
  const gone = editor.program.ended.then(() => 'gone' as const);
  for (const { name, run } of steps) {
    begins(name);
    const ran = Promise.resolve(run(editor, told)).then(() => 'done' as const);
    // What failed because the server is gone did not fail.
    const failed = ran.catch((error) => soon(gone, `an end, after: ${error}`, 2_000));
    if ((await Promise.race([failed, gone])) === 'gone') return;
    told.done.add(name);
  }
}

/** The files as they may be: as after the last step that was answered, or, group by group, as after the next. */
export function mayBe({ done }: Told): { since: Disk; next: Disk } {
  let since = asBefore;
  for (const step of steps) {
    const next: Disk = 'disk' in step ? { ...since, ...step.disk } : since;
    if (!done.has(step.name)) return { since, next };
    since = next;
  }
  return { since, next: since };
}
