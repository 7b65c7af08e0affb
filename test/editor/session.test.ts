import { mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { commandNames } from '../../server/editor/commands.ts';
import { commandOf, methods } from '../../server/protocol/methods.ts';
import type { Grant } from '../../server/protocol/thread.ts';
import { openEditor } from '../support/editor.ts';
import { FakeTasks, fileInReview } from '../support/fake-tasks.ts';

test('initialize answers what the contract says', async () => {
  await using editor = await openEditor({ tasks: new FakeTasks() });
  expect(editor.initialized).toMatchObject({
    serverInfo: { name: 'codex-lsp', version: '0.0.0-test' },
    capabilities: {
      positionEncoding: 'utf-16',
      textDocumentSync: { openClose: true, change: 2, save: true },
      codeActionProvider: { resolveProvider: true },
      hoverProvider: true,
      codeLensProvider: {},
      workspace: { workspaceFolders: { supported: true, changeNotifications: true } },
      experimental: { codex: { version: 1 } },
    },
  });
  const commands = editor.initialized?.capabilities.executeCommandProvider?.commands ?? [];
  expect(commands).toEqual(commandNames);
  const twins = Object.keys(methods).map((method) => method.replace('/', '.'));
  expect(twins.filter((twin) => !commands.includes(twin))).toEqual([]);
  expect(commands.every((command) => command.startsWith('codex.'))).toBe(true);
  expect(commandOf('codex/runTask')).toBe('codex.runTask');
});

test('a task is told of the document, the selection, its unsaved text and the files', async () => {
  const tasks = new FakeTasks();
  await using editor = await openEditor({
    tasks,
    files: { 'a.txt': 'one\ntwo\nthree\n', 'b c.txt': '' },
    environment: { KEY: 'k' },
  });
  await editor.open('a.txt');
  editor.type('a.txt', 'two', 'deux');
  const range = { start: { line: 1, character: 0 }, end: { line: 2, character: 0 } };
  const task = await editor.runTask('do it', {
    textDocument: { uri: editor.uri('a.txt') },
    range,
    files: [editor.uri('b c.txt')],
    effort: 'low',
  });
  expect(task).toMatchObject({ threadId: 't1', turnId: 'u1' });
  const [request] = tasks.started;
  expect(request).toMatchObject({
    root: editor.root,
    prompt: 'do it',
    mode: 'task',
    effort: 'low',
    attachments: [
      { path: 'a.txt', lines: { start: 1, end: 2 }, selection: 'deux\n', unsaved: true },
      { path: 'b c.txt' },
    ],
    seeds: [],
    origin: { path: 'a.txt', line: 1 },
    environment: { KEY: 'k' },
  });
  expect(request?.documents.under(editor.root)).toEqual(
    new Map([['a.txt', { version: 2, text: 'one\ndeux\nthree\n' }]]),
  );
});

test('a file to attach must be there, on disk or in a buffer, and is attached once', async () => {
  const tasks = new FakeTasks();
  await using editor = await openEditor({
    tasks,
    files: { 'a.txt': 'a\n', 'b.txt': 'b\n' },
    unsaved: { 'new.txt': 'n' },
  });
  const attached = async (files: string[], params = {}): Promise<string[]> => {
    await editor.runTask('x', { files, ...params });
    return (tasks.started.at(-1)?.attachments ?? []).map(({ path }) => path);
  };
  expect(await attached(['b.txt', './b.txt', 'new.txt', editor.uri('b.txt')])).toEqual(['b.txt', 'new.txt']);
  const textDocument = { uri: editor.uri('a.txt') };
  expect(await attached(['a.txt', 'b.txt'], { textDocument })).toEqual(['a.txt', 'b.txt']);
  await expect(attached(['b.txt', 'missing.py'])).rejects.toMatchObject({
    code: -32602,
    message: `files[1]: there is no missing.py in ${editor.root}.`,
  });
  expect(tasks.started).toHaveLength(2);
});

test.each<[form: string, args: unknown[] | undefined, prompt: string]>([
  ['params', [{ prompt: 'do it' }], 'do it'],
  ['one text', ['do it'], 'do it'],
  ['many words', ['do', 'it', 'now'], 'do it now'],
])('the command twin takes %s', async (_, args, prompt) => {
  const tasks = new FakeTasks();
  await using editor = await openEditor({ tasks });
  await expect(editor.executeCommand('codex.runTask', args)).resolves.toEqual({ threadId: 't1', turnId: 'u1' });
  expect(tasks.started.map((request) => request.prompt)).toEqual([prompt]);
});

test.each([[undefined], [[]], [['']], [[null]], [[{}]]])(
  'codex.runTask with %j opens a task document',
  async (args) => {
    await using editor = await openEditor({ tasks: new FakeTasks() });
    const answer = await editor.executeCommand('codex.runTask', args);
    expect(answer).toEqual({ uri: expect.stringMatching(/^file:.*\/\.codex\/local\/task-[^/]*\.md$/) });
    expect(await editor.waitFor('the document', () => editor.shown[0])).toMatchObject(Object(answer));
    await editor.message('.codex/local/task-');
  },
);

test('the approval twin takes an id and a decision as two words', async () => {
  const tasks = new FakeTasks();
  await using editor = await openEditor({ tasks });
  tasks.add('t1', editor.root);
  tasks.pending = [
    {
      approvalId: 'p1',
      threadId: 't1',
      turnId: 'u1',
      kind: 'command',
      title: 'npm i',
      requestedAt: '',
      root: editor.root,
    },
  ];
  await editor.executeCommand('codex.approve', ['p1', 'decline']);
  expect(tasks.answered).toEqual([{ approvalId: 'p1', decision: 'decline', answer: undefined }]);
});

const grants: Grant[] = [
  { grantId: 'ga1', threadId: 't1', kind: 'command', command: 'make \u202eall', cwd: 'sub', at: '' },
  { grantId: 'ga2', threadId: 't1', kind: 'network', hosts: ['a.example', '*.b.example'], at: '' },
  { grantId: 'ga3', threadId: 't2', kind: 'read', paths: ['/opt/x'], at: '' },
];

test('grants are listed by thread, said in one line by the twin, and taken back once', async () => {
  const tasks = new FakeTasks();
  await using editor = await openEditor({ tasks });
  for (const threadId of ['t1', 't2']) tasks.add(threadId, editor.root);
  tasks.given = [...grants];
  const of = async (params: { threadId?: string }) =>
    (await editor.request('codex/grants', params)).grants.map(({ grantId }) => grantId);
  expect(await of({ threadId: 't1' })).toEqual(['ga1', 'ga2']);
  expect(await of({ threadId: 't2' })).toEqual(['ga3']);
  // No thread is meant: all there are.
  expect(await of({})).toEqual(['ga1', 'ga2', 'ga3']);
  expect(await editor.executeCommand('codex.grants', ['t1'])).toEqual({ grants: grants.slice(0, 2) });
  expect((await editor.message('allowed')).text).toBe(
    'Codex: allowed, until codex.revoke takes it back: command make \ufffdall (in sub) [ga1]; network a.example, *.b.example [ga2]',
  );
  expect(await editor.executeCommand('codex.revoke', ['ga1'])).toEqual({});
  expect(await editor.request('codex/revoke', { grantId: 'ga2' })).toEqual({});
  for (const grantId of ['ga1', 'ga2', 'nope']) {
    await expect(editor.request('codex/revoke', { grantId })).rejects.toMatchObject({
      code: -32803,
      message: expect.stringContaining(grantId),
      data: { reason: 'unknownGrant' },
    });
  }
  await editor.executeCommand('codex.grants', ['t1']);
  await editor.message('nothing is allowed');
});

test.each<[answer: string, params: unknown, holding: string]>([
  ['an unknown decision', { approvalId: 'p1', decision: 'yes' }, 'decision'],
  ['a decision of the wrong type', { approvalId: 'p1', decision: true }, 'decision'],
  ['null', { approvalId: 'p1', decision: null }, 'decision'],
  ['withdrawn, which is nobody’s answer', { approvalId: 'p1', decision: 'withdrawn' }, 'decision'],
  ['none', { approvalId: 'p1' }, 'decision'],
  ['no approval', { decision: 'accept' }, 'approvalId'],
  ['an empty object', {}, 'approvalId'],
  ['nothing', null, 'approvalId'],
  ['a text', 'accept', 'codex/approve'],
])(
  'an answer that is none leaves an approval pending, and is an error to whoever gave it: %s',
  async (_, params, holding) => {
    const tasks = new FakeTasks();
    await using editor = await openEditor({ tasks });
    tasks.add('t1', editor.root);
    const approval = {
      approvalId: 'p1',
      threadId: 't1',
      turnId: 'u1',
      kind: 'command',
      title: 'x',
      requestedAt: '',
    } as const;
    tasks.pending = [{ ...approval, root: editor.root }];
    const refused = { code: -32602, message: expect.stringContaining(holding) };
    await expect(editor.request('codex/approve', params)).rejects.toMatchObject(refused);
    const twin = editor.executeCommand('codex.approve', [params]);
    await expect(twin).rejects.toMatchObject({ code: -32602 });
    expect((await editor.request('codex/approvals', {})).approvals).toEqual([approval]);
    expect(tasks.answered).toEqual([]);
    editor.messages();
  },
);

test.each<[what: string, method: string, params: unknown, code: number, holding: string]>([
  ['a field of the wrong type', 'codex/runTask', { prompt: 5 }, -32602, 'prompt'],
  [
    'a field inside',
    'codex/runTask',
    { range: { start: { line: -1, character: 0 }, end: {} } },
    -32602,
    'range.start.line',
  ],
  ['a member of a list', 'codex/accept', { hunks: ['h1', 7] }, -32602, 'hunks[1]'],
  ['a missing field', 'codex/approve', { approvalId: 'x' }, -32602, 'decision'],
  ['no object', 'codex/thread', 'text', -32602, 'codex/thread'],
  ['an empty prompt', 'codex/runTask', { prompt: '   ' }, -32602, 'prompt'],
  ['a file outside', 'codex/runTask', { prompt: 'x', files: ['../x'] }, -32602, 'files[0]'],
  ['a command that is not there', 'workspace/executeCommand', { command: 'codex.nope' }, -32602, 'codex.nope'],
  [
    'text where there is none to take',
    'workspace/executeCommand',
    { command: 'codex.status', arguments: ['x'] },
    -32602,
    'codex.status',
  ],
  ['a method that is not there', 'codex/nope', {}, -32601, 'codex/nope'],
  ['a thread that is not there', 'codex/thread', { threadId: 'x' }, -32803, 'x'],
])('%s is an error that a person can act on', async (_, method, params, code, holding) => {
  await using editor = await openEditor({ tasks: new FakeTasks() });
  await expect(editor.request(method, params)).rejects.toMatchObject({
    code,
    message: expect.stringContaining(holding),
  });
  editor.messages();
  await expect(editor.request('codex/status')).resolves.toMatchObject({ threads: [] });
});

test('a refusal carries its reason, and of a command is also said as one line', async () => {
  await using editor = await openEditor({ tasks: new FakeTasks() });
  const refusal = { code: -32803, data: { reason: 'unknownThread' } };
  await expect(editor.request('codex/changeset', {})).rejects.toMatchObject(refusal);
  expect(editor.messages()).toEqual([]);
  await expect(editor.executeCommand('codex.accept')).rejects.toMatchObject(refusal);
  expect(await editor.message('Codex: No task')).toMatchObject({ severity: 'error' });
});

test('a bug in a handler is an internal error, is logged, and the server lives on', async () => {
  const tasks = new FakeTasks();
  await using editor = await openEditor({ tasks });
  tasks.startError = new TypeError('boom');
  await expect(editor.runTask('x')).rejects.toMatchObject({
    code: -32603,
    message: expect.stringContaining('codex/runTask'),
  });
  expect(editor.log.splice(0)).toEqual([expect.stringContaining('boom')]);
  tasks.startError = undefined;
  await editor.runTask('x');
});

test('the default thread: the last started, else the only one with something pending, else it is ambiguous', async () => {
  const tasks = new FakeTasks();
  await using editor = await openEditor({ tasks });
  await expect(editor.request('codex/undo', {})).rejects.toMatchObject({ data: { reason: 'unknownThread' } });
  tasks.add('done', editor.root, 'idle');
  tasks.add('elsewhere', '/elsewhere', 'inReview');
  tasks.add('one', editor.root, 'inReview');
  await editor.request('codex/undo', {});
  tasks.add('two', editor.root, 'waitingForApproval');
  await expect(editor.request('codex/undo', {})).rejects.toMatchObject({
    data: { reason: 'ambiguousThread', threads: [{ threadId: 'one' }, { threadId: 'two' }] },
  });
  const task = await editor.runTask('x');
  await editor.request('codex/undo', {});
  tasks.setReview('one', {
    files: [fileInReview('a.txt', 'x\n', [{ line: 0, oldLines: ['x\n'], newLines: ['y\n'] }])],
  });
  await editor.request('codex/openReview', { threadId: 'one' });
  await editor.request('codex/undo', {});
  expect(tasks.undone).toEqual(['one', task.threadId, 'one']);
  await editor.request('codex/delete', { threadId: 'one' });
  await expect(editor.request('codex/cancel', {})).rejects.toMatchObject({ data: { reason: 'ambiguousThread' } });
  tasks.setStatus('two', 'idle');
  await editor.request('codex/cancel', {});
  expect(tasks.cancelled).toEqual([task.threadId]);
  editor.messages();
});

test('a deleted thread leaves nothing behind: no diagnostics, no actions, no documents', async () => {
  const tasks = new FakeTasks();
  await using editor = await openEditor({ tasks, files: { 'a.txt': 'one\n' } });
  const review = { files: [fileInReview('a.txt', 'one\n', [{ line: 0, oldLines: ['one\n'], newLines: ['ONE\n'] }])] };
  for (const threadId of ['one', 'two']) {
    tasks.add(threadId, editor.root, 'inReview');
    tasks.setReview(threadId, review);
    await editor.request('codex/openReview', { threadId });
    tasks.emit(threadId, { type: 'changesetUpdated', files: 1, additions: 1, deletions: 1 });
  }
  await editor.waitFor('both reviews', () => editor.diagnostics('a.txt').length === 2);
  await editor.request('codex/delete', { threadId: 'one' });
  await editor.waitFor('the other review', () => editor.diagnostics('a.txt').length === 1);
  expect((await editor.titles('a.txt')).filter((title) => title.startsWith('Codex: accept'))).toEqual([
    'Codex: accept this hunk',
    'Codex: accept all changes in this file',
    'Codex: accept all changes',
  ]);
  expect(await readdir(join(editor.root, '.codex/local'))).toEqual(['.gitignore', 'two']);
  await editor.executeCommand('codex.delete', ['two']);
  await editor.waitFor('the end of the review', () => editor.diagnostics('a.txt').length === 0);
  expect(await editor.titles('a.txt')).toEqual(['Codex: new task…', 'Codex: status']);
  expect(await readdir(join(editor.root, '.codex/local'))).toEqual(['.gitignore']);
});

test('deleting a running thread ends its progress', async () => {
  const tasks = new FakeTasks();
  await using editor = await openEditor({ tasks });
  const { threadId } = await editor.runTask('x');
  await editor.waitFor('the begin', () => editor.progress.length > 0);
  expect(await editor.titles('a.txt')).toContain('Codex: cancel: x');
  await editor.request('codex/delete', { threadId });
  await editor.waitFor('the end', () => editor.progress.at(-1)?.value.kind === 'end');
  expect(await editor.titles('a.txt')).not.toContain('Codex: cancel: x');
});

test('what is deleted lies in the workspace: no link is followed', async () => {
  const outside = await realpath(await mkdtemp(join(tmpdir(), 'codex-outside-')));
  const tasks = new FakeTasks();
  await using editor = await openEditor({ tasks, files: { '.codex/local/other/review.diff': 'x' } });
  await mkdir(join(outside, 'two'));
  for (const folder of [outside, join(outside, 'two')]) await writeFile(join(folder, 'kept'), 'x');
  await symlink(outside, join(editor.root, '.codex/local/one'));
  tasks.add('one', editor.root);
  await editor.request('codex/delete', { threadId: 'one' });
  await rm(join(editor.root, '.codex'), { recursive: true });
  await symlink(outside, join(editor.root, '.codex'));
  await symlink(outside, join(outside, 'local'));
  tasks.add('two', editor.root);
  await editor.request('codex/delete', { threadId: 'two' });
  expect(tasks.deleted).toEqual(['one', 'two']);
  expect((await readdir(outside)).toSorted()).toEqual(['kept', 'local', 'two']);
  expect(await readdir(join(outside, 'two'))).toEqual(['kept']);
  await rm(outside, { recursive: true });
});

test('one broken thread takes nothing of the others: it is logged, once, and left out', async () => {
  const tasks = new FakeTasks();
  const first = await openEditor({ tasks, files: { 'a.txt': 'one\n' } });
  await using _ = first;
  await first.request('codex/status', {});
  tasks.add('broken', first.root, 'inReview');
  tasks.add('good', first.root, 'inReview');
  tasks.setReview('good', {
    files: [fileInReview('a.txt', 'one\n', [{ line: 0, oldLines: ['one\n'], newLines: ['ONE\n'] }])],
  });
  const { workspaceOf } = tasks;
  tasks.workspaceOf = async (threadId) => {
    if (threadId === 'broken') throw new SyntaxError('line 3 of the record is broken');
    return workspaceOf.call(tasks, threadId);
  };
  await using editor = await openEditor({ tasks, place: { root: first.root, stateFolder: first.stateFolder } });
  await editor.waitFor('the good one', () => editor.diagnostics('a.txt').length === 1);
  tasks.approvals = () => {
    throw new SyntaxError('no approvals');
  };
  for (let count = 0; count < 3; count++) expect(await editor.titles('a.txt')).toContain('Codex: accept this hunk');
  tasks.list = tasks.waiting = async () => {
    throw new SyntaxError('no list');
  };
  await expect(editor.request('codex/status', {})).resolves.toMatchObject({ threads: [], approvals: [] });
  expect(editor.log.splice(0).map((text) => text.split('\n')[0])).toEqual([
    'thread broken: SyntaxError: line 3 of the record is broken',
    `the approvals of ${editor.root}: SyntaxError: no approvals`,
    `the threads of ${editor.root}: SyntaxError: no list`,
    `the approvals of ${editor.root}: SyntaxError: no list`,
  ]);
});

test('the status is answered, and its twin also says it as one line', async () => {
  const tasks = new FakeTasks();
  await using editor = await openEditor({ tasks, initializationOptions: { model: 'm1' } });
  tasks.add('one', editor.root, 'inReview');
  tasks.sandboxStatus = { kind: 'none', reason: 'bwrap is missing', remedy: 'apt install bubblewrap' };
  const status = await editor.executeCommand('codex.status');
  expect(status).toMatchObject({
    threads: [{ threadId: 'one' }],
    approvals: [],
    model: 'm1',
    sandbox: { kind: 'none', reason: 'bwrap is missing' },
  });
  expect(await editor.message('1 to review')).toMatchObject({
    severity: 'info',
    text: 'Codex: 0 running · 1 to review · model m1 · no sandbox: bwrap is missing',
  });
});

test('the status says that there is no sandbox where the user has switched it off', async () => {
  const value = { sandbox: { dangerouslyUnsandboxed: true } };
  await using editor = await openEditor({ tasks: new FakeTasks(), settings: [{ origin: 'config.json', value }] });
  expect(await editor.executeCommand('codex.status')).toMatchObject({
    sandbox: { kind: 'none', reason: expect.stringContaining('sandbox.dangerouslyUnsandboxed is on') },
  });
  expect(await editor.message('0 running')).toMatchObject({
    text: expect.stringContaining('no sandbox: sandbox.dangerouslyUnsandboxed is on'),
  });
});

test('accept and undo answer with the outcome; their twins at once, and a message tells it', async () => {
  const tasks = new FakeTasks();
  await using editor = await openEditor({ tasks });
  tasks.add('one', editor.root, 'inReview');
  let finish = (): void => {};
  const outcome = { applyId: 'a1', applied: ['a.txt'], conflicts: [], failed: [{ path: 'b.txt', reason: 'stale' }] };
  tasks.apply = () =>
    new Promise((resolve) => {
      finish = () => resolve(outcome);
    });
  expect(await editor.executeCommand('codex.accept', [{ threadId: 'one', files: ['a.txt'] }])).toEqual({
    applyId: 'a1',
  });
  finish();
  expect(await editor.message('a.txt')).toMatchObject({
    severity: 'warning',
    text: expect.stringContaining('b.txt failed'),
  });
  const answer = editor.request('codex/accept', { threadId: 'one', hunks: ['h1'] });
  await editor.waitFor('the accept', () => tasks.accepted.length === 2);
  finish();
  expect(await answer).toEqual(outcome);
  expect(tasks.accepted.map(({ selection }) => selection)).toEqual([
    { hunks: undefined, files: ['a.txt'] },
    { hunks: ['h1'], files: undefined },
  ]);
  expect(await editor.executeCommand('codex.undo', [{ threadId: 'one' }])).toEqual({ applyId: 'a2' });
  finish();
  await editor.message('undone in a.txt');
});

test('settings: what is wrong is said once, by its path; the editor can make them stricter only', async () => {
  const tasks = new FakeTasks();
  await using editor = await openEditor({
    tasks,
    settings: [{ origin: 'config.json', value: { limits: { steps: 9 } } }],
    initializationOptions: { limits: { steps: 'x' }, sandbox: { network: 'full' } },
    configuration: { approvalPolicy: 'never', modle: 'x' },
  });
  await editor.message('setting modle');
  const said = editor.messages().map(({ text }) => text);
  expect(said).toEqual([
    expect.stringContaining('limits.steps (initializationOptions)'),
    expect.stringContaining('sandbox.network (initializationOptions)'),
    expect.stringContaining('modle (workspace/configuration)'),
  ]);
  editor.notify('workspace/didChangeConfiguration', { settings: null });
  await editor.runTask('x');
  expect(tasks.started[0]?.settings).toMatchObject({
    approvalPolicy: 'never',
    limits: { steps: 9 },
    sandbox: { network: 'off' },
  });
  expect(editor.messages()).toHaveLength(3);
});

test('settings that a client pushes, where it is not asked for them', async () => {
  const tasks = new FakeTasks();
  await using editor = await openEditor({ tasks, capabilities: {} });
  editor.notify('workspace/didChangeConfiguration', { settings: { codex: { model: 'pushed' } } });
  await editor.runTask('x');
  expect(tasks.started[0]?.settings.model).toBe('pushed');
});

test('the folder of a task: named, of the document, of the repository around it, or none', async () => {
  const tasks = new FakeTasks();
  const outside = await realpath(await mkdtemp(join(tmpdir(), 'codex-outside-')));
  await using editor = await openEditor({ tasks, files: { '.git/HEAD': 'x', 'src/a.txt': 'a' }, folders: [outside] });
  const root = async (params: object): Promise<string | undefined> => {
    await editor.request('codex/runTask', { prompt: 'x', ...params });
    return tasks.started.at(-1)?.root;
  };
  expect(await root({})).toBe(outside);
  expect(await root({ textDocument: { uri: editor.uri('src/a.txt') } })).toBe(editor.root);
  expect(await root({ root: editor.uri('') })).toBe(editor.root);
  await symlink(editor.root, join(outside, 'link'));
  expect(await root({ root: editor.uri(join(outside, 'link')) })).toBe(editor.root);
  const refused = { code: -32803, data: { reason: 'noWorkspace' } };
  await expect(root({ root: 'file:///' })).rejects.toMatchObject(refused);
  await expect(root({ root: 'file:///no/such/folder' })).rejects.toMatchObject(refused);
  await expect(root({ root: editor.uri(editor.stateFolder) })).rejects.toMatchObject(refused);
  await expect(root({ root: editor.uri(join(editor.stateFolder, '..')) })).rejects.toMatchObject(refused);
  await expect(root({ textDocument: { uri: editor.uri('/somewhere/else.txt') } })).rejects.toMatchObject(refused);
  await rm(outside, { recursive: true });
});

test('without a folder a task is refused with what to do, and nothing else breaks', async () => {
  await using editor = await openEditor({ tasks: new FakeTasks(), folders: [] });
  await expect(editor.runTask('x')).rejects.toMatchObject({
    code: -32803,
    message: expect.stringContaining('Open a file'),
    data: { reason: 'noWorkspace' },
  });
  editor.notify('workspace/didChangeWorkspaceFolders', {
    event: { added: [{ uri: editor.uri(''), name: 'x' }], removed: [] },
  });
  await editor.runTask('x');
});

test('requests before initialize and after shutdown are refused, and exit without shutdown is 1', async () => {
  const editor = await openEditor({ tasks: new FakeTasks() });
  await editor.request('shutdown');
  await expect(editor.request('codex/status')).rejects.toMatchObject({ code: -32600 });
  editor.notify('exit', {});
  await editor.waitFor('the exit', () => editor.exitCode !== undefined);
  expect(editor.exitCode).toBe(0);
  editor.kill();
  await editor[Symbol.asyncDispose]();
  await using broken = await openEditor({ tasks: new FakeTasks() });
  broken.kill();
  await broken.waitFor('the exit', () => broken.exitCode !== undefined);
  expect(broken.exitCode).toBe(1);
});

test('malformed messages do no harm', async () => {
  await using editor = await openEditor({ tasks: new FakeTasks(), files: { 'a.txt': 'a' } });
  for (const method of [
    'textDocument/didOpen',
    'textDocument/didChange',
    'textDocument/didClose',
    'textDocument/didSave',
    'window/workDoneProgress/cancel',
    'workspace/didChangeWorkspaceFolders',
    'x/unknown',
  ]) {
    editor.notify(method, {});
  }
  await expect(editor.request('textDocument/codeAction', {})).rejects.toMatchObject({ code: -32602 });
  expect(await editor.titles('a.txt')).toContain('Codex: new task…');
  expect(editor.log.splice(0).length).toBeGreaterThan(3);
});

test('a saved task document runs once, with what it is about', async () => {
  const tasks = new FakeTasks();
  await using editor = await openEditor({ tasks, files: { 'a.txt': 'one\ntwo\n' } });
  await editor.open('a.txt');
  const range = { start: { line: 1, character: 0 }, end: { line: 2, character: 0 } };
  const { uri } = Object(
    await editor.executeCommand('codex.runTask', [{ textDocument: { uri: editor.uri('a.txt') }, range }]),
  );
  const path = decodeURIComponent(new URL(uri).pathname);
  expect(await readFile(join(editor.root, '.codex/local/.gitignore'), 'utf8')).toBe('*\n');
  const inside = path.slice(editor.root.length + 1);
  await editor.open(inside);
  await editor.save(inside);
  expect(await editor.titles(inside)).toContain('Codex: run this task');
  expect(tasks.started).toEqual([]);
  const help = await editor.text(inside);
  editor.type(inside, help, `${help}Write it better.\n`);
  await editor.save(inside);
  await editor.save(inside);
  await editor.waitFor('the task', () => tasks.started.length === 1);
  await editor.save(inside);
  await editor.codeAction('Codex: run this task', { at: inside });
  expect(tasks.started).toHaveLength(2);
  expect(tasks.started[0]).toMatchObject({
    prompt: 'Write it better.',
    root: editor.root,
    attachments: [{ path: 'a.txt', lines: { start: 1, end: 2 }, selection: 'two\n' }],
  });
  editor.messages();
});

test('no file of the workspace but one of our own can run by being saved', async () => {
  const tasks = new FakeTasks();
  await using editor = await openEditor({ tasks, files: { 'task-1.md': '<!--\nroot: /\n-->\n\nevil\n' } });
  await editor.open('task-1.md');
  await editor.save('task-1.md');
  await editor.request('codex/status', {});
  expect(tasks.started).toEqual([]);
});

test('a `.codex` that leads out of the workspace, or can not be a folder, is left alone', async () => {
  const outside = await realpath(await mkdtemp(join(tmpdir(), 'codex-outside-')));
  await using editor = await openEditor({ tasks: new FakeTasks() });
  await symlink(outside, join(editor.root, '.codex'));
  const inState = expect.stringMatching(`^${editor.uri(editor.stateFolder)}/documents/task-`);
  expect(await editor.executeCommand('codex.runTask')).toEqual({ uri: inState });
  expect(await readdir(outside)).toEqual([]);
  await rm(join(editor.root, '.codex'));
  await writeFile(join(editor.root, '.codex'), 'a file');
  expect(await editor.executeCommand('codex.runTask')).toEqual({ uri: inState });
  await rm(outside, { recursive: true });
});

test('what the user has written into review.diff is not overwritten', async () => {
  const tasks = new FakeTasks();
  await using editor = await openEditor({ tasks, files: { 'a.txt': 'one\n' } });
  tasks.add('one', editor.root, 'inReview');
  const shouted = (line: string) => ({
    files: [fileInReview('a.txt', 'one\n', [{ line: 0, oldLines: ['one\n'], newLines: [line] }])],
  });
  tasks.setReview('one', shouted('ONE\n'));
  await editor.request('codex/openReview', { threadId: 'one' });
  const path = '.codex/local/one/review.diff';
  await editor.open(path);
  editor.type(path, '+ONE', '+Eins');
  tasks.setReview('one', shouted('TWO\n'));
  tasks.emit('one', { type: 'changesetUpdated', files: 1, additions: 1, deletions: 1 });
  await editor.waitFor('the new review', () => String(editor.diagnostics('a.txt')[0]?.message).includes('TWO'));
  await editor.request('codex/status', {});
  expect(await editor.disk(path)).toContain('+ONE\n');
});

test('the review is written, shown and kept up to date on disk', async () => {
  const tasks = new FakeTasks();
  await using editor = await openEditor({ tasks, files: { 'a.txt': 'one\n' } });
  tasks.add('one', editor.root, 'inReview');
  await expect(editor.request('codex/openReview', { threadId: 'one' })).rejects.toMatchObject({
    data: { reason: 'nothingToReview' },
  });
  tasks.setReview('one', {
    files: [fileInReview('a.txt', 'one\n', [{ line: 0, oldLines: ['one\n'], newLines: ['ONE\n'] }])],
  });
  const { uri } = await editor.request('codex/openReview', { threadId: 'one' });
  expect(uri).toBe(editor.uri('.codex/local/one/review.diff'));
  await editor.waitFor('the review', () => editor.shown.some((shown) => shown.uri === uri));
  expect(await editor.disk('.codex/local/one/review.diff')).toContain('+ONE\n');
  tasks.setReview('one', {
    files: [fileInReview('a.txt', 'one\n', [{ line: 0, oldLines: ['one\n'], newLines: ['TWO\n'] }])],
  });
  tasks.emit('one', { type: 'changesetUpdated', files: 1, additions: 1, deletions: 1 });
  await editor.waitFor('the new review', async () =>
    (await editor.disk('.codex/local/one/review.diff')).includes('+TWO\n'),
  );
});
