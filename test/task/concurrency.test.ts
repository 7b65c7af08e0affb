/** Several at once: requests on one thread, other processes on one state folder, an editor that is slow or behind. */
import { mkdir, rm, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openTasks } from '../../server/task/open.ts';
import { type Face, noDocuments, type OpenDocuments } from '../../server/task/ports.ts';
import { gate, messageTexts, patch, say, script, shell, soon, together } from '../support/model.ts';
import { type Bench, diskFace, openBench } from '../support/task.ts';

const fiveLines = { 'a.txt': 'one\ntwo\nthree\nfour\nfive\n' };
const shout = () => script(patch('a.txt', '-one', '+ONE', ' two', ' three', '-four', '+FOUR'), say('Done.'));

/** Open documents that a test may change. */
function buffers(texts: Record<string, string>): OpenDocuments & { texts: Record<string, string> } {
  const now = { ...texts };
  return {
    texts: now,
    under: () => new Map(Object.entries(now).map(([path, text]) => [path, { version: text.length, text }])),
  };
}

const typesOf = ({ events }: Bench) => events.map(({ event }) => event.type);

test('of several turns asked for at once in one thread, one runs', async () => {
  await using bench = await openBench({ files: fiveLines, script: script(say('First.'), say('Second.')) });
  const { threadId } = await bench.run('first');
  const asked = await Promise.allSettled(['a', 'b', 'c'].map((prompt) => bench.start(prompt, { threadId })));
  const refused = asked.filter((one) => one.status === 'rejected').map(({ reason }) => reason.reason);
  expect(refused).toEqual(['turnRunning', 'turnRunning']);
  await bench.event('turnCompleted', ({ summary }) => summary === 'Second.');
});

test('reading a thread without pause while its turn runs changes nothing', async () => {
  const steps = Array.from({ length: 25 }, (_, index) =>
    index % 2 ? shell(`echo ${index} > f${index}.txt`) : patch.add(`f${index}.txt`, `${index}\n`),
  );
  await using bench = await openBench({ files: fiveLines, script: script(...steps, say('Done.')) });
  const { tasks } = bench;
  const { threadId } = await bench.start('write files');
  let isRunning = true;
  const ended = bench.event('turnCompleted').then(() => {
    isRunning = false;
  });
  let reads = 0;
  while (isRunning) {
    await Promise.all([tasks.thread(threadId), tasks.list({}), tasks.changeset(threadId, noDocuments)]);
    reads += 1;
  }
  await ended;
  expect(reads).toBeGreaterThan(3);
  expect(typesOf(bench).filter((type) => type === 'turnCompleted')).toHaveLength(1);
  const { files } = await tasks.changeset(threadId, noDocuments);
  expect(files).toHaveLength(25);
  const { events } = await tasks.thread(threadId);
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
});

test('a second process that looks on does not end the turns of the first', async () => {
  const turns = Array.from({ length: 8 }, (_, index) => say(`Turn ${index}.`));
  await using bench = await openBench({ files: fiveLines, script: script(...turns) });
  const { threadId } = await bench.run('begin');
  const other = await openTasks({ stateDir: bench.workspace.stateDir });
  let isOver = false;
  const looking = (async () => {
    while (!isOver) await Promise.all([other.thread(threadId), other.list({})]);
  })();
  for (const _ of turns.slice(1)) expect((await bench.run('go on', { threadId })).end.status).toBe('completed');
  isOver = true;
  await looking;
  await other.close();
  const { events } = await bench.tasks.thread(threadId);
  expect(events.filter(({ event }) => event.type === 'turnCompleted')).toHaveLength(turns.length);
});

test('while one process runs the turn, another can read the thread but neither decide nor change it', async () => {
  const held = gate(say('Done.'));
  await using bench = await openBench({ files: fiveLines, script: script(patch('a.txt', '-one', '+ONE'), held) });
  const { threadId } = await bench.start('shout');
  await soon(held.arrived, 'the second request');
  const other = await openTasks({ stateDir: bench.workspace.stateDir });
  expect((await other.thread(threadId)).thread.status).toBe('running');
  const refused = { reason: 'turnRunning', message: expect.stringContaining(String(process.pid)) };
  await expect(other.changeset(threadId, noDocuments)).rejects.toMatchObject(refused);
  await expect(other.accept(threadId, {}, diskFace)).rejects.toMatchObject(refused);
  await expect(other.undo(threadId, diskFace)).rejects.toMatchObject(refused);
  await expect(other.archive(threadId, true)).rejects.toMatchObject(refused);
  await expect(other.delete(threadId)).rejects.toMatchObject(refused);
  await expect(other.cancel(threadId)).rejects.toMatchObject(refused);
  await expect(other.steer(threadId, 'x')).rejects.toMatchObject(refused);
  held.open();
  await bench.event('turnCompleted');
  // Let go of once its end is in the journal.
  await bench.tasks.close();
  expect(await (await other.accept(threadId, {}, diskFace)).result).toMatchObject({ applied: ['a.txt'] });
  await other.close();
  expect(await bench.workspace.read('a.txt')).toContain('ONE');
});

test('an accept that two processes are asked for at once is done once', async () => {
  await using bench = await openBench({ files: fiveLines, script: shout() });
  const { threadId } = await bench.run('shout');
  const other = await openTasks({ stateDir: bench.workspace.stateDir });
  const [hunk] = (await other.review(threadId, noDocuments)).files[0]?.hunks ?? [];
  const asked = await Promise.allSettled(
    [bench.tasks, other].map(
      async (tasks) => (await tasks.accept(threadId, { hunks: [hunk?.id ?? ''] }, diskFace)).result,
    ),
  );
  expect(asked.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  const refused = asked.find((one) => one.status === 'rejected');
  expect(refused?.reason).toMatchObject({ reason: 'alreadyDecided', data: { hunk: hunk?.id } });
  expect(await bench.workspace.read('a.txt')).toBe('ONE\ntwo\nthree\nfour\nfive\n');
  await (await bench.tasks.undo(threadId, diskFace)).result;
  await expect(bench.tasks.undo(threadId, diskFace)).rejects.toMatchObject({ reason: 'nothingToUndo' });
  await other.close();
  // What the other process did, this one has not heard.
  bench.events.length = 0;
});

test('a thread folder that cannot be read hides no other', async () => {
  await using bench = await openBench({ files: fiveLines, script: shout() });
  const { threadId } = await bench.run('shout');
  const folder = join(bench.workspace.stateDir, 'threads');
  await mkdir(join(folder, 'tbad1', 'journal.jsonl'), { recursive: true });
  await mkdir(join(folder, 'tbad2'));
  await writeFile(join(folder, 'tbad2', 'journal.jsonl'), 'no journal\n');
  await bench.restart();
  expect((await bench.tasks.list({})).threads.map((thread) => thread.threadId)).toEqual([threadId]);
  await expect(bench.tasks.thread('tbad2')).rejects.toMatchObject({ reason: 'unknownThread' });
});

test('between the answer and the first event a thread can be asked for like any other', async () => {
  await using bench = await openBench({ files: fiveLines, script: script(say('Done.')) });
  const { threadId } = await bench.start('look');
  expect(bench.tasks.approvals({ root: bench.workspace.root })).toEqual([]);
  expect((await bench.tasks.list({ root: bench.workspace.root })).threads).toMatchObject([
    { threadId, status: 'running' },
  ]);
  await bench.event('turnCompleted');
});

test('what changed on disk under an open buffer is not written over', async () => {
  const documents = buffers(fiveLines);
  await using bench = await openBench({ files: fiveLines, documents, script: shout() });
  const { threadId } = await bench.run('shout');
  await bench.workspace.write('a.txt', 'one\ntwo\nTHREE from elsewhere\nfour\nfive\n');
  const { result } = await bench.tasks.accept(threadId, {}, { ...diskFace, documents });
  expect(await result).toMatchObject({
    applied: [],
    failed: [{ path: 'a.txt', reason: expect.stringContaining('reload') }],
  });
  expect(await bench.workspace.read('a.txt')).toContain('THREE from elsewhere');
});

test('a buffer that the server has written under is behind, not changed by the user', async () => {
  const files = { ...fiveLines, 'd.txt': 'd\n' };
  const documents = buffers(files);
  await using bench = await openBench({
    files,
    documents,
    script: script(
      together(patch.move('a.txt', 'n.txt', '-one', '+ONE'), patch.delete('d.txt')),
      say('Done.'),
      shell('ls'),
      say('Seen.'),
    ),
  });
  const { tasks, workspace } = bench;
  const { threadId } = await bench.run('move');
  const face: Face = { ...diskFace, profile: { mode: 'mixed' }, documents };
  expect(await (await tasks.accept(threadId, {}, face)).result).toMatchObject({
    applied: ['d.txt', 'n.txt'],
    failed: [],
  });
  expect(new Set((await bench.review(threadId)).map((line) => line.split(' ')[1]))).toEqual(new Set(['accepted']));
  expect((await tasks.thread(threadId)).thread.status).toBe('idle');

  await bench.run('look', { threadId });
  const command = await bench.event('itemCompleted', ({ item }) => item.type === 'command');
  expect(command.item).toMatchObject({ output: 'n.txt\n' });

  expect(await (await tasks.undo(threadId, face)).result).toMatchObject({ failed: [] });
  expect(await workspace.read('a.txt')).toBe(files['a.txt']);
  expect(await workspace.read('d.txt')).toBe('d\n');
});

test('a change of mode under a buffer leaves its unsaved text what counts', async () => {
  const documents = buffers({ 'run.sh': 'echo unsaved\n' });
  await using bench = await openBench({
    files: { 'run.sh': 'echo saved\n' },
    documents,
    script: script(shell('chmod +x run.sh'), say('Done.'), shell('cat run.sh'), say('Seen.')),
  });
  const { threadId } = await bench.run('make it run');
  const face: Face = { ...diskFace, profile: { mode: 'mixed' }, documents };
  const { result } = await bench.tasks.accept(threadId, { files: ['run.sh'] }, face);
  expect(await result).toMatchObject({ applied: ['run.sh'], failed: [] });
  expect(await bench.workspace.read('run.sh')).toBe('echo saved\n');

  await bench.run('look', { threadId });
  const command = await bench.event(
    'itemCompleted',
    ({ item }) => item.type === 'command' && item.command.includes('cat'),
  );
  expect(command.item).toMatchObject({ output: 'echo unsaved\n' });
});

test('the next turn waits for an accept that is being carried out', async () => {
  const documents = buffers(fiveLines);
  await using bench = await openBench({
    files: fiveLines,
    documents,
    script: script(...shout().answers, say('Seen.')),
  });
  const { tasks, model } = bench;
  const { threadId } = await bench.run('shout');
  const slow = Promise.withResolvers<void>();
  const face: Face = {
    documents,
    profile: { mode: 'editor' },
    async applyEdits(_root, edits) {
      await slow.promise;
      for (const { path, after } of edits) if (after.kind === 'text') documents.texts[path] = after.text;
      return new Map(edits.map(({ path }) => [path, undefined]));
    },
  };
  const { result } = await tasks.accept(threadId, {}, face);
  await bench.start('go on', { threadId });
  slow.resolve();
  expect(await result).toMatchObject({ applied: ['a.txt'] });
  await bench.event('turnCompleted', ({ summary }) => summary === 'Seen.');
  const types = typesOf(bench);
  expect(types.indexOf('applied')).toBeLessThan(types.lastIndexOf('turnStarted'));
  expect(messageTexts(model.requests.at(-1)).join('\n')).toContain('Accepted');
});

test('the approval of the whole is there as long as something is pending, and no longer', async () => {
  const documents = buffers(fiveLines);
  await using bench = await openBench({ files: fiveLines, documents, script: shout() });
  const { tasks } = bench;
  const { threadId } = await bench.run('shout');
  const pending = () => tasks.approvals({ threadId }).map(({ kind }) => kind);
  const first = tasks.approvals({ threadId })[0]?.approvalId ?? '';
  const refusing: Face = {
    documents,
    profile: { mode: 'editor' },
    applyEdits: async (_root, edits) => new Map(edits.map(({ path }) => [path, 'not today'])),
  };
  await tasks.approve({ approvalId: first, decision: 'accept' }, refusing);
  await bench.event('applied');
  expect(pending()).toEqual(['changes']);

  await tasks.approve({ approvalId: first, decision: 'accept' }, diskFace);
  expect(await bench.event('approvalResolved')).toMatchObject({ approvalId: first, decision: 'accept' });
  await expect(tasks.approve({ approvalId: first, decision: 'accept' }, diskFace)).rejects.toMatchObject({
    reason: 'alreadySettled',
  });
  documents.texts['a.txt'] = (await bench.workspace.read('a.txt')) ?? '';
  expect(pending()).toEqual([]);
  await (await tasks.undo(threadId, diskFace)).result;
  expect(pending()).toEqual(['changes']);
});

test('what the user has typed themselves is no longer to be reviewed', async () => {
  const documents = buffers(fiveLines);
  await using bench = await openBench({ files: fiveLines, documents, script: shout() });
  const { threadId } = await bench.run('shout');
  documents.texts['a.txt'] = 'ONE\ntwo\nthree\nFOUR\nfive\n';
  expect(await bench.review(threadId)).toEqual([]);
  expect((await bench.tasks.thread(threadId)).thread.status).toBe('idle');
  expect(bench.tasks.approvals({ threadId })).toEqual([]);
});

test('undo asked for twice at once goes back twice', async () => {
  await using bench = await openBench({ files: fiveLines, script: shout() });
  const { tasks, workspace } = bench;
  const { threadId } = await bench.run('shout');
  const [one, four] = (await tasks.review(threadId, noDocuments)).files[0]?.hunks ?? [];
  await (await tasks.accept(threadId, { hunks: [one?.id ?? ''] }, diskFace)).result;
  await (await tasks.accept(threadId, { hunks: [four?.id ?? ''] }, diskFace)).result;
  const undos = await Promise.all([tasks.undo(threadId, diskFace), tasks.undo(threadId, diskFace)]);
  for (const { result } of undos) expect(await result).toMatchObject({ applied: ['a.txt'], failed: [] });
  expect(await workspace.read('a.txt')).toBe(fiveLines['a.txt']);
  await expect(tasks.undo(threadId, diskFace)).rejects.toMatchObject({ reason: 'nothingToUndo' });
});

test('an edit that the editor showed too late can still be undone', async () => {
  const documents = buffers(fiveLines);
  await using bench = await openBench({ files: fiveLines, documents, script: shout() });
  const { threadId } = await bench.run('shout');
  let late: string | undefined;
  const face: Face = {
    documents,
    profile: { mode: 'editor' },
    async applyEdits(_root, edits) {
      const [edit] = edits;
      if (late === undefined) {
        late = edit?.after.kind === 'text' ? edit.after.text : '';
        return new Map(edits.map(({ path }) => [path, 'unconfirmed']));
      }
      for (const { path, after } of edits) if (after.kind === 'text') documents.texts[path] = after.text;
      return new Map(edits.map(({ path }) => [path, undefined]));
    },
  };
  await (await bench.tasks.accept(threadId, {}, face)).result;
  documents.texts['a.txt'] = late ?? '';
  expect(await bench.review(threadId)).toEqual([]);
  expect(await (await bench.tasks.undo(threadId, face)).result).toMatchObject({ applied: ['a.txt'] });
  expect(documents.texts['a.txt']).toBe(fiveLines['a.txt']);
});

test('conflicts of files that nobody asked about are not in the result', async () => {
  const files = { 'a.txt': 'a\n', 'c.txt': 'c\n' };
  await using bench = await openBench({
    files,
    script: script(together(patch('a.txt', '-a', '+A'), patch('c.txt', '-c', '+C')), say('Done.')),
  });
  const { threadId } = await bench.run('shout');
  await bench.workspace.write('c.txt', 'changed\n');
  const { result } = await bench.tasks.accept(threadId, { files: ['a.txt'] }, diskFace);
  expect(await result).toMatchObject({ applied: ['a.txt'], conflicts: [] });
  const all = await bench.tasks.accept(threadId, {}, diskFace);
  expect(await all.result).toMatchObject({ applied: [], conflicts: [{ path: 'c.txt' }] });
});

test('a thread whose workspace is gone can still be deleted', async () => {
  await using bench = await openBench({ files: fiveLines, script: shout() });
  const { threadId } = await bench.run('shout');
  await bench.restart();
  await rm(bench.workspace.root, { recursive: true });
  await bench.tasks.delete(threadId);
  expect((await bench.tasks.list({})).threads).toEqual([]);
});

test('a message to a running turn is read by the model; after its end it is refused', async () => {
  const held = gate(say('First.'));
  await using bench = await openBench({ files: fiveLines, script: script(held, say('Heard.')) });
  const { threadId } = await bench.start('begin');
  await soon(held.arrived, 'the request');
  await bench.tasks.steer(threadId, 'and mind the tests');
  held.open();
  expect(await bench.event('turnCompleted')).toMatchObject({ summary: 'Heard.' });
  expect(messageTexts(bench.model.requests[1]).at(-1)).toContain('and mind the tests');
  await expect(bench.tasks.steer(threadId, 'late')).rejects.toMatchObject({ reason: 'noTurnRunning' });
});

test('the form of the tools stays that of the thread; AGENTS.md that went is taken back', async () => {
  await using bench = await openBench({
    files: { ...fiveLines, 'AGENTS.md': 'Use tabs.\n' },
    script: script(say('First.'), say('Second.'), say('Third.')),
  });
  const { threadId } = await bench.run('first');
  await unlink(join(bench.workspace.root, 'AGENTS.md'));
  const settings = (freeformTools: boolean) => ({
    ...bench.settings,
    provider: { ...bench.settings.provider, freeformTools },
  });
  await bench.run('second', { threadId, settings: settings(false) });
  await bench.run('third', { threadId, settings: settings(false) });
  const [first, second, third] = bench.model.requests.map((request) => messageTexts(request));
  expect(first?.join('\n')).toContain('Use tabs.');
  expect(second?.filter((text) => text.includes('does not hold'))).toHaveLength(1);
  expect(third?.filter((text) => text.includes('does not hold'))).toHaveLength(1);
});
