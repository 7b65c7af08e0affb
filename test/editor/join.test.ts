/** An editor that comes while a turn runs shows it as the one that has seen it begin. */
import { expect, test } from 'vitest';
import type { Approval, EventEnvelope } from '../../server/protocol/thread.ts';
import { type EditorOptions, openEditor } from '../support/editor.ts';
import { FakeTasks } from '../support/fake-tasks.ts';

const question: Approval = {
  approvalId: 'p1',
  threadId: 'one',
  turnId: 'u1',
  kind: 'question',
  title: 'Which colour?',
  choices: ['red', 'green'],
  requestedAt: '',
};

/** One editor, and a turn that it sees begin, from `a.txt:2`. */
async function begun() {
  const tasks = new FakeTasks();
  const { list } = tasks;
  const looked = Promise.withResolvers<void>();
  tasks.list = (query) => list(query).finally(looked.resolve);
  const editor = await openEditor({ tasks, files: { 'a.txt': 'a\nb\n' } });
  // There was nothing yet.
  await looked.promise;
  tasks.add('one', editor.root, 'running', 'paint');
  tasks.emit('one', { type: 'threadStarted', title: 'paint', root: editor.uri('') });
  tasks.emit('one', {
    type: 'turnStarted',
    prompt: 'paint',
    model: 'm',
    mode: 'task',
    origin: { path: 'a.txt', line: 1 },
  });
  const join = (options: Partial<EditorOptions> = {}) => openEditor({ tasks, place: editor, ...options });
  const command = (status: 'running' | 'completed') =>
    tasks.emit('one', {
      type: status === 'running' ? 'itemStarted' : 'itemCompleted',
      item: { id: 'i1', type: 'command', command: 'npm test', cwd: '', status },
    });
  const ask = () => {
    tasks.setStatus('one', 'waitingForApproval');
    tasks.pending = [{ ...question, root: editor.root }];
    tasks.emit('one', { type: 'approvalRequested', approval: question });
  };
  return { editor, tasks, join, command, ask };
}

test('its progress begins with the step that runs, goes on with the turn, and cancels it', async () => {
  const { editor, tasks, join, command } = await begun();
  await using _ = editor;
  command('running');
  await using late = await join();
  await late.waitFor('the step', () => late.steps().some((step) => /^running npm test, \d+ s$/.test(step)));
  expect(late.progress[0]).toMatchObject({ token: 'codex: paint', value: { kind: 'begin', title: 'Codex: paint' } });
  expect(await late.titles('a.txt:1')).toContain('Codex: cancel: paint');
  late.notify('window/workDoneProgress/cancel', { token: 'codex: paint' });
  await late.request('codex/status', {});
  expect(tasks.cancelled).toEqual(['one']);
  command('completed');
  tasks.emit('one', { type: 'turnCompleted', status: 'completed', summary: 'Done.' });
  await late.waitFor('the end', () => late.progress.at(-1)?.value.kind === 'end');
  expect(late.steps().slice(-2)).toEqual(['thinking', 'completed']);
  await editor.message('Done.');
});

test('a question that waits is said once, marked where the task began, and goes when another editor answers it', async () => {
  const { editor, tasks, join, ask } = await begun();
  await using _ = editor;
  ask();
  await using late = await join({ clientInfo: { name: 'Neovim' } });
  await late.waitFor('the mark', () => late.diagnostics('a.txt').length === 1);
  expect(late.diagnostics('a.txt')).toMatchObject([
    { range: { start: { line: 1 } }, code: 'p1', message: expect.stringContaining('Which colour?') },
  ]);
  expect(late.messages().filter(({ text }) => text.includes('Which colour?'))).toHaveLength(1);
  expect(late.dialogs).toEqual([]);
  await editor.codeAction('Codex: answer “green”', { at: 'a.txt:1' });
  expect(tasks.answered).toMatchObject([{ approvalId: 'p1', decision: 'accept', answer: 'green' }]);
  await late.waitFor('no mark', () => late.diagnostics('a.txt').length === 0);
  expect(await late.titles('a.txt:1')).not.toContainEqual(expect.stringContaining('colour'));
});

test('where the editor has safe dialogs it is asked in one, which goes when another editor answers', async () => {
  const { editor, join, ask } = await begun();
  await using _ = editor;
  ask();
  await using late = await join({ clientInfo: { name: 'Zed' } });
  await late.waitFor('the dialog', () => late.dialogs.length === 1);
  expect(late.dialogs[0]?.message).toContain('Which colour?');
  await editor.executeCommand('codex.approve', [{ approvalId: 'p1', decision: 'decline' }]);
  await late.waitFor('its end', () => late.withdrawn === 1);
});

test('what happens while the past is read is neither lost nor shown twice', async () => {
  const { editor, tasks, join, command, ask } = await begun();
  await using _ = editor;
  const read = tasks.thread.bind(tasks);
  let reads = 0;
  tasks.thread = async (...args) => {
    const past = await read(...args);
    reads += 1;
    // After the journal was read, and before it is shown.
    command('running');
    command('completed');
    ask();
    return past;
  };
  await using late = await join();
  await late.waitFor('the step', () => late.steps().includes('waiting for your answer: Which colour?'));
  expect(reads).toBe(1);
  expect(late.messages().filter(({ text }) => text.includes('Which colour?'))).toHaveLength(1);
  expect(late.progress.filter(({ value }) => value.kind === 'begin')).toHaveLength(1);
});

test('a turn that ends while its past is read leaves no progress behind', async () => {
  const { editor, tasks, join } = await begun();
  await using _ = editor;
  const read = tasks.thread.bind(tasks);
  tasks.thread = async (...args) => {
    const past = await read(...args);
    tasks.emit('one', { type: 'turnCompleted', status: 'completed', summary: 'Done.' });
    return past;
  };
  await using late = await join();
  await late.message('Done.');
  await late.request('codex/status', {});
  expect(late.progress).toEqual([]);
  await editor.message('Done.');
});

test('of the turn of another process nothing begins that nobody would end', async () => {
  const { editor, tasks, join } = await begun();
  await using _ = editor;
  tasks.runs = () => false;
  await using late = await join();
  await late.request('codex/threads', {});
  await late.executeCommand('codex.status');
  expect(late.progress).toEqual([]);
});

test('an editor on another folder hears nothing of it, and one on both folders all', async () => {
  const { editor, tasks, join } = await begun();
  await using _ = editor;
  await using other = await openEditor({ tasks, files: { 'b.txt': 'b\n' } });
  await using both = await join({ folders: [editor.root, other.root] });
  await both.waitFor('the begin', () => both.progress.length > 0);
  tasks.add('two', other.root, 'running', 'mend');
  tasks.emit('two', { type: 'turnStarted', prompt: 'mend', model: 'm', mode: 'task' }, 'u2');
  await other.waitFor('its own', () => other.progress.length === 1);
  await both.waitFor('the other', () => both.progress.some(({ token }) => token === 'codex: mend'));
  const threads = (events: readonly EventEnvelope[]) => new Set(events.map(({ threadId }) => threadId));
  expect(other.progress.map(({ token }) => token)).toEqual(['codex: mend']);
  expect(threads(other.events)).toEqual(new Set(['two']));
  expect(threads(editor.events)).toEqual(new Set(['one']));
});
