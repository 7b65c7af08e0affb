/** A process that is killed in the middle of an accept, an undo or a redo: whoever comes next ends what it began. */
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, watch } from 'node:fs';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { appliedChange } from '../../server/changeset/applied.ts';
import { acceptOutcomes } from '../../server/changeset/outcome.ts';
import { type ApplyJournal, beginJournal } from '../../server/task/apply-journal.ts';
import { placesIn, readEntry } from '../../server/task/apply-log.ts';
import { openTasks } from '../../server/task/open.ts';
import { noDocuments } from '../../server/task/ports.ts';
import { openEditor } from '../support/editor.ts';
import { patch, say, script, together } from '../support/model.ts';
import { snapshot } from '../support/snapshot.ts';
import { type Bench, diskFace, openBench } from '../support/task.ts';

const program = fileURLToPath(new URL('../support/apply-process.ts', import.meta.url));

type What = 'accept' | 'undo' | 'redo';
/** When to kill: after so many changes of files were seen, or so many milliseconds. */
type Moment = { changes: number } | { ms: number } | 'never';

/** Resolves when the process is gone; with how many changes of files were seen, and in how many milliseconds. */
async function runProcess(bench: Bench, threadId: string, what: What, moment: Moment) {
  const child = spawn(process.execPath, [program, bench.workspace.stateDir, threadId, what], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const gone = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const begun = new Promise<void>((resolve) => child.stdout.once('data', () => resolve()));
  await Promise.race([begun, gone]);
  const began = performance.now();
  let changes = 0;
  const watching = watch(bench.workspace.root, { recursive: true }, (_, name) => {
    if (name?.endsWith('.codex-lsp')) return;
    changes += 1;
    if (typeof moment === 'object' && 'changes' in moment && changes >= moment.changes) child.kill('SIGKILL');
  });
  if (typeof moment === 'object' && 'ms' in moment) {
    await Promise.race([delay(moment.ms), gone]);
    child.kill('SIGKILL');
  }
  await gone;
  watching.close();
  return { changes, ms: performance.now() - began };
}

const unfinished = (bench: Bench, threadId: string) =>
  join(bench.tasks.folderOf(threadId), 'applies', 'unfinished.json');

/** Modified, deleted, moved and created files, `count` of each. */
function manyFiles(count: number) {
  const indexes = Array.from({ length: count }, (_, index) => index);
  const files: Record<string, string> = {};
  for (const i of indexes) {
    files[`mod/${i}.txt`] = `one ${i}\ntwo\nthree\nfour\n`;
    files[`del/${i}/d.txt`] = `deleted ${i}\n`;
    files[`old/${i}.txt`] = `moved ${i}\nb\nc\nd\n`;
  }
  const sections = indexes.flatMap((i) => [
    `*** Update File: mod/${i}.txt\n@@\n-one ${i}\n+ONE ${i}\n two\n three\n-four\n+FOUR`,
    `*** Delete File: del/${i}/d.txt`,
    `*** Update File: old/${i}.txt\n*** Move to: new/${i}/m.txt\n@@\n moved ${i}\n-b\n+B`,
    `*** Add File: made/${i}/n.txt\n+made ${i}`,
  ]);
  return { files, change: patch(`*** Begin Patch\n${sections.join('\n')}\n*** End Patch`) };
}

/** The same numbers in every run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

test('killed at any moment, every file of it is old or every file is new, and nothing half-written is left', async () => {
  const { files, change } = manyFiles(20);
  await using bench = await openBench({ files, git: false, script: script(change, say('Done.')) });
  const { workspace, tasks } = bench;
  chmodSync(join(workspace.root, 'mod/0.txt'), 0o600);
  const { threadId } = await bench.run('change it all');
  const old = snapshot(workspace.root);
  const whole = await runProcess(bench, threadId, 'accept', 'never');
  const done = snapshot(workspace.root);
  expect(done).not.toEqual(old);
  await tasks.thread(threadId);

  const next = seeded(4);
  let isNew = true;
  let mayRedo = false;
  const seen = { cut: 0, old: 0, new: 0 };
  for (let round = 0; round < 16; round++) {
    const what: What = isNew ? 'undo' : mayRedo && next() < 0.5 ? 'redo' : 'accept';
    // Some come to their end, so that there is something of every kind to be cut off.
    const cut: Moment = next() < 0.7 ? { changes: Math.ceil(next() * whole.changes) } : { ms: next() * whole.ms };
    const moment = round % 4 === 3 ? 'never' : cut;
    await runProcess(bench, threadId, what, moment);
    if (existsSync(unfinished(bench, threadId))) seen.cut += 1;

    // Whoever looks at the thread next mends it.
    const review = await tasks.review(threadId, noDocuments);
    const now = snapshot(workspace.root);
    const wasNew = isNew;
    isNew = now['made/0/n.txt'] !== undefined;
    expect(now, `round ${round}: ${what} ${JSON.stringify(moment)}`).toEqual(isNew ? done : old);
    expect(existsSync(unfinished(bench, threadId))).toBe(false);
    const statuses = new Set(review.files.flatMap(({ hunks }) => hunks.map(({ status }) => status)));
    expect([...statuses]).toEqual([isNew ? 'accepted' : 'pending']);
    if (wasNew && !isNew) mayRedo = true;
    else if (isNew && what === 'accept') mayRedo = false;
    seen[isNew ? 'new' : 'old'] += 1;
  }
  expect(seen.cut).toBeGreaterThan(2);
  expect(Math.min(seen.old, seen.new)).toBeGreaterThan(0);
  const { events } = await tasks.thread(threadId);
  const told = events.flatMap(({ event }) =>
    event.type === 'applied' || event.type === 'undone' ? [event.result.applyId] : [],
  );
  expect(new Set(told).size).toBe(told.length);
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
  // Of what the other processes did, this one has heard nothing.
  bench.events.length = 0;
}, 120_000);

describe('what was begun and not ended', () => {
  const files = { 'a.txt': 'a\n', 'b.txt': 'b\n', 'c.txt': 'c\nx\ny\n' };
  const shout = () =>
    script(
      together(patch('a.txt', '-a', '+A'), patch.delete('b.txt'), patch.move('c.txt', 'd/c.txt', '-c', '+C')),
      say('Done.'),
    );

  /** A thread whose accept was begun by a process that is gone; `byEditor`: paths that were the editor's to change. */
  async function begun(bench: Bench, byEditor: readonly string[] = []): Promise<string> {
    const { threadId } = await bench.run('shout');
    const review = await bench.tasks.review(threadId, noDocuments);
    const ids = new Set(review.files.flatMap(({ hunks }) => hunks.map(({ id }) => id)));
    const outcomes = acceptOutcomes(review, ids);
    const journal: ApplyJournal = {
      what: 'accept',
      applyId: 'p1',
      at: '2026-01-02T03:04:05.000Z',
      to: { stack: 'applied', number: 1 },
      parts: outcomes.map((outcome) => {
        const change = appliedChange(outcome);
        const isEdited = byEditor.includes(outcome.path);
        return { whole: change, done: change, byEditor: isEdited, isToBeSaved: isEdited };
      }),
      writes: outcomes.filter(({ path }) => !byEditor.includes(path)),
      folders: ['d'],
    };
    await beginJournal(bench.tasks.folderOf(threadId), journal);
    return threadId;
  }

  const undo = async (bench: Bench, threadId: string) => (await bench.tasks.undo(threadId, diskFace)).result;

  test('is taken back where only some of it was written', async () => {
    await using bench = await openBench({ files, script: shout() });
    const { workspace } = bench;
    const threadId = await begun(bench);
    await workspace.write('a.txt', 'A\n');
    await workspace.write('d/c.txt', 'C\nx\ny\n');
    await workspace.write('d/.p1.x.codex-lsp', 'half');
    await bench.restart();
    // As a server does at its start, for the threads of its workspace.
    await bench.tasks.rootOf(threadId);
    for (const [path, text] of Object.entries(files)) expect(await workspace.read(path)).toBe(text);
    expect(existsSync(join(workspace.root, 'd'))).toBe(false);
    expect(await bench.event('applied')).toMatchObject({
      result: { applyId: 'p1', applied: [], failed: [{ path: 'a.txt' }, { path: 'b.txt' }, { path: 'd/c.txt' }] },
    });
    expect(await bench.review(threadId)).toEqual(['a.txt:1 pending', 'b.txt:1 pending', 'd/c.txt:1 pending']);
    await expect(undo(bench, threadId)).rejects.toMatchObject({ reason: 'nothingToUndo' });
  });

  test('is mended by a server that starts in the workspace, and told to its user', async () => {
    await using bench = await openBench({ files, script: shout() });
    const { workspace } = bench;
    await begun(bench);
    await workspace.write('a.txt', 'A\n');
    await using editor = await openEditor({
      files: {},
      place: { root: workspace.root, stateFolder: workspace.stateDir },
      tasks: ({ stateFolder }) => openTasks({ stateDir: stateFolder }),
    });
    expect((await editor.message('a.txt failed')).text).toContain('codex-lsp was ended in the middle of it');
    expect(await workspace.read('a.txt')).toBe('a\n');
    await editor.waitFor('the hunk', () => editor.diagnostics('a.txt').length > 0);
    editor.messages();
  });

  test('counts as done where all of it was written, and can be undone', async () => {
    await using bench = await openBench({ files, script: shout() });
    const { workspace } = bench;
    const threadId = await begun(bench);
    await workspace.write('a.txt', 'A\n');
    await workspace.write('d/c.txt', 'C\nx\ny\n');
    for (const path of ['b.txt', 'c.txt']) await rename(join(workspace.root, path), join(workspace.root, `../${path}`));
    expect(await bench.review(threadId)).toEqual(['a.txt:1 accepted', 'b.txt:1 accepted', 'd/c.txt:1 accepted']);
    expect(await bench.event('applied')).toMatchObject({
      result: { applied: ['a.txt', 'b.txt', 'd/c.txt'], failed: [] },
    });
    expect(bench.tasks.approvals({ threadId })).toEqual([]);
    expect(await undo(bench, threadId)).toMatchObject({ applied: ['a.txt', 'b.txt', 'd/c.txt'], failed: [] });
    for (const [path, text] of Object.entries(files)) expect(await workspace.read(path)).toBe(text);
  });

  test('a file that was changed since is left alone and named; the others are taken back', async () => {
    await using bench = await openBench({ files, script: shout() });
    const { workspace } = bench;
    const threadId = await begun(bench);
    await workspace.write('a.txt', 'A\ntyped\n');
    await workspace.write('d/c.txt', 'C\nx\ny\n');
    await bench.tasks.rootOf(threadId);
    expect(await workspace.read('a.txt')).toBe('A\ntyped\n');
    for (const path of ['b.txt', 'c.txt'] as const) expect(await workspace.read(path)).toBe(files[path]);
    const { result } = await bench.event('applied');
    expect(result.failed).toContainEqual({ path: 'a.txt', reason: expect.stringContaining('was changed since') });
    // Nobody knows whether it had arrived, so that it can still be taken back.
    await workspace.write('a.txt', 'A\n');
    expect(await undo(bench, threadId)).toMatchObject({ applied: ['a.txt'], failed: [] });
    expect(await workspace.read('a.txt')).toBe('a\n');
  });

  test('what was the editor’s to do is not taken for done, and can be undone where it was', async () => {
    await using bench = await openBench({ files, script: shout() });
    const { workspace } = bench;
    const threadId = await begun(bench, ['a.txt', 'b.txt', 'd/c.txt']);
    await bench.tasks.rootOf(threadId);
    expect(await bench.review(threadId)).toEqual(['a.txt:1 pending', 'b.txt:1 pending', 'd/c.txt:1 pending']);
    await workspace.write('a.txt', 'A\n');
    expect(await bench.review(threadId)).toEqual(['b.txt:1 pending', 'd/c.txt:1 pending']);
    expect(await undo(bench, threadId)).toMatchObject({ failed: [] });
    for (const [path, text] of Object.entries(files)) expect(await workspace.read(path)).toBe(text);
  });

  test('what the editor had done and saved is done, also where it was an undo', async () => {
    await using bench = await openBench({ files, script: shout() });
    const { workspace } = bench;
    const threadId = await begun(bench, ['a.txt']);
    await workspace.write('a.txt', 'A\n');
    await workspace.write('d/c.txt', 'C\nx\ny\n');
    for (const path of ['b.txt', 'c.txt']) await rename(join(workspace.root, path), join(workspace.root, `../${path}`));
    expect(await bench.review(threadId)).toEqual(['a.txt:1 accepted', 'b.txt:1 accepted', 'd/c.txt:1 accepted']);
    expect((await bench.event('applied')).result).toMatchObject({ applied: ['a.txt', 'b.txt', 'd/c.txt'], failed: [] });

    const [place] = await placesIn(bench.tasks.folderOf(threadId), 'applied');
    const entry = place && (await readEntry(bench.tasks.folderOf(threadId), place));
    if (!entry) throw new Error('nothing was logged');
    await beginJournal(bench.tasks.folderOf(threadId), {
      what: 'undo',
      applyId: 'p2',
      at: '2026-01-02T03:04:06.000Z',
      of: { place, applyId: entry.applyId, at: entry.at },
      to: { stack: 'undone', number: 2 },
      parts: entry.files.map((file) =>
        file.path === 'a.txt'
          ? { whole: file, done: file, byEditor: true, isToBeSaved: true }
          : { whole: file, left: file },
      ),
      writes: [],
      folders: [],
    });
    await workspace.write('a.txt', 'a\n');
    expect(await bench.review(threadId)).toEqual(['a.txt:1 pending', 'b.txt:1 accepted', 'd/c.txt:1 accepted']);
    expect((await bench.event('undone')).result).toMatchObject({ applied: ['a.txt'] });
  });

  test('waits for its workspace where that is gone', async () => {
    await using bench = await openBench({ files, script: shout() });
    const { workspace } = bench;
    const threadId = await begun(bench);
    await workspace.write('a.txt', 'A\n');
    await rename(workspace.root, `${workspace.root}-aside`);
    await bench.tasks.rename(threadId, 'renamed');
    await rename(`${workspace.root}-aside`, workspace.root);
    await bench.tasks.rootOf(threadId);
    expect(await workspace.read('a.txt')).toBe('a\n');
  });
});
