/** The main job in an editor that speaks only standard LSP: delegate from the buffer, watch, review, accept. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { failure, gate, messageTexts, patch, plan, say, script, shell, soon, together } from '../support/model.ts';
import { openWorld } from '../support/world.ts';

const FIVE_LINES = { 'a.txt': 'one\ntwo\nthree\nfour\nfive\n' };
const shoutOneAndFour = () => script(patch('a.txt', '-one', '+ONE', ' two', ' three', '-four', '+FOUR'), say('Done.'));

test('what the user typed survives; the hunk over it stays in review', async () => {
  await using world = await openWorld({ files: FIVE_LINES, model: shoutOneAndFour() });
  const { editor } = world;
  await editor.open('a.txt');
  const task = await editor.runTask('shout one and four');
  await task.reaches('inReview');

  editor.type('a.txt', 'four', 'quatre'); // unsaved
  await editor.codeAction('Codex: accept all changes', { at: 'a.txt:1' });
  await task.happens('applied');

  expect(await editor.text('a.txt')).toBe('ONE\ntwo\nthree\nquatre\nfive\n');
  expect(await editor.disk('a.txt')).toBe(FIVE_LINES['a.txt']);
  expect(await task.review()).toEqual(['a.txt:1 accepted', 'a.txt:4 conflicting']);
});

test('a comment in unsaved text: run as a code action, taken out of what the agent sees and of the result', async () => {
  const text = 'const wait = 1;\n// codex: make this retry with backoff\nfetch(url);\n';
  await using world = await openWorld({
    files: { 'src/a.js': 'fetch(url);\n' },
    unsaved: { 'src/a.js': text },
    model: script(
      shell('cat src/a.js'),
      patch('src/a.js', '-fetch(url);', '+retry(() => fetch(url));'),
      say('It retries.'),
    ),
  });
  const { editor, model } = world;
  await editor.codeAction('Codex: make this retry with backoff', { at: 'src/a.js:2' });
  await editor.message(/It retries\./);
  expect(messageTexts(model.requests[0]).at(-1)).toContain('make this retry with backoff');
  expect(JSON.stringify(model.requests[1]?.input.at(-1))).toContain('const wait = 1;\\nfetch(url);');
  expect(editor.edits).toEqual([]);
  expect(editor.steps().join('\n')).toMatch(/running cat src\/a\.js/);

  await editor.codeAction('Codex: accept all changes', { at: 'src/a.js:1' });
  await editor.waitFor('the edit', async () => (await editor.text('src/a.js')).includes('retry('));
  expect(await editor.text('src/a.js')).toBe('const wait = 1;\nretry(() => fetch(url));\n');
  expect(editor.edits).toMatchObject([{ edit: { documentChanges: [{ textDocument: { version: 1 } }] } }]);
});

test('an open file, a file not open, a new, a deleted and a renamed one: all arrive, and all go back', async () => {
  const files = { ...FIVE_LINES, 'b.txt': 'b\n', 'gone.txt': 'gone\n', 'old.txt': '1\n2\n3\n4\n' };
  await using world = await openWorld({
    files,
    model: script(
      together(
        patch('a.txt', '-one', '+ONE'),
        patch('b.txt', '-b', '+B'),
        patch.add('new/c.txt', 'c\n'),
        patch.delete('gone.txt'),
        patch.move('old.txt', 'moved.txt'),
      ),
      say('Moved things.'),
    ),
  });
  const { editor, workspace } = world;
  await editor.open('a.txt');
  const task = await editor.runTask('move things');
  await task.reaches('inReview');
  const result = await editor.request('codex/accept', { threadId: task.threadId });
  expect(result).toMatchObject({ conflicts: [], failed: [] });
  expect(result.applied.sort()).toEqual(['a.txt', 'b.txt', 'gone.txt', 'moved.txt', 'new/c.txt']);
  expect(await editor.text('a.txt')).toContain('ONE');
  expect(await editor.text('b.txt')).toBe('B\n');
  expect(await workspace.read('new/c.txt')).toBe('c\n');
  expect(await workspace.read('gone.txt')).toBeUndefined();
  expect(await workspace.read('old.txt')).toBeUndefined();
  expect(await workspace.read('moved.txt')).toBe('1\n2\n3\n4\n');

  expect(await editor.request('codex/undo', { threadId: task.threadId })).toMatchObject({ failed: [] });
  for (const [path, text] of Object.entries(files)) expect(await editor.text(path)).toBe(text);
  expect(await workspace.read('new/c.txt')).toBeUndefined();
  expect(await workspace.read('moved.txt')).toBeUndefined();
});

test('a folder without git; the review in review.diff, accepted hunk by hunk', async () => {
  await using world = await openWorld({ files: FIVE_LINES, git: false, model: shoutOneAndFour() });
  const { editor } = world;
  await editor.open('a.txt');
  const task = await editor.runTask('shout one and four');
  await task.reaches('inReview');
  const { uri } = await editor.request('codex/openReview', { threadId: task.threadId });
  expect(editor.shown.map((shown) => shown.uri)).toEqual([uri]);
  const document = await readFile(fileURLToPath(uri), 'utf8');
  await editor.open(uri, document);
  const line = document.split('\n').indexOf('+FOUR');
  const at = { path: uri, range: { start: { line, character: 0 }, end: { line, character: 0 } } };
  expect(await editor.titles(at)).toEqual(
    expect.arrayContaining(['Codex: accept this hunk', 'Codex: accept all changes']),
  );
  const { files } = await editor.request('codex/changeset', { threadId: task.threadId });
  expect(files[0]?.hunks.map(({ status }) => status)).toEqual(['pending', 'pending']);

  await editor.codeAction('Codex: reject this hunk', { at: 'a.txt:1' });
  await editor.codeAction('Codex: accept this hunk', { at });
  await task.happens('applied');
  expect(await editor.text('a.txt')).toBe('one\ntwo\nthree\nFOUR\nfive\n');
  expect(await task.review()).toEqual(['a.txt:1 rejected', 'a.txt:4 accepted']);
  await task.reaches('idle');
});

test('a test fails, the agent reads it, fixes it, and reports; plan and commands are seen on the way', async () => {
  const files = {
    'sum.js': 'exports.sum = (a, b) => a - b;\n',
    'sum.test.js':
      "const test = require('node:test');\nconst { sum } = require('./sum.js');\ntest('sum', (t) => t.assert.strictEqual(sum(2, 3), 5));\n",
  };
  await using world = await openWorld({
    files,
    model: script(
      plan([{ step: 'run the test', status: 'inProgress' }]),
      shell('node --test'),
      patch('sum.js', '-exports.sum = (a, b) => a - b;', '+exports.sum = (a, b) => a + b;'),
      shell('node --test'),
      say('sum adds now. node --test: 1 passed.'),
    ),
  });
  const { editor } = world;
  await editor.open('sum.js');
  const task = await editor.runTask('make the test pass', { textDocument: { uri: editor.uri('sum.js') } });
  await task.reaches('inReview');
  const commands = task.items('command').map(({ status, exitCode }) => `${status} ${exitCode}`);
  expect(commands).toEqual(['failed 1', 'completed 0']);
  await editor.message(/sum adds now/);
  expect(editor.steps().join('\n')).toMatch(/running node --test/);
  await editor.request('codex/accept', {});
  expect(await editor.text('sum.js')).toBe('exports.sum = (a, b) => a + b;\n');
});

test('cancel from the progress in the middle of a command', async () => {
  await using world = await openWorld({
    files: FIVE_LINES,
    model: script(shell('echo started; setsid sleep 300 & sleep 300')),
  });
  const { editor } = world;
  const task = await editor.runTask('wait');
  await editor.waitFor('the command', () =>
    editor.events.some(({ event }) => event.type === 'itemDelta' && event.delta.includes('started')),
  );
  const token = await editor.waitFor('progress', () => editor.progress[0]?.token);
  expect(editor.progress[0]?.value).toMatchObject({ kind: 'begin', cancellable: true });
  editor.notify('window/workDoneProgress/cancel', { token });
  await task.reaches('interrupted');
  await editor.waitFor('the end of the progress', () => editor.progress.at(-1)?.value.kind === 'end');
  expect(task.items('command')).toMatchObject([{ status: 'killed' }]);
});

test('a model that fails half-way: said by name, changes kept, the next turn goes on', async () => {
  await using world = await openWorld({
    files: FIVE_LINES,
    model: script(
      patch('a.txt', '-one', '+ONE'),
      failure.http(401, { body: { error: { message: 'Incorrect API key provided', code: 'invalid_api_key' } } }),
      say('Went on.'),
    ),
  });
  const { editor } = world;
  const task = await editor.runTask('shout');
  await task.reaches('inReview');
  await editor.message(/OPENAI_API_KEY/);
  expect(task.end()).toMatchObject({ status: 'failed', error: { reason: 'unauthorized' } });
  await editor.request('codex/runTask', { threadId: task.threadId, prompt: 'go on' });
  await editor.message(/Went on\./);
  expect(await task.review()).toEqual(['a.txt:1 pending']);
});

test('typing goes on while the agent works: every request is answered at once', async () => {
  const held = gate(say('Done.'));
  await using world = await openWorld({ files: FIVE_LINES, model: script(held) });
  const { editor } = world;
  await editor.open('a.txt');
  const before = performance.now();
  const task = await editor.runTask('wait');
  expect(performance.now() - before).toBeLessThan(100);
  await soon(held.arrived, 'the request');
  editor.type('a.txt', 'five', 'cinq');
  expect(await editor.request('codex/status', {})).toMatchObject({
    threads: [{ status: 'running' }],
    sandbox: { kind: 'overlay' },
  });
  expect(await editor.titles('a.txt:1')).toContain('Codex: new task…');
  held.open();
  await task.reaches('idle');
});

test('an approval is answered from a code action; silence is not a yes', async () => {
  await using world = await openWorld({
    files: FIVE_LINES,
    settings: [{ origin: 'config.json', value: { approvalPolicy: 'untrusted' } }],
    model: script(shell('touch made'), say('Made it.')),
  });
  const { editor } = world;
  await editor.open('a.txt');
  const task = await editor.runTask('make it', { textDocument: { uri: editor.uri('a.txt') } });
  await task.reaches('waitingForApproval');
  const { approvals } = await editor.request('codex/approvals', {});
  expect(approvals).toMatchObject([{ kind: 'command', command: 'touch made' }]);
  await editor.waitFor('the warning', () => editor.diagnostics('a.txt').some(({ severity }) => severity === 2));
  await editor.codeAction('Codex: allow once', { at: 'a.txt:1' });
  await task.reaches('inReview');
  await editor.message(/touch made/);
  expect(await task.review()).toEqual(['made:0 pending']);
  expect(editor.diagnostics('a.txt')).toEqual([]);
});

test('no key: the server starts, the task says which variable', async () => {
  await using world = await openWorld({
    files: FIVE_LINES,
    environment: { OPENAI_API_KEY: undefined },
    model: script(),
  });
  const task = await world.editor.runTask('shout');
  await task.reaches('failed');
  await world.editor.message(/OPENAI_API_KEY is not set; /);
});
