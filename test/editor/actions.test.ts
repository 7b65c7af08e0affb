import { expect, test } from 'vitest';
import type { Approval } from '../../server/protocol/thread.ts';
import { type EditorOptions, openEditor } from '../support/editor.ts';
import { FakeTasks, fileInReview } from '../support/fake-tasks.ts';

const text = 'one\ntwo\nthree\nfour\nfive\n';
const review = {
  files: [
    fileInReview('a.txt', text, [
      { line: 1, oldLines: ['two\n'], newLines: ['TWO\n', 'more\n'] },
      { line: 4, newLines: ['new\n'] },
    ]),
    fileInReview('b.txt', text, [{ line: 0, oldLines: ['one\n'], newLines: [], status: 'conflicting' }]),
  ],
};

async function inReview(options: Partial<EditorOptions> = {}) {
  const tasks = new FakeTasks();
  const editor = await openEditor({ tasks, files: { 'a.txt': text, 'b.txt': text, 'c.txt': text }, ...options });
  tasks.add('one', editor.root, 'inReview', 'shout');
  tasks.setReview('one', review);
  tasks.emit('one', { type: 'changesetUpdated', files: 2, additions: 3, deletions: 1 });
  for (const path of ['a.txt', 'b.txt', 'c.txt']) await editor.open(path);
  await editor.waitFor('the review', () => editor.diagnostics('a.txt').length > 0);
  return { editor, tasks };
}

test('always at least two, whatever kinds are asked for, and never one that runs at a save', async () => {
  await using editor = await openEditor({ tasks: new FakeTasks(), files: { 'a.txt': '// codex: do it\n' } });
  await editor.open('a.txt');
  expect(await editor.titles('a.txt')).toEqual(['Codex: do it', 'Codex: new task…', 'Codex: status']);
  expect(await editor.titles('a.txt:2')).toEqual(['Codex: new task…', 'Codex: status']);
  const only = (...kinds: string[]): Promise<string[]> => editor.titles({ path: 'a.txt', only: kinds });
  expect(await only('quickfix')).toEqual(['Codex: do it', 'Codex: status']);
  expect(await only('refactor')).toHaveLength(2);
  expect(await only('')).toHaveLength(3);
  for (const kind of ['source', 'source.fixAll', 'source.organizeImports', 'refactor.extract'])
    expect(await only(kind)).toEqual([]);
  for (const { title, kind, command, edit } of await editor.codeActions('a.txt')) {
    expect(title).toMatch(/^Codex: /);
    expect(kind).toMatch(/^(quickfix|refactor)$/);
    expect(command?.title).toBe(title);
    expect(edit).toBeUndefined();
  }
});

test('a comment runs as it then stands in the buffer, and the agent finds it taken out', async () => {
  const tasks = new FakeTasks();
  await using editor = await openEditor({ tasks, files: { 'src/a.ts': 'let a;\n// codex: rename a\nlet b;\n' } });
  await editor.open('src/a.ts');
  const [action] = await editor.codeActions('src/a.ts:2');
  editor.type('src/a.ts', 'rename a', 'rename b');
  await editor.executeCommand(action?.command?.command ?? '', action?.command?.arguments);
  expect(tasks.started[0]).toMatchObject({
    prompt: 'rename b',
    root: editor.root,
    seeds: [{ path: 'src/a.ts', base: 'let a;\n// codex: rename b\nlet b;\n', text: 'let a;\nlet b;\n' }],
    attachments: [{ path: 'src/a.ts', lines: { start: 1, end: 2 } }],
    origin: { path: 'src/a.ts', line: 1 },
  });
  editor.type('src/a.ts', '// codex: rename b', '');
  await expect(editor.executeCommand(action?.command?.command ?? '', action?.command?.arguments)).rejects.toMatchObject(
    { data: { reason: 'stale' } },
  );
  editor.messages();
});

test('a document without a file is attached without the comment that is the task', async () => {
  const tasks = new FakeTasks();
  await using editor = await openEditor({ tasks });
  const uri = 'untitled:Untitled-1';
  const text = 'let a;\n// codex: rename a\nlet b;\n';
  editor.notify('textDocument/didOpen', { textDocument: { uri, languageId: 'typescript', version: 1, text } });
  await editor.codeAction('Codex: rename a', { at: { path: uri, range: rangeOf(1) } });
  expect(tasks.started[0]).toMatchObject({
    prompt: 'rename a',
    seeds: [],
    attachments: [{ path: uri, lines: { start: 1, end: 2 }, selection: 'let a;\nlet b;\n', unsaved: true }],
  });
});

const rangeOf = (line: number) => ({ start: { line, character: 0 }, end: { line, character: 0 } });

test('a comment with another marker, by the settings', async () => {
  await using editor = await openEditor({
    tasks: new FakeTasks(),
    files: { 'a.py': '# AI! do it\n' },
    configuration: { markers: ['AI!'] },
  });
  await editor.open('a.py');
  await editor.waitFor('the settings', async () => (await editor.titles('a.py')).includes('Codex: do it'));
});

test('a selection becomes a task, a question, tests, documentation', async () => {
  const tasks = new FakeTasks();
  await using editor = await openEditor({ tasks, files: { 'a.txt': text } });
  await editor.open('a.txt');
  expect(await editor.titles('a.txt:2-3')).toEqual([
    'Codex: new task about the selection…',
    'Codex: explain the selection',
    'Codex: write tests for the selection',
    'Codex: document the selection',
    'Codex: new task…',
    'Codex: status',
  ]);
  const range = { start: { line: 0, character: 0 }, end: { line: 0, character: 1 } };
  expect(await editor.titles({ path: 'a.txt', range })).toHaveLength(2);
  await editor.codeAction('Codex: explain', { at: 'a.txt:2-3' });
  expect(tasks.started[0]).toMatchObject({ mode: 'ask', attachments: [{ path: 'a.txt', selection: 'two\nthree\n' }] });
  await editor.codeAction('Codex: new task about', { at: 'a.txt:2-3' });
  const shown = await editor.waitFor('the document', () => editor.shown.at(-1));
  expect(await editor.disk(decodeURIComponent(shown.uri.slice(editor.uri('').length + 1)))).toContain(
    'about: a.txt:2-3\n',
  );
  editor.messages();
});

test('a diagnostic of another server can be fixed; our own can not', async () => {
  const tasks = new FakeTasks();
  await using editor = await openEditor({ tasks, files: { 'a.txt': text } });
  await editor.open('a.txt');
  const range = { start: { line: 1, character: 0 }, end: { line: 1, character: 3 } };
  const wrong = { range, message: 'wrong\nin detail', severity: 2 as const, source: 'tsc', data: { x: 1 } };
  const diagnostics = [wrong, { range, message: '+1 -1 x', source: 'codex' }];
  const actions = await editor.codeActions({ path: 'a.txt', range, diagnostics });
  const fixes = actions.filter(({ title }) => title.startsWith('Codex: fix'));
  expect(fixes).toMatchObject([{ title: 'Codex: fix: wrong', diagnostics: [wrong] }]);
  await editor.executeCommand(fixes[0]?.command?.command ?? '', fixes[0]?.command?.arguments);
  expect(tasks.started[0]).toMatchObject({
    prompt: expect.stringContaining('line 2 (tsc): wrong'),
    attachments: [
      { path: 'a.txt', diagnostics: [{ line: 1, severity: 'warning', message: 'wrong\nin detail', source: 'tsc' }] },
    ],
  });
});

const reviewTitles = (titles: readonly string[]): string[] => titles.filter((title) => /accept|reject/.test(title));
const ofFile = [
  'Codex: accept all changes in this file',
  'Codex: reject all changes in this file',
  'Codex: accept all changes',
  'Codex: reject all changes',
];
const ofHunk = ['Codex: accept this hunk', 'Codex: reject this hunk'];

test.each<[at: string, titles: string[]]>([
  ['a.txt:1', ofFile],
  ['a.txt:2', [...ofHunk, ...ofFile]],
  ['a.txt:3', ofFile],
  ['a.txt:4', [...ofHunk, ...ofFile]],
  ['a.txt:5', [...ofHunk, ...ofFile]],
  ['a.txt:1-4', ['Codex: accept these 2 hunks', 'Codex: reject these 2 hunks', ...ofFile]],
  ['b.txt:1', ['Codex: reject this hunk', 'Codex: accept all changes', 'Codex: reject all changes']],
  ['c.txt:1', []],
])('what can be decided at %s', async (at, titles) => {
  const { editor } = await inReview();
  await using _ = editor;
  const all = await editor.titles(at);
  expect(reviewTitles(all)).toEqual(titles);
  expect(all).toContain('Codex: open review');
});

test('the title of one hunk says so, and holds no word of a larger one', () => {
  for (const title of ofHunk) expect(title.slice('Codex: '.length)).not.toMatch(/\b(all|file|task)\b/);
});

test('the actions decide exactly what they say', async () => {
  const { editor, tasks } = await inReview();
  await using _ = editor;
  await editor.codeAction('Codex: accept this hunk', { at: 'a.txt:2' });
  await editor.codeAction('Codex: accept all changes in this file', { at: 'a.txt:1' });
  await editor.codeAction('Codex: accept all changes', { at: 'a.txt:1' });
  await editor.codeAction('Codex: reject this hunk', { at: 'a.txt:5' });
  expect(tasks.accepted.map(({ selection }) => selection)).toEqual([
    { hunks: ['h1'], files: undefined },
    { hunks: undefined, files: ['a.txt'] },
    { hunks: undefined, files: undefined },
  ]);
  expect(tasks.rejected).toMatchObject([{ threadId: 'one', selection: { hunks: ['h2'] } }]);
});

test('the same in review.diff, by the lines around the cursor', async () => {
  const { editor, tasks } = await inReview();
  await using _ = editor;
  await editor.codeAction('Codex: open review', { at: 'c.txt:1' });
  const path = '.codex/local/one/review.diff';
  await editor.open(path);
  const lines = (await editor.text(path)).split('\n');
  const at = `${path}:${lines.indexOf('+TWO') + 1}`;
  const titles = await editor.titles(at);
  expect(titles.slice(0, 6)).toEqual([...ofHunk, ...ofFile]);
  await editor.codeAction('Codex: accept this hunk', { at });
  expect(tasks.accepted[0]?.selection).toEqual({ hunks: ['h1'], files: undefined });
  expect(reviewTitles(await editor.titles(`${path}:1`))).toEqual(ofFile.slice(2));
});

test('a request reads nothing: the review is read when something changed, and typing moves its hunks', async () => {
  const { editor, tasks } = await inReview();
  await using _ = editor;
  const before = tasks.reviewsRead;
  for (let count = 0; count < 20; count++) await editor.codeActions('a.txt:2');
  expect(tasks.reviewsRead).toBe(before);
  editor.type('c.txt', 'one', 'uno');
  await editor.codeActions('a.txt:2');
  tasks.setReview('one', {
    files: [fileInReview('a.txt', text, [{ line: 2, oldLines: ['two\n'], newLines: ['TWO\n'] }])],
  });
  for (const word of ['zero\none', 'null\none', 'nil\none']) editor.type('a.txt', 'one', word);
  await editor.waitFor('the moved hunk', () => editor.diagnostics('a.txt')[0]?.range.start.line === 2);
  expect(tasks.reviewsRead).toBe(before + 1);
  expect(reviewTitles(await editor.titles('a.txt:3'))).toEqual([...ofHunk, ...ofFile]);
});

test('a running task can be cancelled, and its hunks not be decided meanwhile', async () => {
  const { editor, tasks } = await inReview();
  await using _ = editor;
  tasks.emit('one', { type: 'turnStarted', prompt: 'again', model: 'm', mode: 'task' });
  await editor.waitFor('the end of the review', () => editor.diagnostics('a.txt').length === 0);
  const titles = await editor.titles('a.txt:2');
  expect(reviewTitles(titles)).toEqual([]);
  expect(titles).toContainEqual(expect.stringMatching(/^Codex: cancel: (shout|again)$/));
  await editor.codeAction('Codex: cancel', { at: 'a.txt:2' });
  expect(tasks.cancelled).toEqual(['one']);
  tasks.emit('one', { type: 'turnCompleted', status: 'interrupted' });
  await editor.waitFor('the review', () => editor.diagnostics('a.txt').length > 0);
  expect(await editor.titles('a.txt:2')).not.toContain('Codex: cancel: again');
});

const approval = (kind: Approval['kind'], more: Partial<Approval> = {}): Approval => ({
  approvalId: `p-${kind}`,
  threadId: 'one',
  turnId: 'u1',
  kind,
  title: 'npm install',
  requestedAt: '',
  ...more,
});

test('a pending approval is answered by an action, and is a warning where the task began', async () => {
  const { editor, tasks } = await inReview();
  await using _ = editor;
  tasks.emit('one', { type: 'turnStarted', prompt: 'x', model: 'm', mode: 'task', origin: { path: 'c.txt', line: 2 } });
  const ask = (asked: Approval): void => {
    tasks.pending.push({ ...asked, root: editor.root });
    tasks.emit('one', { type: 'approvalRequested', approval: asked });
  };
  ask(approval('command', { reason: 'it is needed' }));
  const [warning] = await editor.waitFor(
    'the warning',
    () => editor.diagnostics('c.txt').length > 0 && editor.diagnostics('c.txt'),
  );
  expect(warning).toMatchObject({ severity: 2, source: 'codex', code: 'p-command', range: { start: { line: 2 } } });
  expect(await editor.message('Codex asks: npm install')).toMatchObject({ severity: 'warning' });
  const titles = await editor.titles('a.txt:1');
  expect(titles.slice(0, 3)).toEqual([
    'Codex: allow once: npm install',
    'Codex: allow for this thread: npm install',
    'Codex: deny: npm install',
  ]);
  await editor.codeAction('Codex: allow for this thread', { at: 'a.txt:1' });
  await editor.waitFor('the end of the warning', () => editor.diagnostics('c.txt').length === 0);
  ask(approval('question', { title: 'which?', choices: ['left', 'right'] }));
  ask(approval('changes'));
  await editor.codeAction('Codex: answer “right”', { at: 'a.txt:1' });
  expect(tasks.answered).toEqual([
    { approvalId: 'p-command', decision: 'acceptForThread', answer: undefined },
    { approvalId: 'p-question', decision: 'accept', answer: 'right' },
  ]);
});

test('what is asked for is seen whole and undisguised: in the warning, in the actions, in the listing', async () => {
  const { editor, tasks } = await inReview();
  await using _ = editor;
  tasks.emit('one', { type: 'turnStarted', prompt: 'x', model: 'm', mode: 'task', origin: { path: 'c.txt', line: 2 } });
  const hosts = Array.from({ length: 10 }, (_, index) => `host-number-${index}.some-company.example`);
  const asked = approval('network', {
    title: `Open the network to 10 hosts: ${hosts.join(', ')}`,
    detail: 'For the command: npm \u202ei',
    reason: 'be\u2066cause',
    hosts,
  });
  tasks.pending.push({ ...asked, root: editor.root });
  tasks.emit('one', { type: 'approvalRequested', approval: asked });
  const [warning] = await editor.waitFor(
    'the warning',
    () => editor.diagnostics('c.txt').length > 0 && editor.diagnostics('c.txt'),
  );
  const hidden = /[\u202a-\u202e\u2066-\u2069]/;
  for (const host of hosts) expect(warning?.message).toContain(host);
  expect(warning?.message).toContain('For the command: npm \ufffdi. Answer with a code action.');
  expect(warning?.message).not.toMatch(hidden);
  const titles = await editor.titles('a.txt:1');
  expect(titles[0]).toMatch(/^Codex: allow once: Open the network to 10 hosts: .*…$/);
  expect(titles.join()).not.toMatch(hidden);
  expect((await editor.message('Codex asks')).text).not.toMatch(hidden);
  expect((await editor.request('codex/approvals', {})).approvals).toMatchObject([{ hosts }]);
});

test('hover shows the diff of a hunk, lenses its decisions', async () => {
  const { editor } = await inReview();
  await using _ = editor;
  const at = (line: number) => ({ textDocument: { uri: editor.uri('a.txt') }, position: { line, character: 0 } });
  const hover = JSON.stringify(await editor.request('textDocument/hover', at(1)));
  expect(hover).toContain(JSON.stringify('```diff\n-two\n+TWO\n+more\n```').slice(1, -1));
  expect(await editor.request('textDocument/hover', at(0))).toBeNull();
  const lenses = await editor.request('textDocument/codeLens', at(0));
  expect(lenses).toMatchObject([
    {
      range: { start: { line: 1 } },
      command: { command: 'codex.accept', arguments: [{ threadId: 'one', hunks: ['h1'] }] },
    },
    { command: { command: 'codex.reject' } },
    { range: { start: { line: 4 } } },
    {},
  ]);
});

test('the diagnostics say what changes, also in files that are not open, and can be turned off', async () => {
  const { editor, tasks } = await inReview();
  await using _ = editor;
  expect(editor.diagnostics('a.txt')).toEqual([
    {
      range: { start: { line: 1, character: 0 }, end: { line: 1, character: 1 } },
      severity: 3,
      source: 'codex',
      code: 'h1',
      message: '+2 -1 TWO',
    },
    expect.objectContaining({
      message: '+1 -0 new',
      range: { start: { line: 3, character: 0 }, end: { line: 3, character: 1 } },
    }),
  ]);
  await editor.waitFor('the other file', () => editor.diagnostics('b.txt').length > 0);
  expect(editor.diagnostics('b.txt')).toMatchObject([{ message: 'conflict with your text: +0 -1 one' }]);
  tasks.setReview('one', {
    files: [fileInReview('closed.txt', text, [{ line: 0, oldLines: ['one\n'], newLines: ['ONE\n'] }])],
  });
  tasks.emit('one', { type: 'hunksDecided', hunks: [] });
  await editor.waitFor('the other file', () => editor.diagnostics('closed.txt').length === 1);
  await editor.waitFor('the settled file', () => editor.diagnostics('a.txt').length === 0);
  const quiet = await inReviewQuietly();
  expect(quiet).toEqual([]);
});

async function inReviewQuietly(): Promise<unknown[]> {
  const tasks = new FakeTasks();
  await using editor = await openEditor({
    tasks,
    files: { 'a.txt': text },
    initializationOptions: { reviewDiagnostics: false },
  });
  tasks.add('one', editor.root, 'inReview');
  tasks.setReview('one', review);
  tasks.emit('one', { type: 'changesetUpdated', files: 2, additions: 3, deletions: 1 });
  await editor.waitFor('the review', async () => (await editor.titles('a.txt:2')).includes('Codex: accept this hunk'));
  return editor.diagnostics('a.txt');
}

test('what an earlier process left in review is there at the start', async () => {
  const { editor, tasks } = await inReview();
  await using _ = editor;
  await using later = await openEditor({ tasks, place: { root: editor.root, stateFolder: editor.stateFolder } });
  await later.waitFor('the review', () => later.diagnostics('a.txt').length === 2);
});
