/** The review in the source files while the user types: what is offered is true at every moment. */
import { expect, test } from 'vitest';
import { reviewOf } from '../../server/changeset/review.ts';
import { reviewDocument } from '../../server/changeset/review-document.ts';
import type { Review } from '../../server/changeset/review-types.ts';
import type { OpenDocuments } from '../../server/task/ports.ts';
import { type Editor, type EditorOptions, openEditor } from '../support/editor.ts';
import { FakeTasks, fileInReview } from '../support/fake-tasks.ts';

const numbers = ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight'];
const textOf = (end: string): string => numbers.map((word) => `${word}${end}`).join('');
const state = (text: string) => ({ kind: 'text' as const, text, mode: 0o644 });

/** The agent has shouted the second and the seventh line; reviews are those of the buffer, or of the file. */
class Shouted extends FakeTasks {
  /** What a review waits for, after it has looked at the buffers. */
  gate: Promise<void> | undefined;
  text = textOf('\n');
  reviewsBegun = 0;

  override async review(threadId: string, documents: OpenDocuments): Promise<Review> {
    const review = await this.#reviewNow(threadId, documents);
    this.reviewsBegun += 1;
    await this.gate;
    this.reviewsRead += 1;
    return review;
  }

  override async reviewDocument(threadId: string, documents: OpenDocuments): Promise<string> {
    return reviewDocument(await this.#reviewNow(threadId, documents), { title: 'shout', threadId });
  }

  async #reviewNow(threadId: string, documents: OpenDocuments): Promise<Review> {
    const user = state(documents.under(await this.rootOf(threadId)).get('a.txt')?.text ?? this.text);
    const agent = this.text.replace(/two|seven/g, (word) => word.toUpperCase());
    const change = { path: 'a.txt', base: state(this.text), agent: state(agent) };
    return reviewOf([change], new Map([['a.txt', user]]), new Map());
  }
}

async function inReview(end = '\n', options: Partial<EditorOptions> = {}) {
  const tasks = new Shouted();
  tasks.text = textOf(end);
  const editor = await openEditor({ tasks, files: { 'a.txt': tasks.text }, ...options });
  tasks.add('one', editor.root, 'idle', 'shout');
  tasks.emit('one', { type: 'changesetUpdated', files: 1, additions: 2, deletions: 2 });
  await editor.open('a.txt');
  await editor.waitFor('the review', () => editor.diagnostics('a.txt').length === 2);
  await editor.waitFor('the lenses', () => editor.sent.lensRefreshes > 0);
  return { editor, tasks, read: tasks.reviewsRead };
}

/** Lines, from 1, at which a hunk can be decided on, with what can be done there. */
async function offered(editor: Editor): Promise<string[]> {
  const found: string[] = [];
  for (let line = 1; line <= 12; line++) {
    const titles = await editor.titles(`a.txt:${line}`);
    const here = ['accept', 'reject'].filter((word) => titles.includes(`Codex: ${word} this hunk`));
    if (here.length > 0) found.push(`${line} ${here.join(' ')}`);
  }
  return found;
}

const both = (...lines: number[]): string[] => lines.map((line) => `${line} accept reject`);

async function hoverAt(editor: Editor, line: number): Promise<string> {
  const at = { textDocument: { uri: editor.uri('a.txt') }, position: { line: line - 1, character: 0 } };
  return JSON.stringify(await editor.request('textDocument/hover', at));
}

async function lensLines(editor: Editor): Promise<number[]> {
  const at = { textDocument: { uri: editor.uri('a.txt') } };
  const lenses = (await editor.request('textDocument/codeLens', at)) as { range: { start: { line: number } } }[];
  return [...new Set(lenses.map(({ range }) => range.start.line + 1))];
}

test('a line typed above moves actions, hover and lenses at once, and diagnostics after the pause', async () => {
  const { editor, tasks, read } = await inReview();
  await using _ = editor;
  tasks.gate = Promise.withResolvers<void>().promise;
  expect(await offered(editor)).toEqual(both(2, 7));
  const { diagnostics } = editor.sent;
  editor.type('a.txt', 'four', 'four\nfour and a half');
  expect(await offered(editor)).toEqual(both(2, 8));
  expect(await hoverAt(editor, 8)).toContain('-seven');
  expect(await hoverAt(editor, 7)).toBe('null');
  expect(await lensLines(editor)).toEqual([2, 8]);
  expect([tasks.reviewsRead, editor.sent.diagnostics]).toEqual([read, diagnostics]);
});

test('a hunk that was typed in is not offered until it is known what became of it, then as it is', async () => {
  const { editor, tasks } = await inReview();
  await using _ = editor;
  const gate = Promise.withResolvers<void>();
  tasks.gate = gate.promise;
  editor.type('a.txt', 'two', 'deux');
  expect(await offered(editor)).toEqual(both(7));
  expect(await hoverAt(editor, 2)).toBe('null');
  expect(await lensLines(editor)).toEqual([7]);
  const refreshes = editor.sent.lensRefreshes;
  gate.resolve();
  await editor.waitFor('the conflict', () => /^conflict/.test(String(editor.diagnostics('a.txt')[0]?.message)));
  expect(await offered(editor)).toEqual(['2 reject', ...both(7)]);
  await editor.waitFor('the lenses', () => editor.sent.lensRefreshes > refreshes);
  const hover = await hoverAt(editor, 2);
  for (const side of ['deux', '-two', '+TWO']) expect(hover).toContain(side);
});

test('what is typed and taken back is offered again, although the review is the same', async () => {
  const { editor, tasks, read } = await inReview();
  await using _ = editor;
  const gate = Promise.withResolvers<void>();
  tasks.gate = gate.promise;
  editor.type('a.txt', 'two', 'deux');
  editor.type('a.txt', 'deux', 'two');
  expect(await offered(editor)).toEqual(both(7));
  gate.resolve();
  await editor.waitFor('the review', () => tasks.reviewsRead > read);
  await editor.waitFor('both hunks', async () => (await offered(editor)).length === 2);
});

test('a hunk whose change is typed in by hand leaves the review, and comes back when that is taken back', async () => {
  const { editor } = await inReview();
  await using _ = editor;
  editor.type('a.txt', 'two', 'TWO');
  await editor.waitFor('one to leave', () => editor.diagnostics('a.txt').length === 1);
  editor.type('a.txt', 'seven', 'SEVEN');
  await editor.waitFor('both to leave', () => editor.diagnostics('a.txt').length === 0);
  editor.type('a.txt', 'SEVEN', 'seven');
  await editor.waitFor('the one that was taken back', () => editor.diagnostics('a.txt')[0]?.range.start.line === 6);
  expect(await offered(editor)).toEqual(both(7));
  editor.type('a.txt', 'TWO', 'two');
  await editor.waitFor('both to be back', () => editor.diagnostics('a.txt').length === 2);
});

test('one that had been typed in before the turn ended comes back too', async () => {
  const tasks = new Shouted();
  await using editor = await openEditor({ tasks, files: { 'a.txt': tasks.text } });
  await editor.open(
    'a.txt',
    tasks.text.replace(/two|seven/g, (word) => word.toUpperCase()),
  );
  tasks.add('one', editor.root, 'idle', 'shout');
  tasks.emit('one', { type: 'changesetUpdated', files: 0, additions: 0, deletions: 0 });
  await editor.waitFor('the review', () => tasks.reviewsRead > 0);
  expect(await offered(editor)).toEqual([]);
  editor.type('a.txt', 'TWO', 'two');
  await editor.waitFor('the hunk', () => editor.diagnostics('a.txt').length === 1);
  expect(await offered(editor)).toEqual(both(2));
});

test('what is typed while the first review is made is reviewed without another event', async () => {
  const tasks = new Shouted();
  await using editor = await openEditor({ tasks, files: { 'a.txt': tasks.text } });
  await editor.open('a.txt');
  const gate = Promise.withResolvers<void>();
  tasks.gate = gate.promise;
  tasks.add('one', editor.root, 'idle', 'shout');
  tasks.emit('one', { type: 'changesetUpdated', files: 1, additions: 2, deletions: 2 });
  await editor.waitFor('the begin of a review', () => tasks.reviewsBegun > 0);
  editor.type('a.txt', 'two', 'deux');
  // What was typed has been heard when this is answered.
  expect(await offered(editor)).toEqual([]);
  gate.resolve();
  await editor.waitFor('the conflict', () => /^conflict/.test(String(editor.diagnostics('a.txt')[0]?.message)));
  expect(await offered(editor)).toEqual(['2 reject', ...both(7)]);
});

test('what is typed while the review is made moves what it finds', async () => {
  const { editor, tasks, read } = await inReview();
  await using _ = editor;
  const gate = Promise.withResolvers<void>();
  tasks.gate = gate.promise;
  tasks.emit('one', { type: 'changesetUpdated', files: 1, additions: 2, deletions: 2 });
  await editor.waitFor('the begin of a review', () => tasks.reviewsBegun > read);
  editor.type('a.txt', 'four', 'four\nfour and a half');
  expect(await offered(editor)).toEqual(both(2, 8));
  gate.resolve();
  await editor.waitFor('the review', () => tasks.reviewsRead > read);
  expect(await offered(editor)).toEqual(both(2, 8));
  await editor.waitFor('the next', () => editor.diagnostics('a.txt')[1]?.range.start.line === 7);
});

test.each(['\n', '\r\n', '\r'])('whole texts and several changes at once, with %j', async (end) => {
  const { editor, tasks } = await inReview(end);
  await using _ = editor;
  tasks.gate = Promise.withResolvers<void>().promise;
  const send = (version: number, ...contentChanges: object[]): void =>
    editor.notify('textDocument/didChange', { textDocument: { uri: editor.uri('a.txt'), version }, contentChanges });
  send(2, { text: textOf(end).replace('four', `four${end}and a half`) });
  expect(await offered(editor)).toEqual(both(2, 8));
  const at = (line: number, character: number) => ({ line, character });
  send(
    3,
    { range: { start: at(0, 0), end: at(0, 0) }, text: `zero${end}` },
    // In the text that the one before left: what stands behind four goes.
    { range: { start: at(5, 0), end: at(7, 0) }, text: '' },
  );
  expect(await offered(editor)).toEqual(both(3, 7));
  send(4, { range: { start: at(5, 0), end: at(5, 0) }, text: end });
  expect(await offered(editor)).toEqual(both(3, 8));
  send(5, { range: { start: at(6, 3), end: at(6, 3) }, text: 'th' });
  expect(await offered(editor)).toEqual(both(3));
});

test('deleting across a hunk takes it away at once; the one behind it moves up', async () => {
  const { editor, tasks } = await inReview();
  await using _ = editor;
  tasks.gate = Promise.withResolvers<void>().promise;
  editor.type('a.txt', 'one\ntwo\nthree\nfour\n', '');
  expect(await offered(editor)).toEqual(both(3));
});

test('a document that opens with another text than was reviewed offers nothing until it is', async () => {
  const tasks = new Shouted();
  await using editor = await openEditor({ tasks, files: { 'a.txt': tasks.text } });
  tasks.add('one', editor.root, 'idle', 'shout');
  tasks.emit('one', { type: 'changesetUpdated', files: 1, additions: 2, deletions: 2 });
  await editor.waitFor('the review', () => editor.diagnostics('a.txt').length === 2);
  const gate = Promise.withResolvers<void>();
  tasks.gate = gate.promise;
  await editor.open('a.txt', `zero\n${tasks.text}`);
  expect(await offered(editor)).toEqual([]);
  gate.resolve();
  await editor.waitFor('the hunks', () => editor.diagnostics('a.txt')[0]?.range.start.line === 2);
  expect(await offered(editor)).toEqual(both(3, 8));
});

test('one that opens with the text that was reviewed is not reviewed again', async () => {
  const { editor, tasks, read } = await inReview();
  await using _ = editor;
  editor.type('a.txt', 'one', 'zero\none');
  await editor.waitFor('the review', () => editor.diagnostics('a.txt')[0]?.range.start.line === 2);
  expect(tasks.reviewsRead).toBe(read + 1);
});

test('the hunk is shown in review.diff at its own line', async () => {
  const { editor } = await inReview();
  await using _ = editor;
  await editor.codeAction('Codex: show this hunk', { at: 'a.txt:7' });
  const [shown] = editor.shown;
  const lines = (await editor.disk('.codex/local/one/review.diff')).split('\n');
  const line = shown?.selection?.start.line ?? -1;
  expect(lines.slice(line, line + 5)).toEqual([expect.stringMatching(/^@@ /), ' six', '-seven', '+SEVEN', ' eight']);
});

test.each([
  ['markdown', '“I shout \\*now\\*. Louder.”', '```\nlet a = [-old_name-]{+new_name+};\n```'],
  ['plaintext', '“I shout *now*. Louder.”', '\n\nlet a = [-old_name-]{+new_name+};'],
] as const)('hover in %s quotes the agent and marks the words that changed', async (format, quoted, words) => {
  const tasks = new FakeTasks();
  const text = 'let a = old_name;\n';
  const capabilities = { textDocument: { hover: { contentFormat: [format] } } };
  await using editor = await openEditor({ tasks, files: { 'a.txt': text }, capabilities });
  tasks.add('one', editor.root, 'idle', 'shout');
  const hunk = { line: 0, oldLines: [text], newLines: ['let a = new_name;\n'] };
  tasks.setReview('one', { files: [fileInReview('a.txt', text, [hunk])] });
  tasks.said.set('a.txt', 'I shout *now*.\n\nLouder.');
  tasks.emit('one', { type: 'changesetUpdated', files: 1, additions: 1, deletions: 1 });
  await editor.open('a.txt');
  await editor.waitFor('the review', () => editor.diagnostics('a.txt').length > 0);
  const hover = await hoverAt(editor, 1);
  for (const part of [quoted, words]) expect(hover).toContain(JSON.stringify(part).slice(1, -1));
});
