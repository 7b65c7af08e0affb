/** `review.diff` as a text that the user works in, through the real server, tasks and sandbox. */
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { gitApply } from '../changeset/git.ts';
import { text } from '../changeset/states.ts';
import { openEditor, type Task } from '../support/editor.ts';
import { patch, type Script, say, script, shell } from '../support/model.ts';
import { openWorld, type World } from '../support/world.ts';

const ten = 'one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\nnine\nten\n';
const shouted = patch(
  'a.txt',
  ...['-one', '+ONE', ' two', ' three', ' four', ' five', ' six', ' seven', ' eight', ' nine', '-ten', '+TEN'],
);
const shout = (): Script => script(shouted, say('Shouted.'));

/** A finished task, and its review on disk. `path`: absolute. */
async function inReview(
  world: World,
  prompt = 'shout',
): Promise<{ task: Task; uri: string; path: string; document: string }> {
  const { editor } = world;
  const task = await editor.runTask(prompt);
  await task.reaches('inReview');
  const { uri } = await editor.request('codex/openReview', { threadId: task.threadId });
  const path = fileURLToPath(uri);
  return { task, uri, path, document: await readFile(path, 'utf8') };
}

const lineAt = (uri: string, document: string, line: string) => {
  const start = { line: document.split('\n').indexOf(line), character: 0 };
  return { path: uri, range: { start, end: start } };
};

test('the buffer is applied as it stands, what was taken out stays, undo restores, and the file is renewed', async () => {
  await using world = await openWorld({ files: { 'a.txt': ten }, model: shout() });
  const { editor } = world;
  await editor.open('a.txt');
  const { task, uri, path, document } = await inReview(world);
  await editor.open(uri, document);
  editor.type('a.txt', 'five', 'cinq');
  editor.type(uri, '+ONE\n', '+Uno\n+Due\n');
  editor.type(uri, ' three\n', ' tre\n');
  editor.type(uri, document.slice(document.indexOf('@@ -7')), '');
  await editor.codeAction('Codex: apply as edited', { at: lineAt(uri, await editor.text(uri), '+Due') });
  await editor.message('applied to a.txt');
  const after = ten.replace('one', 'Uno\nDue').replace('three', 'tre').replace('five', 'cinq');
  expect(await editor.text('a.txt')).toBe(after);
  expect(await task.review()).toEqual(['a.txt:1 accepted', expect.stringMatching(/^a.txt:\d+ pending$/)]);
  await editor.waitFor('the renewed review', async () => !(await readFile(path, 'utf8')).includes('+ONE'));
  expect(await readFile(path, 'utf8')).toContain('-ten\n+TEN\n');

  expect(await editor.request('codex/undo', {})).toMatchObject({ applied: ['a.txt'], failed: [] });
  expect(await editor.text('a.txt')).toBe(ten.replace('five', 'cinq'));
  expect(await task.review()).toEqual(['a.txt:1 pending', 'a.txt:7 pending']);
});

test('what does not fit is named by line, and other files are applied', async () => {
  await using world = await openWorld({
    files: { 'a.txt': ten, 'b.txt': 'b\n' },
    model: script(patch('a.txt', '-one', '+ONE'), patch('b.txt', '-b', '+B'), say('Done.')),
  });
  const { editor } = world;
  const { task, document } = await inReview(world);
  const edited = document.replace('\n-one\n', '\n-eins\n').replace('\n+B\n', '\n+bee\n');
  const line = edited.split('\n').findIndex((one) => one.startsWith('@@')) + 1;
  const result = await editor.request('codex/applyEdited', { threadId: task.threadId, text: edited });
  expect(result).toMatchObject({
    applied: ['b.txt'],
    conflicts: [{ path: 'a.txt', reason: expect.stringContaining(`line ${line} of review.diff: `) }],
    failed: [{ path: 'a.txt', reason: expect.stringContaining(`line ${line} of review.diff: `) }],
  });
  expect([await editor.disk('a.txt'), await editor.disk('b.txt')]).toEqual([ten, 'bee\n']);
  await editor.message(`a.txt failed: line ${line} of review.diff`);
  expect(await editor.executeCommand('codex.applyEdited', [{ text: document }])).toEqual({
    applyId: expect.any(String),
  });
  await editor.message('applied to a.txt');
  await editor.waitFor('the text', async () => (await editor.disk('a.txt')) === ten.replace('one', 'ONE'));
  await editor.message('applied to a.txt');
});

test('one hunk as edited, then the rest', async () => {
  await using world = await openWorld({ files: { 'a.txt': ten }, model: shout() });
  const { editor } = world;
  const { task, uri, document } = await inReview(world);
  await editor.open(uri, document);
  expect(await editor.titles(lineAt(uri, document, '+ONE'))).not.toContain('Codex: accept this hunk as edited');
  editor.type(uri, '+ONE\n', '+Uno\n');
  const titles = await editor.titles(lineAt(uri, await editor.text(uri), '+Uno'));
  expect(titles.slice(0, 4)).toEqual([
    'Codex: accept this hunk as edited',
    'Codex: accept this hunk unedited',
    'Codex: reject this hunk',
    'Codex: apply this file as edited',
  ]);
  await editor.codeAction('Codex: accept this hunk as edited', { at: lineAt(uri, await editor.text(uri), '+Uno') });
  await editor.message('applied to a.txt');
  await editor.waitFor('the hunk', async () => (await editor.disk('a.txt')) === ten.replace('one', 'Uno'));
  await editor.waitFor('the decision', async () => (await task.review())[0] === 'a.txt:1 accepted');
  expect(await editor.text(uri)).toContain('+Uno\n');
  expect(await editor.request('codex/applyEdited', {})).toMatchObject({ applied: ['a.txt'], failed: [] });
  expect(await editor.disk('a.txt')).toBe(ten.replace('one', 'Uno').replace('ten', 'TEN'));
});

test('where the hunk was all that the user had edited, the file is renewed; else it is said that it is not', async () => {
  await using world = await openWorld({ files: { 'a.txt': ten }, model: shout() });
  const { editor } = world;
  const { uri, path, document } = await inReview(world);
  await editor.open(uri, document);
  editor.type(uri, '+ONE\n', '+Uno\n');
  editor.type(uri, '+TEN\n', '+Dieci\n');
  await editor.codeAction('Codex: accept this hunk as edited', { at: lineAt(uri, await editor.text(uri), '+Uno') });
  await editor.message('applied to a.txt. review.diff keeps what you wrote: apply or send it.');
  expect(await readFile(path, 'utf8')).toBe(document);
  expect(await editor.request('codex/undo', {})).toMatchObject({ applied: ['a.txt'] });
  await editor.message('undone in a.txt. review.diff keeps what you wrote');
  editor.type(uri, '+Dieci\n', '+TEN\n');
  await editor.codeAction('Codex: accept this hunk as edited', { at: lineAt(uri, await editor.text(uri), '+Uno') });
  await editor.message('applied to a.txt. In review.diff: ');
  expect(await readFile(path, 'utf8')).not.toContain('+ONE');
  expect(await readFile(path, 'utf8')).toContain('-ten\n+TEN\n');
  // The buffer is as the user left it until they reload it.
  await editor.request('codex/openReview', {});
  await editor.message(/review\.diff was renewed: \S/);
});

test('a hunk that was edited can be accepted unedited; what is edited in it then is to be taken out', async () => {
  await using world = await openWorld({ files: { 'a.txt': ten }, model: shout() });
  const { editor } = world;
  const { uri, document } = await inReview(world);
  await editor.open(uri, document);
  editor.type(uri, '+ONE\n', '+Uno\n');
  const at = lineAt(uri, await editor.text(uri), '+Uno');
  await editor.codeAction('Codex: accept this hunk unedited', { at });
  await editor.message('applied to a.txt. review.diff keeps what you wrote: apply or send it.');
  expect(await editor.disk('a.txt')).toBe(ten.replace('one', 'ONE'));
  await editor.codeAction('Codex: apply as edited', { at });
  await editor.message(/a\.txt failed: line \d+ of review\.diff: this hunk was already accepted; take it out\./);
  expect(await editor.disk('a.txt')).toBe(ten.replace('one', 'ONE'));
  // From its `@@` line to the next.
  const edited = await editor.text(uri);
  editor.type(uri, edited.slice(edited.indexOf('@@ '), edited.lastIndexOf('@@ -')), '');
  await editor.codeAction('Codex: apply as edited', { at: { path: uri } });
  await editor.message('applied to a.txt. In review.diff: ');
  expect(await editor.disk('a.txt')).toBe(ten.replace('one', 'ONE').replace('ten', 'TEN'));
});

test('a comment is sent once, though edits beside it are not applied yet, and after a restart', async () => {
  const asked: string[] = [];
  const heard = (answer: string) => (body: { input: readonly unknown[] }) => {
    asked.push(JSON.stringify(body.input.at(-1)));
    return say(answer);
  };
  await using world = await openWorld({
    files: { 'a.txt': ten },
    model: script(shouted, say('Shouted.'), heard('Understood.'), heard('Understood too.')),
  });
  const { editor } = world;
  const { task, uri, path, document } = await inReview(world);
  await editor.open(uri, document);
  editor.type(uri, '+ONE\n', '+Uno\n> Why not "Uno"?\n');
  await editor.request('codex/sendComments', {});
  await editor.message('to review (+2 -2). review.diff keeps what you wrote: apply or send it.');
  // As after a restart: who knows it by the file alone.
  editor.close(uri);
  await writeFile(path, `${document.replace('+ONE\n', '+Uno\n> Why not "Uno"?\n')}> And ten?\n`);
  const { root, stateFolder, tasks } = editor;
  await using later = await openEditor({ tasks, place: { root, stateFolder }, environment: world.environment });
  await later.request('codex/sendComments', { threadId: task.threadId });
  await later.message('Understood too.');
  await editor.message('Understood too.');
  expect(asked.map((text) => [text.includes('Why not'), text.includes('And ten?')])).toEqual([
    [true, false],
    [false, true],
  ]);
  await expect(later.request('codex/sendComments', { threadId: task.threadId })).rejects.toMatchObject({
    message: expect.stringContaining('were sent already'),
    data: { reason: 'nothingToSend' },
  });
  // The edited line is still the user's.
  expect(await readFile(path, 'utf8')).toContain('+Uno\n> Why not');
  expect(await later.request('codex/applyEdited', { threadId: task.threadId })).toMatchObject({ applied: ['a.txt'] });
  // Nothing of what was written is left to do.
  await later.waitFor('the renewed review', async () => !(await readFile(path, 'utf8')).includes('Why not'));
  await editor.message('applied to a.txt');
});

test('while a turn runs in its thread, review.diff says so instead of what can be decided', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  await using world = await openWorld({
    files: { 'a.txt': ten },
    model: script(shouted, say('Shouted.'), async () => {
      await promise;
      return say('Understood.');
    }),
  });
  const { editor } = world;
  const { uri, document, task } = await inReview(world);
  await editor.open(uri, document);
  await editor.request('codex/runTask', { threadId: task.threadId, prompt: 'go on' });
  const at = lineAt(uri, document, '+ONE');
  const sentence = 'Codex: a turn runs: decide, apply and send when it has ended';
  await editor.waitFor('the sentence', async () => (await editor.titles(at))[0] === sentence);
  expect(await editor.titles(at)).toEqual([sentence, 'Codex: cancel: shout', 'Codex: new task…', 'Codex: status']);
  resolve();
  await editor.message('Understood.');
  await editor.waitFor('the actions', async () => (await editor.titles(at))[0] === 'Codex: accept this hunk');
});

test('comments begin the next turn, each with what it stands under', async () => {
  const asked: string[] = [];
  await using world = await openWorld({
    files: { 'a.txt': ten },
    model: script(shouted, say('Shouted.'), (body) => {
      asked.push(JSON.stringify(body.input.at(-1)));
      return say('Understood.');
    }),
  });
  const { editor } = world;
  const { task, uri, path, document } = await inReview(world);
  await expect(editor.request('codex/sendComments', {})).rejects.toMatchObject({ data: { reason: 'nothingToSend' } });
  await editor.open(uri, document);
  expect(await editor.titles({ path: uri })).not.toContain('Codex: send comments');
  editor.type(uri, '+ONE\n', '+ONE\n> Why not "Uno"?\n> Really.\n');
  editor.type(uri, '# Thread', '> Be brief.\n# Thread');
  const at = lineAt(uri, await editor.text(uri), '> Really.');
  expect((await editor.titles(at)).slice(0, 3)).toEqual([
    'Codex: accept this hunk',
    'Codex: reject this hunk',
    'Codex: send comments',
  ]);
  expect(await editor.titles(at)).not.toContain('Codex: apply as edited');
  await editor.save(path);
  await editor.codeAction('Codex: send comments', { at });
  await editor.message('Understood.');
  const { hunks } = (await editor.request('codex/changeset', { threadId: task.threadId })).files[0] ?? { hunks: [] };
  const prompt =
    `My comments on your changes:\n\nOn all of it:\n\nBe brief.\n\nOn a.txt, hunk ${hunks[0]?.id}:\n\n` +
    '```diff\n-one\n+ONE\n two\n three\n four\n```\n\nWhy not "Uno"?\nReally.';
  expect(asked[0]).toContain(JSON.stringify(prompt).slice(1, -1));
  await editor.waitFor('the renewed review', async () => !(await readFile(path, 'utf8')).includes('Really'));
});

test('what the user wrote into the file is theirs, saved or not, until it was applied or sent', async () => {
  await using world = await openWorld({ files: { 'a.txt': ten }, model: shout() });
  const { editor } = world;
  const { task, path, document } = await inReview(world);
  const mine = document.replace('+TEN\n', '+Ten\n> good\n');
  await writeFile(path, mine);
  const [first] = (await editor.request('codex/changeset', { threadId: task.threadId })).files[0]?.hunks ?? [];
  await editor.request('codex/accept', { hunks: [first?.id ?? ''] });
  await editor.message('applied to a.txt');
  await editor.request('codex/openReview', {});
  await editor.message('holds what you wrote and was not renewed');
  expect(await readFile(path, 'utf8')).toBe(mine);
  expect(await editor.request('codex/applyEdited', {})).toMatchObject({ applied: ['a.txt'], failed: [] });
  expect(await editor.disk('a.txt')).toBe(ten.replace('one', 'ONE').replace('ten', 'Ten'));
  await task.reaches('idle');
  // The comment was not sent.
  expect(await readFile(path, 'utf8')).toBe(mine);
});

test('git applies the file and the diff, binary files and links included', async () => {
  await using world = await openWorld({
    files: { 'a.txt': ten, 'old.txt': ten, gone: 'x\n', plain: 'x\n' },
    model: script(
      shell(
        "sed -i s/one/ONE/ a.txt; mv old.txt new.txt; rm gone plain; ln -s a.txt plain; printf '\\0\\1\\377' > bin; : > empty",
      ),
      say('Done.'),
    ),
  });
  const { editor } = world;
  const { document, task } = await inReview(world);
  const { diff } = await editor.request('codex/changeset', { threadId: task.threadId });
  const files = { 'a.txt': text(ten), 'old.txt': text(ten), gone: text('x\n'), plain: text('x\n') };
  const expected = {
    'a.txt': `644 ${ten.replace('one', 'ONE')}`,
    'new.txt': `644 ${ten}`,
    plain: 'link a.txt',
    bin: '644 \0\x01\ufffd',
    empty: '644 ',
  };
  expect(gitApply(files, diff)).toEqual({ files: expected, said: '' });
  expect(gitApply(files, document)).toEqual({ files: expected, said: '' });
  expect(await editor.request('codex/applyEdited', {})).toMatchObject({ conflicts: [], failed: [] });
  expect(await readFile(`${editor.root}/bin`, 'latin1')).toBe('\0\x01\xff');
});

test('created, moved and made executable as edited, and all taken back by undo', async () => {
  await using world = await openWorld({
    files: { 'old.txt': ten, gone: 'x\n' },
    model: script(
      shell("mv old.txt new.txt; sed -i s/two/TWO/ new.txt; rm gone; printf 'a\\nb\\n' > made"),
      say('Done.'),
    ),
  });
  const { editor } = world;
  const { path, document } = await inReview(world);
  await writeFile(path, document.replace('+TWO\n', '+deux\n').replace('+a\n', '+A\n'));
  const result = await editor.request('codex/applyEdited', {});
  expect(result).toMatchObject({ applied: ['gone', 'made', 'new.txt'], conflicts: [], failed: [] });
  expect([await editor.disk('new.txt'), await editor.disk('made')]).toEqual([ten.replace('two', 'deux'), 'A\nb\n']);
  expect(await readFile(path, 'utf8')).not.toContain('+deux');
  expect(await editor.request('codex/undo', {})).toMatchObject({ failed: [] });
  expect([await editor.disk('old.txt'), await editor.disk('gone')]).toEqual([ten, 'x\n']);
  await expect(editor.disk('new.txt')).rejects.toThrow('ENOENT');
  await expect(editor.disk('made')).rejects.toThrow('ENOENT');
});
