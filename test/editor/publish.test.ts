import { expect, test } from 'vitest';
import { stepText } from '../../server/editor/activity.ts';
import { applyLine, approvalLine, turnLine } from '../../server/editor/announce.ts';
import { approvalActions } from '../../server/editor/code-actions.ts';
import { firstLine, oneLine } from '../../server/editor/one-line.ts';
import type { Approval, Item } from '../../server/protocol/thread.ts';
import { Refusal } from '../../server/task/refusal.ts';
import { type EditorOptions, openEditor } from '../support/editor.ts';
import { FakeTasks } from '../support/fake-tasks.ts';

const command = (status: 'running' | 'completed'): Item => ({
  id: 'i1',
  type: 'command',
  command: 'npm test',
  cwd: '',
  status,
});

async function running(options: Partial<EditorOptions> = {}) {
  const tasks = new FakeTasks();
  const editor = await openEditor({ tasks, files: { 'a.txt': 'a\n' }, ...options });
  tasks.add('one', editor.root, 'running', 'shout');
  tasks.emit('one', { type: 'threadStarted', title: 'shout', root: editor.uri('') });
  tasks.emit('one', { type: 'turnStarted', prompt: 'shout', model: 'm', mode: 'task' });
  return { editor, tasks };
}

test('events go to the client that asked for them, in order, and only of its workspace', async () => {
  const { editor, tasks } = await running();
  await using _ = editor;
  tasks.add('other', '/elsewhere');
  tasks.emit('other', { type: 'renamed', title: 'x' });
  tasks.emit('one', { type: 'itemDelta', itemId: 'i', delta: 'x' });
  tasks.emit('one', { type: 'turnCompleted', status: 'completed', summary: 'Done.' });
  await editor.message('Done.');
  expect(editor.events.map(({ seq, event }) => [seq, event.type])).toEqual([
    [1, 'threadStarted'],
    [2, 'turnStarted'],
    [undefined, 'itemDelta'],
    [3, 'turnCompleted'],
  ]);
});

test.each<[boolean, Partial<EditorOptions>]>([
  [false, { capabilities: { experimental: { codex: {} } } }],
  [true, { capabilities: {}, initializationOptions: { events: true } }],
])('asked for by the setting: %s', async (asked, options) => {
  const { editor, tasks } = await running(options);
  await using _ = editor;
  tasks.emit('one', { type: 'turnCompleted', status: 'completed', summary: 'Done.' });
  await editor.message('Done.');
  expect(editor.events.length > 0).toBe(asked);
});

test('the answer to runTask comes before the first event of the turn', async () => {
  await using editor = await openEditor({ tasks: new FakeTasks() });
  await editor.runTask('x');
  expect(editor.events).toEqual([]);
  await editor.waitFor('the event', () => editor.events.length === 1);
});

test('a turn without a sandbox is seen as one while it runs and when it ends', async () => {
  const tasks = new FakeTasks();
  await using editor = await openEditor({ tasks, files: { 'a.txt': 'a\n' } });
  tasks.add('one', editor.root, 'running', 'shout');
  tasks.emit('one', { type: 'threadStarted', title: 'shout', root: editor.uri('') });
  tasks.emit('one', { type: 'turnStarted', prompt: 'shout', model: 'm', mode: 'task', unsandboxed: true });
  await editor.waitFor('the begin', () => editor.progress.length > 0);
  expect(editor.progress[0]).toMatchObject({
    token: 'codex (no sandbox): shout',
    value: { kind: 'begin', title: 'Codex (no sandbox): shout' },
  });
  tasks.emit('one', { type: 'turnCompleted', status: 'completed', summary: 'Done.' });
  expect(await editor.message('Done.')).toMatchObject({ text: expect.stringMatching(/^Codex \(no sandbox\): /) });
});

test('progress has a readable token and readable steps, and ends with the turn', async () => {
  const { editor, tasks } = await running();
  await using _ = editor;
  await editor.waitFor('the begin', () => editor.progress.length > 0);
  expect(editor.progress[0]).toEqual({
    token: 'codex: shout',
    value: { kind: 'begin', title: 'Codex: shout', cancellable: true, message: 'thinking' },
  });
  tasks.emit('one', { type: 'itemStarted', item: command('running') });
  tasks.emit('one', { type: 'itemCompleted', item: command('completed') });
  tasks.emit('one', {
    type: 'itemStarted',
    item: { id: 'i2', type: 'patch', files: [{ path: 'src/a.ts', kind: 'modify' }], status: 'completed' },
  });
  tasks.emit('one', {
    type: 'usage',
    usage: { inputTokens: 1, cachedInputTokens: 0, outputTokens: 1, reasoningTokens: 0, requests: 1 },
  });
  tasks.emit('one', { type: 'itemCompleted', item: { id: 'i3', type: 'reasoning', text: 'hm' } });
  tasks.emit('one', {
    type: 'itemCompleted',
    item: { id: 'i4', type: 'plan', steps: [{ step: 'Write tests', status: 'inProgress' }] },
  });
  tasks.emit('one', { type: 'turnCompleted', status: 'completed' });
  await editor.waitFor('the end', () => editor.progress.at(-1)?.value.kind === 'end');
  expect(editor.steps()).toEqual([
    'thinking',
    'running npm test',
    'thinking',
    'editing src/a.ts',
    'thinking (step 2)',
    'Write tests',
    'completed',
  ]);
  editor.messages();
});

test('the seconds of a command are counted while it runs', async () => {
  expect(
    stepText(
      {
        turnId: 'u',
        mode: 'task',
        step: 1,
        doing: 'thinking',
        command: { id: 'i', text: 'npm test', startedMs: 1_000 },
      },
      13_500,
    ),
  ).toBe('running npm test, 12 s');
  const { editor, tasks } = await running();
  await using _ = editor;
  await editor.waitFor('the begin', () => editor.progress.length > 0);
  tasks.emit('one', { type: 'itemStarted', item: command('running') });
  await editor.waitFor('a second', () => editor.steps().some((step) => /^running npm test, \d+ s$/.test(step)));
  tasks.emit('one', { type: 'turnCompleted', status: 'interrupted' });
  await editor.message('was stopped');
});

test('two turns of one title have two tokens, and the cancel button stops the right one', async () => {
  const { editor, tasks } = await running();
  await using _ = editor;
  tasks.add('two', editor.root, 'running', 'shout');
  tasks.emit('two', { type: 'threadStarted', title: 'shout', root: '' });
  tasks.emit('two', { type: 'turnStarted', prompt: 'shout', model: 'm', mode: 'task' });
  await editor.waitFor('both', () => editor.progress.length === 2);
  expect(editor.progress.map(({ token }) => token)).toEqual(['codex: shout', 'codex: shout (2)']);
  editor.notify('window/workDoneProgress/cancel', { token: 'codex: shout (2)' });
  editor.notify('window/workDoneProgress/cancel', { token: 'of somebody else' });
  await editor.request('codex/status', {});
  expect(tasks.cancelled).toEqual(['two']);
});

test('no progress for an editor that does not show any', async () => {
  const { editor, tasks } = await running({ capabilities: { workspace: { applyEdit: true } } });
  await using _ = editor;
  tasks.emit('one', { type: 'turnCompleted', status: 'completed', summary: 'Done.' });
  await editor.message('Done.');
  expect(editor.progress).toEqual([]);
});

test('an answer becomes a document', async () => {
  const tasks = new FakeTasks();
  await using editor = await openEditor({ tasks });
  const { threadId } = await editor.runTask('why?', { mode: 'ask' });
  await editor.waitFor('the turn', () => editor.events.length > 0);
  tasks.emit(threadId, { type: 'turnCompleted', status: 'completed', summary: 'Because.\n\nReally.' });
  await editor.message('answer.md');
  expect(await editor.disk(`.codex/local/${threadId}/answer.md`)).toBe('# why?\n\nBecause.\n\nReally.\n');
  expect(editor.shown).toMatchObject([{ uri: editor.uri(`.codex/local/${threadId}/answer.md`), takeFocus: false }]);
});

test('a file that the server wrote while it was open is named, with how this editor reloads it', async () => {
  const tasks = new FakeTasks();
  await using editor = await openEditor({
    tasks,
    files: { 'a.txt': 'a\n', 'b.txt': 'b\n', 'old.txt': 'o\n' },
    clientInfo: { name: 'helix' },
  });
  await editor.open('a.txt');
  tasks.add('one', editor.root, 'inReview');
  await editor.open('old.txt');
  tasks.apply = async (_, face) => {
    face.wrote?.(editor.root, [
      { path: 'a.txt', isGone: false },
      { path: 'b.txt', isGone: false },
      { path: 'new.txt', isGone: false },
      { path: 'old.txt', isGone: true },
    ]);
    return { applyId: 'a1', applied: ['a.txt', 'b.txt', 'new.txt'], conflicts: [], failed: [] };
  };
  await editor.executeCommand('codex.accept', [{ threadId: 'one' }]);
  expect((await editor.message('applied to')).text).toBe(
    'Codex: applied to a.txt, b.txt, new.txt; a.txt changed on disk: run :reload (or :reload-all); old.txt no longer on disk: close it.',
  );
});

const approval: Approval = {
  approvalId: 'p1',
  threadId: 'one',
  turnId: 'u1',
  kind: 'command',
  title: 'npm i',
  requestedAt: '',
};
const safe = { clientInfo: { name: 'Zed' } };

async function asked(options: Partial<EditorOptions>, approvals: readonly Approval[] = [approval]) {
  const { editor, tasks } = await running({ ...safe, ...options });
  tasks.pending = approvals.map((one) => ({ ...one, root: editor.root }));
  for (const one of approvals) tasks.emit('one', { type: 'approvalRequested', approval: one });
  return { editor, tasks };
}

test('a dialog is asked with the harmless choice first, and answered by its title', async () => {
  const { editor, tasks } = await asked({ dialogs: [{ title: 'Allow once', more: 1 }] });
  await using _ = editor;
  await editor.waitFor('the answer', () => tasks.answered.length === 1);
  expect(editor.dialogs).toEqual([
    {
      type: 2,
      message: 'Codex asks: npm i [p1]',
      actions: [
        { title: 'Decide later' },
        { title: 'Deny' },
        { title: 'Allow once' },
        { title: 'Always in this thread' },
      ],
    },
  ]);
  expect(tasks.answered).toEqual([{ approvalId: 'p1', decision: 'accept', answer: undefined }]);
});

test('a dialog and an action say that there is no sandbox', async () => {
  const { editor, tasks } = await asked({ dialogs: [{ title: 'Deny', more: 1 }] }, [
    { ...approval, unsandboxed: true },
  ]);
  await using _ = editor;
  await editor.waitFor('the answer', () => tasks.answered.length === 1);
  expect(editor.dialogs).toMatchObject([{ message: 'Codex (no sandbox) asks: npm i [p1]' }]);
  expect(approvalActions({ ...approval, unsandboxed: true }).map(({ title }) => title)).toEqual(
    Array(3).fill(expect.stringContaining('npm i (no sandbox)')),
  );
});

test.each([
  [null],
  [{}],
  [[]],
  [true],
  [{ title: 'Decide later' }],
  [{ title: 'Yes' }],
  [{ title: ['Allow once'] }],
  ['Allow once'],
  [{ title: null }],
  [new Error('no dialogs today')],
])('%j is no answer: the approval stays, and the next is asked', async (answer) => {
  const second = { ...approval, approvalId: 'p2' };
  const { editor, tasks } = await asked({ dialogs: [answer, { title: 'Deny' }] }, [approval, second]);
  await using _ = editor;
  await editor.waitFor('the answer', () => tasks.answered.length === 1);
  expect(tasks.answered).toEqual([{ approvalId: 'p2', decision: 'decline', answer: undefined }]);
  expect(tasks.pending).toHaveLength(1);
});

test('a dialog says all of it: every host, the reason, the command', async () => {
  const hosts = Array.from({ length: 10 }, (_, index) => `host-number-${index}.some-company.example`);
  const title = `Open the network to 10 hosts: ${hosts.join(', ')}`;
  const detail = 'For the command: npm i';
  const { editor } = await asked({}, [{ ...approval, kind: 'network', title, hosts, reason: 'to install', detail }]);
  await using _ = editor;
  await editor.waitFor('the dialog', () => editor.dialogs.length === 1);
  expect(editor.dialogs[0]?.message).toBe(`Codex asks: ${title} (to install) · ${detail} [p1]`);
});

test('an answer that comes too late is told so, and is no bug', async () => {
  const { editor, tasks } = await running(safe);
  await using _ = editor;
  tasks.approve = async () => {
    throw new Refusal('alreadySettled', 'This approval was already settled: decline.');
  };
  await using late = await openEditor({ ...safe, tasks, dialogs: [{ title: 'Allow once' }] });
  tasks.add('two', late.root);
  tasks.pending = [{ ...approval, threadId: 'two', root: late.root }];
  tasks.emit('two', { type: 'approvalRequested', approval: { ...approval, threadId: 'two' } });
  expect(await late.message('already settled: decline')).toMatchObject({ severity: 'warning' });
});

test('one dialog at a time; what is settled otherwise is withdrawn, and the next one comes', async () => {
  const second = { ...approval, approvalId: 'p2', title: 'rm x' };
  const { editor, tasks } = await asked({}, [approval, second]);
  await using _ = editor;
  await editor.waitFor('the dialog', () => editor.dialogs.length === 1);
  await editor.request('codex/status', {});
  expect(editor.dialogs).toHaveLength(1);
  await editor.executeCommand('codex.approve', ['p1', 'decline']);
  await editor.waitFor('the next dialog', () => editor.dialogs.length === 2);
  expect(editor.dialogs[1]?.message).toContain('rm x');
  expect(tasks.answered).toHaveLength(1);
});

test.each([['helix'], ['Neovim'], ['Eglot'], ['vim-lsp'], [undefined]])(
  'no dialog in %s, where a key meant for the text can answer',
  async (name) => {
    const { editor } = await asked({ clientInfo: name ? { name } : undefined });
    await using _ = editor;
    await editor.message('Codex asks: npm i');
    await editor.request('codex/status', {});
    expect(editor.dialogs).toEqual([]);
  },
);

test.each<[line: { text: string }, text: string]>([
  [
    turnLine({ type: 'turnCompleted', status: 'completed', summary: '\n\nAdded it.\nMore.' }, 't', {
      files: 2,
      additions: 3,
      deletions: 1,
    }),
    'Codex: 2 files to review (+3 -1). Added it.',
  ],
  [
    turnLine({ type: 'turnCompleted', status: 'completed' }, 't', { files: 0, additions: 0, deletions: 0 }),
    'Codex: No changes. “t” is done.',
  ],
  [turnLine({ type: 'turnCompleted', status: 'completed', summary: 'Hi.' }, 't', undefined), 'Codex: Hi.'],
  [
    turnLine({ type: 'turnCompleted', status: 'completed', summary: 'Hi.' }, 't', undefined, { unsandboxed: true }),
    'Codex (no sandbox): Hi.',
  ],
  [
    turnLine(
      {
        type: 'turnCompleted',
        status: 'completed',
        summary: 'It is said at length what was done, and why it had to be.',
      },
      't',
      { files: 2, additions: 3, deletions: 1 },
      { hint: 'In review.diff: run :reload.' },
    ),
    'Codex: 2 files to review (+3 -1). It is said at length what… In review.diff: run :reload.',
  ],
  [
    turnLine(
      { type: 'turnCompleted', status: 'completed', summary: 'Hi.' },
      't',
      { files: 2, additions: 3, deletions: 1 },
      { hint: 'x'.repeat(80) },
    ),
    `Codex: 2 files to review (+3 -1). ${'x'.repeat(80)}`,
  ],
  [
    turnLine({ type: 'turnCompleted', status: 'interrupted' }, 't', undefined, { unsandboxed: true }),
    'Codex (no sandbox): “t” was stopped.',
  ],
  [
    turnLine(
      { type: 'turnCompleted', status: 'failed', error: { reason: 'noModel', message: 'OPENAI_API_KEY is not set' } },
      't',
      undefined,
    ),
    'Codex: “t” failed: OPENAI_API_KEY is not set',
  ],
  [
    approvalLine({ ...approval, reason: 'to test' }),
    'Codex asks: npm i (to test). Answer by a code action or codex.approve p1.',
  ],
  [
    approvalLine({ ...approval, unsandboxed: true }),
    'Codex (no sandbox) asks: npm i. Answer by a code action or codex.approve p1.',
  ],
  [
    applyLine(
      'applied',
      {
        applyId: 'a',
        applied: ['a', 'b', 'c', 'd'],
        conflicts: [{ path: 'a', hunk: 'h', reason: 'x' }],
        failed: [{ path: 'e', reason: 'unconfirmed' }],
      },
      { changed: [], gone: [], reload: '' },
    ),
    'Codex: applied to a, b and 2 more files; 1 conflict in a; e failed: the editor did not show the change in time.',
  ],
  [
    applyLine(
      'undone',
      { applyId: 'a', applied: ['a'], conflicts: [], failed: [] },
      { changed: [], gone: [], reload: '' },
    ),
    'Codex: undone in a.',
  ],
  [
    applyLine(
      'applied',
      { applyId: 'a', applied: [], conflicts: [], failed: [] },
      { changed: [], gone: [], reload: '' },
    ),
    'Codex: applied to nothing.',
  ],
])('the line %j', (line, text) => {
  expect(line.text).toBe(text);
});

test('one line, without control characters, of bounded length', () => {
  expect(oneLine(' a\r\n\tb\u0007\u2028c  ')).toBe('a b c');
  expect(oneLine('👍'.repeat(10), 4)).toBe('👍👍👍…');
  expect(firstLine('\n  \n x \ny')).toBe('x');
});
