/** What must hold after a kill: at once, on the next start, and when the thread is gone on with. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'vitest';
import { isRunning, newThread, type ThreadState } from '../../server/thread/state.ts';
import { filesBelow } from '../support/files-below.ts';
import { type Attached, leave } from './attached.ts';
import type { Bench } from './bench.ts';
import type { Victim } from './choice.ts';
import { type Cut, decode, gitOf, mountsIn, nothingRuns, threadsOnDisk } from './on-disk.ts';
import { mayBe, type Told } from './steps.ts';
import { type Disk, type GroupName, groupNames, groups, prompts } from './story.ts';

const settleMs = 15_000;

/** `isQuiet`: nothing of the turn and its decisions lives on; else what runs in the host is waited for. */
export async function checkAftermath(bench: Bench, victim: Victim, told: Told): Promise<void> {
  const { root, stateDir } = bench.workspace;
  if (victim !== 'editor') await nothingRuns(bench.top);
  const cut = threadsOnDisk(stateDir);
  await using next = await bench.attach(victim);
  const { editor } = next;
  if (victim === 'editor') await hostIsDone(editor, stateDir, told);

  const listed = await threadsOf(editor);
  expect(listed.map(({ threadId }) => threadId).toSorted(), 'the threads that are listed').toEqual(
    [...threadsOnDisk(stateDir).keys()].toSorted(),
  );
  for (const [threadId, before] of cut) {
    if (listed.some((one) => one.threadId === threadId)) await keptItsStory(editor, threadId, before, victim);
    else expect(threadId, 'only a deleted thread is gone').toBe(told.other);
  }
  keptWhatWasAnswered(stateDir, told);
  expect(mountsIn(bench.top)).toEqual([]);

  const disk = await eventually(() => filesAreSound(bench, told));
  const now = threadsOnDisk(stateDir);
  for (const [threadId, { state, isUnfinished }] of now) {
    expect(isUnfinished, 'an apply that nobody ended').toBe(false);
    await reviewFits(editor, threadId, state.title, cut.get(threadId), disk);
  }

  for (const [threadId, { state }] of now)
    await goesOn(editor, threadId, () => reviewFits(editor, threadId, state.title, cut.get(threadId), disk));
  expect(decode(root), 'going on changes no file').toEqual(disk);
  // What an agent was in the middle of may be half of what is looked for.
  const isWhole = (threadId: string) =>
    victim === 'editor' || !isRunning(cut.get(threadId)?.state ?? newThread(threadId));
  for (const [threadId, { state }] of now) if (isWhole(threadId)) await endsWell(bench, editor, threadId, state);
  for (const threadId of now.keys()) await editor.ask('codex/delete', { threadId });
  expect(gitOf(root)).toBe(bench.git);
  expect(await leave(editor)).toBe(0);
  await nothingRuns(bench.top);
  expect(mountsIn(bench.top)).toEqual([]);
  expect(leftIn(stateDir), 'what deleted threads and ended processes leave').toEqual([]);
}

async function threadsOf(editor: Attached) {
  const { threads } = await editor.ask('codex/threads', {});
  const { threads: archived } = await editor.ask('codex/threads', { archived: true });
  return [...threads, ...archived];
}

/** The editor alone was killed: the question is still the same, the turns end, and so does what was being decided. */
async function hostIsDone(editor: Attached, stateDir: string, told: Told): Promise<void> {
  const isDone = async (): Promise<void> => {
    const { approvals } = await editor.ask('codex/approvals', {});
    const [question] = approvals.filter(({ kind }) => kind !== 'changes');
    if (question) {
      if (told.question !== undefined) expect(question.approvalId, 'the same question').toBe(told.question);
      await editor.ask('codex/approve', { approvalId: question.approvalId, decision: 'decline' });
    }
    const running = (await threadsOf(editor)).filter(({ status }) => /running|waiting/.test(status));
    expect(running).toEqual([]);
    expect([...threadsOnDisk(stateDir).values()].some(({ isUnfinished }) => isUnfinished)).toBe(false);
  };
  await eventually(isDone);
}

/** Every event that was written is there; a turn that was running is interrupted, or has gone on in the host. */
async function keptItsStory(editor: Attached, threadId: string, { state, events, isUnfinished }: Cut, victim: Victim) {
  const { thread, events: now } = await editor.ask('codex/thread', { threadId });
  expect(now.slice(0, events.length)).toEqual(events);
  expect(now.map(({ seq }) => seq)).toEqual(now.map((_, index) => index + 1));
  const ends = now.flatMap(({ event }) => (event.type === 'turnCompleted' ? [event.status] : []));
  const begun = now.filter(({ event }) => event.type === 'turnStarted').length;
  expect(ends.length, 'each turn has one end').toBe(begun);
  if (victim === 'editor') expect(ends).not.toContain('interrupted');
  else if (isRunning(state)) expect(ends.at(-1)).toBe('interrupted');
  expect(thread.status).not.toMatch(/running|waiting/);
  if (victim === 'editor') return;
  expect([thread.title, thread.archived]).toEqual([state.title, state.archived]);
  const added = now.slice(events.length).filter(({ event }) => event.type === 'hunksDecided');
  if (!isUnfinished) expect(added, 'decisions of nobody').toEqual([]);
}

function keptWhatWasAnswered(stateDir: string, { done, first = '', other = '', question }: Told): void {
  const threads = threadsOnDisk(stateDir);
  const said = threads.get(first)?.events.map(({ event }) => event) ?? [];
  if (done.has('start')) {
    const asked = [first, other].map((id) => threads.get(id)?.state.turns.map(({ prompt }) => prompt));
    expect(asked[0]).toContain(prompts.first);
    if (!done.has('acceptLater')) expect(asked[1]).toEqual([prompts.other]);
  }
  if (done.has('answer')) {
    const answered = { type: 'approvalResolved', approvalId: question, decision: 'decline' };
    expect(said, 'the answer').toContainEqual(answered);
  }
  if (done.has('ends')) {
    expect(said).toContainEqual(expect.objectContaining({ type: 'turnCompleted', status: 'completed' }));
  }
  if (done.has('delete')) {
    expect(existsSync(join(stateDir, 'threads', other)), 'the deleted thread').toBe(false);
    return;
  }
  const state = threads.get(other)?.state;
  if (!state) return;
  if (done.has('rename')) expect(state.title).toBe('task-other, renamed');
  if (done.has('archive')) expect(state.archived).toBe(true);
  const decided = [...state.decided.values()];
  if (done.has('reject')) expect(decided).toContainEqual({ path: 'unwanted.txt', status: 'rejected' });
  if (done.has('acceptOther')) expect(decided).toContainEqual({ path: 'two.txt', status: 'accepted' });
}

/** Each group as before or as after the step that was cut off, and nothing that was not accepted. */
async function filesAreSound({ workspace }: Bench, told: Told): Promise<Disk> {
  const disk = decode(workspace.root);
  const { since, next } = mayBe(told);
  for (const name of groupNames) expect([since[name], next[name]], `${name} on disk`).toContain(disk[name]);
  return disk;
}

const ofThread = (title: string): GroupName[] =>
  title.startsWith('task-other') ? ['other', 'rejected'] : ['first', 'open', 'later'];

/** Paths that the agent had finished in the latest turn, by its patches and commands. */
function finishedIn(cut: Cut | undefined): Set<string> {
  const items = cut?.state.turns.at(-1)?.items ?? [];
  return new Set(
    items.flatMap((item) => {
      if (item.type === 'patch' && item.status === 'completed') return item.files.map(({ path }) => path);
      return item.type === 'command' && item.command.includes('by-command.txt') && item.status === 'completed'
        ? ['by-command.txt']
        : [];
    }),
  );
}

/** What the agent had finished is there, in the file or in the review; what is in the file is not asked for again. */
async function reviewFits(editor: Attached, threadId: string, title: string, cut: Cut | undefined, disk: Disk) {
  const { files } = await editor.ask('codex/changeset', { threadId });
  const finished = finishedIn(cut);
  const rejected = new Set(
    [...(cut?.state.decided.values() ?? [])].flatMap(({ path, status }) => (status === 'rejected' ? [path] : [])),
  );
  for (const name of ofThread(title)) {
    for (const path of Object.keys(groups[name])) {
      const statuses = new Set(
        files.find((file) => file.path === path || file.from === path)?.hunks.map(({ status }) => status),
      );
      const where = `${path}, which is ${disk[name] === 1 ? 'as the agent wants it' : 'as it was'}`;
      if (disk[name] === 1) expect([...statuses], where).not.toContain('pending');
      else if (rejected.has(path)) expect([...statuses], where).not.toContain('pending');
      else if (finished.has(path)) expect([...statuses], where).toEqual(['pending']);
      expect([...statuses], where).not.toContain('conflicting');
    }
  }
}

async function goesOn(editor: Attached, threadId: string, check: () => Promise<void>): Promise<void> {
  const started = await editor.ask('codex/runTask', { threadId, prompt: prompts.goOn });
  const { event } = await editor.client.event(
    (one) => 'turnId' in started && one.turnId === started.turnId && one.event.type === 'turnCompleted',
  );
  expect(event).toMatchObject({ status: 'completed', summary: 'Here.' });
  await check();
}

/** What waits can be accepted, and then the files are what the agent had made of them. */
async function endsWell({ workspace }: Bench, editor: Attached, threadId: string, { title }: ThreadState) {
  const { files } = await editor.ask('codex/changeset', { threadId });
  const before = decode(workspace.root);
  if (files.some(({ hunks }) => hunks.some(({ status }) => status === 'pending'))) {
    expect(await editor.ask('codex/accept', { threadId })).toMatchObject({ conflicts: [], failed: [] });
  }
  const after = decode(workspace.root);
  for (const name of ofThread(title)) {
    const isMade = Object.keys(groups[name]).some((path) => files.some((file) => file.path === path));
    expect(after[name], name).toBe(isMade ? 1 : before[name]);
  }
}

/** Files of the state folder that belong to nobody. */
function leftIn(stateDir: string): string[] {
  return filesBelow(stateDir)
    .filter((path) => /\.lock|\.new$|\.sock$|codex-lsp$|\/threads\//.test(path.slice(stateDir.length)))
    .filter((path) => !isOfNoThread(path));
}

/** Killed before its first event: a later start removes the folder and its lock. */
const isOfNoThread = (path: string): boolean =>
  ['writer.lock', 'journal.jsonl'].includes(basename(path)) &&
  readdirSync(dirname(path)).every((name) => {
    if (name !== 'journal.jsonl') return name === 'writer.lock';
    return readFileSync(join(dirname(path), name), 'utf8').split('\n').length <= 2;
  });

async function eventually<T>(check: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + settleMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await delay(30);
    }
  }
}
