/** Undo and redo, further and further back, over what the user has done since. */
import { chmodSync, lstatSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Face, noDocuments } from '../../server/task/ports.ts';
import type { Tasks } from '../../server/task/tasks.ts';
import { messageTexts, patch, say, script, shell, together } from '../support/model.ts';
import { snapshot } from '../support/snapshot.ts';
import { type Bench, diskFace, openBench } from '../support/task.ts';

const lines = (text: string) => text.split(' ').join('\n').concat('\n');
const files = { 'a.txt': lines('one two three four five six seven'), 'b.txt': 'b\n' };
const shout = () =>
  script(
    together(patch('a.txt', '-one', '+ONE', ' two', ' three', '-four', '+FOUR'), patch('b.txt', '-b', '+B')),
    say('Done.'),
  );

const doneBy = async (asked: ReturnType<Tasks['undo']>) => (await asked).result;
const acceptBy = (bench: Bench, threadId: string, hunks?: string[]) =>
  doneBy(bench.tasks.accept(threadId, hunks ? { hunks } : {}, diskFace));
const undoBy = (bench: Bench, threadId: string) => doneBy(bench.tasks.undo(threadId, diskFace));
const redoBy = (bench: Bench, threadId: string) => doneBy(bench.tasks.undo(threadId, diskFace, { redo: true }));
const refused = (reason: string) => expect.objectContaining({ reason });

test('undo goes back accept by accept, redo comes again, also after a restart, until something new is accepted', async () => {
  await using bench = await openBench({ files, script: shout() });
  const { workspace } = bench;
  const { threadId } = await bench.run('shout');
  const [one, four] = (await bench.tasks.review(threadId, noDocuments)).files[0]?.hunks ?? [];
  await acceptBy(bench, threadId, [one?.id ?? '']);
  await acceptBy(bench, threadId, [four?.id ?? '']);
  await expect(redoBy(bench, threadId)).rejects.toEqual(refused('nothingToRedo'));
  const both = await workspace.read('a.txt');

  expect(await undoBy(bench, threadId)).toMatchObject({ applied: ['a.txt'], conflicts: [], failed: [] });
  expect(await bench.review(threadId)).toEqual(['a.txt:1 accepted', 'a.txt:4 pending', 'b.txt:1 pending']);
  await bench.restart();
  expect(await undoBy(bench, threadId)).toMatchObject({ applied: ['a.txt'] });
  expect(await workspace.read('a.txt')).toBe(files['a.txt']);
  await expect(undoBy(bench, threadId)).rejects.toEqual(refused('nothingToUndo'));

  await bench.restart();
  expect(await redoBy(bench, threadId)).toMatchObject({ applied: ['a.txt'] });
  expect(await bench.review(threadId)).toEqual(['a.txt:1 accepted', 'a.txt:4 pending', 'b.txt:1 pending']);
  await redoBy(bench, threadId);
  expect(await workspace.read('a.txt')).toBe(both);
  await expect(redoBy(bench, threadId)).rejects.toEqual(refused('nothingToRedo'));

  await undoBy(bench, threadId);
  await acceptBy(
    bench,
    threadId,
    (await bench.tasks.review(threadId, noDocuments)).files[1]?.hunks.map(({ id }) => id),
  );
  await expect(redoBy(bench, threadId)).rejects.toEqual(refused('nothingToRedo'));
  await undoBy(bench, threadId);
  await undoBy(bench, threadId);
  for (const [path, text] of Object.entries(files)) expect(await workspace.read(path)).toBe(text);
});

test('what was typed since is merged; the hunk it stands in stays applied, and is named', async () => {
  await using bench = await openBench({ files, script: shout() });
  const { workspace } = bench;
  const { threadId } = await bench.run('shout');
  await acceptBy(bench, threadId);
  const [one, four] = (await bench.tasks.review(threadId, noDocuments)).files[0]?.hunks ?? [];
  await workspace.write('a.txt', lines('mine two three FOUR five six typed'));
  expect(await undoBy(bench, threadId)).toMatchObject({
    applied: ['a.txt', 'b.txt'],
    conflicts: [{ path: 'a.txt', hunk: one?.id, reason: expect.stringContaining('your text was kept') }],
    failed: [],
  });
  expect(await workspace.read('a.txt')).toBe(lines('mine two three four five six typed'));
  expect(await workspace.read('b.txt')).toBe('b\n');
  const statusOf = async (id?: string) =>
    (await bench.tasks.review(threadId, noDocuments)).files.flatMap(({ hunks }) => hunks).find((hunk) => hunk.id === id)
      ?.status;
  expect([await statusOf(one?.id), await statusOf(four?.id)]).toEqual(['accepted', 'pending']);

  expect(await redoBy(bench, threadId)).toMatchObject({ applied: ['a.txt', 'b.txt'], conflicts: [], failed: [] });
  expect(await workspace.read('a.txt')).toBe(lines('mine two three FOUR five six typed'));
});

test('what had to be left is tried again, and passed over where it has to be left once more', async () => {
  await using bench = await openBench({ files, script: shout() });
  const { workspace } = bench;
  const { threadId } = await bench.run('shout');
  const [a, b] = (await bench.tasks.review(threadId, noDocuments)).files;
  await acceptBy(
    bench,
    threadId,
    b?.hunks.map(({ id }) => id),
  );
  await acceptBy(
    bench,
    threadId,
    a?.hunks.map(({ id }) => id),
  );
  await workspace.write('a.txt', 'mine\n');
  const left = { failed: [{ path: 'a.txt', reason: expect.stringContaining('your text was kept') }] };
  expect(await undoBy(bench, threadId)).toMatchObject({ applied: [], ...left });
  expect(await undoBy(bench, threadId)).toMatchObject({ applied: ['b.txt'], ...left });
  expect(await undoBy(bench, threadId)).toMatchObject({ applied: [], ...left });
  await workspace.write('a.txt', lines('ONE two three FOUR five six seven'));
  expect(await undoBy(bench, threadId)).toMatchObject({ applied: ['a.txt'], failed: [] });
  expect(await workspace.read('a.txt')).toBe(files['a.txt']);
});

test('an undo of an earlier turn’s change goes around what a later turn and the user have done', async () => {
  await using bench = await openBench({
    files,
    script: script(patch('a.txt', '-one', '+ONE'), say('1.'), patch('a.txt', '-seven', '+SEVEN'), say('2.'), say('3.')),
  });
  const { workspace } = bench;
  const { threadId } = await bench.run('first');
  await acceptBy(bench, threadId);
  await bench.run('second', { threadId });
  await acceptBy(bench, threadId);
  await workspace.write('a.txt', lines('ONE two three typed four five six SEVEN'));
  await undoBy(bench, threadId);
  await undoBy(bench, threadId);
  expect(await workspace.read('a.txt')).toBe(lines('one two three typed four five six seven'));
  await redoBy(bench, threadId);
  expect(await workspace.read('a.txt')).toBe(lines('ONE two three typed four five six seven'));
  await bench.run('third', { threadId });
  const told = messageTexts(bench.model.requests.at(-1)).at(-2);
  expect(told).toContain('Accepted, now in the user’s files: a.txt');
  expect(told).not.toContain('Undone');
});

test('every kind of change goes back and forth, with all of its mode', async () => {
  const before = {
    'secret.txt': 'private\n',
    'gone/deep.txt': 'g\n',
    'old.txt': lines('a b c d e f'),
    'run.sh': 'echo\n',
    'to-link': 'text\n',
  };
  const change = [
    'rm secret.txt gone/deep.txt to-link && ln -s run.sh to-link && ln -sfn run.sh link',
    "chmod +x run.sh && echo more >> run.sh && printf '\\0\\377' > data.bin && printf '\\0' > picture.bin",
    'mkdir -p new/deep && echo n > new/deep/n.txt && : > empty && mkdir moved && mv old.txt moved/new.txt && echo g >> moved/new.txt',
  ].join(' && ');
  await using bench = await openBench({ files: before, git: false, script: script(shell(change), say('Done.')) });
  const { workspace } = bench;
  writeFileSync(join(workspace.root, 'picture.bin'), Buffer.from([0, 1, 2, 255]));
  chmodSync(join(workspace.root, 'secret.txt'), 0o600);
  chmodSync(join(workspace.root, 'run.sh'), 0o640);
  symlinkSync('old.txt', join(workspace.root, 'link'));
  const first = snapshot(workspace.root);
  const { threadId } = await bench.run('change it');
  const { files: changed } = await bench.tasks.changeset(threadId, noDocuments);
  const paths = changed.map(({ path }) => path);
  expect(paths).toHaveLength(10);
  const result = await doneBy(bench.tasks.accept(threadId, { files: paths }, diskFace));
  expect(result).toMatchObject({ failed: [], conflicts: [] });
  const second = snapshot(workspace.root);
  expect(second).not.toEqual(first);
  for (let round = 0; round < 2; round++) {
    expect(await undoBy(bench, threadId)).toMatchObject({ failed: [], conflicts: [] });
    expect(snapshot(workspace.root)).toEqual(first);
    await bench.restart();
    expect(await redoBy(bench, threadId)).toMatchObject({ failed: [], conflicts: [] });
    expect(snapshot(workspace.root)).toEqual(second);
  }
});

test('a mode that is taken back leaves what is typed and not saved the truth', async () => {
  let buffer = 'echo\n';
  const face: Face = {
    ...diskFace,
    profile: { mode: 'mixed' },
    documents: { under: () => new Map([['run.sh', { version: buffer.length, text: buffer }]]) },
  };
  const { documents } = face;
  await using bench = await openBench({
    files: { 'run.sh': 'echo\n' },
    documents,
    script: script(shell('chmod +x run.sh'), say('Done.')),
  });
  const { tasks, workspace } = bench;
  const { threadId } = await bench.run('make it run');
  buffer = 'echo typed\n';
  const modeNow = () => (lstatSync(join(workspace.root, 'run.sh')).mode & 0o111) > 0;
  const accepted = await doneBy(tasks.accept(threadId, { files: ['run.sh'] }, face));
  expect(accepted).toMatchObject({ applied: ['run.sh'], failed: [] });
  expect(modeNow()).toBe(true);
  expect(await doneBy(tasks.undo(threadId, face))).toMatchObject({ applied: ['run.sh'], failed: [] });
  expect(modeNow()).toBe(false);
  const [file] = (await tasks.review(threadId, documents)).files;
  expect(file).toMatchObject({ user: { text: 'echo typed\n' }, hunks: [{ status: 'pending' }] });
  expect(await workspace.read('run.sh')).toBe('echo\n');
});

test('a file that became a folder, and a folder that became a file, go back and forth', async () => {
  const change = 'rm f && mkdir -p f/deep && echo z > f/deep/z && rm -r d && echo file > d';
  await using bench = await openBench({
    files: { f: 'f\n', 'd/in/x': 'x\n', 'd/y': 'y\n' },
    git: false,
    script: script(shell(change), say('Done.')),
  });
  const { root } = bench.workspace;
  const first = snapshot(root);
  const { threadId } = await bench.run('turn it around');
  expect(await acceptBy(bench, threadId)).toMatchObject({ failed: [], conflicts: [] });
  const second = snapshot(root);
  expect(Object.keys(second)).toEqual(['d', 'f', 'f/deep', 'f/deep/z']);
  expect(await undoBy(bench, threadId)).toMatchObject({ failed: [], conflicts: [] });
  expect(snapshot(root)).toEqual(first);
  expect(await redoBy(bench, threadId)).toMatchObject({ failed: [], conflicts: [] });
  expect(snapshot(root)).toEqual(second);
});

test('what cannot be written down first is not done, and is done once it can be', async () => {
  await using bench = await openBench({ files, script: shout() });
  const { threadId } = await bench.run('shout');
  const log = join(bench.tasks.folderOf(threadId), 'applies');
  writeFileSync(log, 'in the way');
  const failed = [{ path: 'a.txt', reason: expect.stringContaining('EEXIST') }, { path: 'b.txt' }];
  expect(await acceptBy(bench, threadId)).toMatchObject({ applied: [], failed });
  expect(await bench.workspace.read('a.txt')).toBe(files['a.txt']);
  rmSync(log);
  expect(await acceptBy(bench, threadId)).toMatchObject({ applied: ['a.txt', 'b.txt'], failed: [] });
});

test('an undo goes on without the file that cannot be written', async () => {
  await using bench = await openBench({
    files,
    script: script(patch.delete('a.txt'), patch('b.txt', '-b', '+B'), say('Done.')),
  });
  const { workspace } = bench;
  const { threadId } = await bench.run('change');
  await acceptBy(bench, threadId);
  mkdirSync(join(workspace.root, 'a.txt'));
  expect(await undoBy(bench, threadId)).toMatchObject({
    applied: ['b.txt'],
    failed: [{ path: 'a.txt', reason: 'a.txt is a folder' }],
  });
  expect(await workspace.read('b.txt')).toBe('b\n');
  rmSync(join(workspace.root, 'a.txt'), { recursive: true });
  expect(await undoBy(bench, threadId)).toMatchObject({ applied: ['a.txt'], failed: [] });
  expect(await workspace.read('a.txt')).toBe(files['a.txt']);
});
