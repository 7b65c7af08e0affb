/** A turn from prompt to review, without an editor: real sandbox, real HTTP model. */
import { chmod, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  failure,
  gate,
  messageTexts,
  patch,
  plan,
  say,
  script,
  shell,
  soon,
  together,
  toolOutputs,
} from '../support/model.ts';
import { diskFace, openBench } from '../support/task.ts';
import { git } from '../support/workspace.ts';

const fiveLines = { 'a.txt': 'one\ntwo\nthree\nfour\nfive\n' };

test('nothing of the user changes before the review; accepted hunks arrive on disk', async () => {
  await using bench = await openBench({
    files: fiveLines,
    script: script(
      plan([{ step: 'shout', status: 'inProgress' }]),
      together(patch('a.txt', '-one', '+ONE'), shell('sed -i s/four/FOUR/ a.txt && cat a.txt')),
      say('Shouted one and four.'),
    ),
  });
  const { workspace, tasks } = bench;
  const { threadId, end } = await bench.run('shout one and four');
  expect(end).toMatchObject({ status: 'completed', summary: 'Shouted one and four.' });
  expect(await workspace.read('a.txt')).toBe(fiveLines['a.txt']);
  expect(await bench.review(threadId)).toEqual(['a.txt:1 pending', 'a.txt:4 pending']);
  expect((await tasks.thread(threadId)).thread.status).toBe('inReview');

  const { files, diff } = await tasks.changeset(threadId, { under: () => new Map() });
  expect(files).toMatchObject([{ path: 'a.txt', kind: 'modify' }]);
  expect(diff).toContain('-one\n+ONE\n');

  const { result } = await tasks.accept(threadId, {}, diskFace);
  expect(await result).toMatchObject({ applied: ['a.txt'], conflicts: [], failed: [] });
  expect(await workspace.read('a.txt')).toBe('ONE\ntwo\nthree\nFOUR\nfive\n');
  expect((await tasks.thread(threadId)).thread.status).toBe('idle');
});

test('the events of a turn come in the order of the contract', async () => {
  await using bench = await openBench({
    files: fiveLines,
    script: script(shell('echo hello'), patch('a.txt', '-two', '+2'), say('Done.')),
  });
  const { tasks } = bench;
  const { threadId } = await bench.run('count');
  const types = bench.events.map(({ event }) => (event.type === 'itemCompleted' ? `${event.item.type}` : event.type));
  expect(types.filter((type) => type !== 'itemStarted' && type !== 'itemDelta' && type !== 'usage')).toEqual([
    'threadStarted',
    'turnStarted',
    'userMessage',
    'command',
    'patch',
    'agentMessage',
    'changesetUpdated',
    'turnCompleted',
    'approvalRequested',
  ]);
  const { events } = await tasks.thread(threadId, 0);
  expect(events).toEqual(bench.events.filter(({ event }) => event.type !== 'itemDelta'));
  const [approval] = tasks.approvals({ threadId });
  expect(approval).toMatchObject({ kind: 'changes', threadId });

  await expect(
    tasks.approve({ approvalId: approval?.approvalId ?? '', decision: 'acceptForThread' }, diskFace),
  ).rejects.toThrow(/decision/);
  await tasks.approve({ approvalId: approval?.approvalId ?? '', decision: 'accept' }, diskFace);
  await bench.event('applied');
  expect(await bench.workspace.read('a.txt')).toBe('one\n2\nthree\nfour\nfive\n');
  await expect(
    tasks.approve({ approvalId: approval?.approvalId ?? '', decision: 'decline' }, diskFace),
  ).rejects.toMatchObject({ reason: 'alreadySettled', message: expect.stringContaining('accept') });
});

test.each([true, false])('create, delete, rename, binary and mode are in the changeset (git: %s)', async (withGit) => {
  const files = {
    'keep.txt': 'keep\n',
    'old.txt': 'a\nb\nc\nd\ne\nf\n',
    'gone.txt': 'gone\n',
    'run.sh': '#!/bin/sh\n',
    '.gitignore': 'build/\n',
  };
  await using bench = await openBench({
    files,
    git: withGit,
    script: script(
      patch.add('src/new.txt', 'new\n'),
      patch.delete('gone.txt'),
      patch.move('old.txt', 'moved.txt', '-c', '+C'),
      shell(
        "mkdir build && echo x > build/out && chmod +x run.sh && printf '\\000\\377' > data.bin && ln -s keep.txt link",
      ),
      say('Done.'),
    ),
  });
  const { tasks, workspace } = bench;
  const { threadId } = await bench.run('move things');
  const { files: changed, diff } = await tasks.changeset(threadId, { under: () => new Map() });
  expect(changed.map(({ path, kind, from }) => (from ? `${kind} ${from} ${path}` : `${kind} ${path}`)).sort()).toEqual([
    'create data.bin',
    'create link',
    'create src/new.txt',
    'delete gone.txt',
    'modify run.sh',
    'rename old.txt moved.txt',
  ]);
  expect(changed.every(({ hunks }) => hunks.length > 0)).toBe(true);
  expect(diff).toContain('rename from old.txt');

  const sensitive = changed.filter((file) => file.sensitive).map(({ path }) => path);
  const { result } = await tasks.accept(threadId, {}, diskFace);
  const { applied, failed } = await result;
  expect(failed).toEqual([]);
  expect([...applied, ...sensitive].sort()).toEqual(changed.map(({ path }) => path).sort());
  expect(await workspace.read('src/new.txt')).toBe('new\n');
  expect(await workspace.read('gone.txt')).toBeUndefined();
  expect(await workspace.read('old.txt')).toBeUndefined();
  expect(await workspace.read('moved.txt')).toBe('a\nb\nC\nd\ne\nf\n');
  expect(await workspace.read('build/out')).toBeUndefined();

  const undone = await (await tasks.undo(threadId, diskFace)).result;
  expect(undone.failed).toEqual([]);
  for (const [path, text] of Object.entries(files)) expect(await workspace.read(path)).toBe(text);
  expect(await workspace.read('src/new.txt')).toBeUndefined();
  expect(await workspace.read('moved.txt')).toBeUndefined();
  expect((await bench.review(threadId)).filter((line) => line.endsWith('pending'))).not.toEqual([]);
});

test('an undo leaves alone, and names, what was changed since', async () => {
  await using bench = await openBench({
    files: { 'a.txt': 'a\n', 'b.txt': 'b\n' },
    script: script(together(patch('a.txt', '-a', '+A'), patch('b.txt', '-b', '+B')), say('Done.')),
  });
  const { tasks, workspace } = bench;
  const { threadId } = await bench.run('shout');
  await (await tasks.accept(threadId, {}, diskFace)).result;
  await workspace.write('b.txt', 'B and more\n');
  const undone = await (await tasks.undo(threadId, diskFace)).result;
  expect(undone).toMatchObject({ applied: ['a.txt'], failed: [{ path: 'b.txt' }] });
  expect(await workspace.read('a.txt')).toBe('a\n');
  expect(await workspace.read('b.txt')).toBe('B and more\n');
});

test('a failing test is seen by the model, fixed, and seen to pass', async () => {
  const files = {
    'sum.js': 'export const sum = (a, b) => a - b;\n',
    'sum.test.js':
      "import test from 'node:test';\nimport assert from 'node:assert';\nimport { sum } from './sum.js';\ntest('sum', () => assert.equal(sum(2, 3), 5));\n",
    'package.json': '{"type":"module","scripts":{"test":"node --test"}}\n',
  };
  await using bench = await openBench({
    files,
    script: script(
      shell('node --test'),
      patch('sum.js', '-export const sum = (a, b) => a - b;', '+export const sum = (a, b) => a + b;'),
      shell('node --test'),
      say('sum subtracted; it adds now. The test failed before and passes.'),
    ),
  });
  await bench.run('make the test pass');
  const commands = bench.events.flatMap(({ event }) =>
    event.type === 'itemCompleted' && event.item.type === 'command' ? [event.item] : [],
  );
  expect(commands.map(({ status, exitCode }) => `${status} ${exitCode}`)).toEqual(['failed 1', 'completed 0']);
  expect(commands[0]?.output).toContain('actual: -1');
  expect(commands[1]?.output).toMatch(/pass 1/);
});

test('what the user typed meanwhile survives; the hunk over it stays in review', async () => {
  const text = { now: fiveLines['a.txt'] };
  const documents = { under: () => new Map([['a.txt', { version: 1, text: text.now }]]) };
  await using bench = await openBench({
    files: fiveLines,
    documents,
    script: script(together(patch('a.txt', '-one', '+ONE'), patch('a.txt', '-four', '+FOUR')), say('Done.')),
  });
  const { threadId } = await bench.run('shout');
  text.now = text.now.replace('four', 'quatre').replace('five', 'five and a half');
  expect(await bench.review(threadId)).toEqual(['a.txt:1 pending', 'a.txt:4 conflicting']);
  const { diff } = await bench.tasks.changeset(threadId, documents);
  expect(diff).toContain('+ONE');
  expect(diff).not.toContain('FOUR');
});

test('unsaved text is what commands read and patches change', async () => {
  const buffer = 'one\ntwo\nthree, unsaved\nfour\nfive\n';
  const documents = { under: () => new Map([['a.txt', { version: 7, text: buffer }]]) };
  await using bench = await openBench({
    files: { ...fiveLines, 'b.txt': 'b\n' },
    documents,
    script: script(shell('cat a.txt; git status --short'), patch('a.txt', '-three, unsaved', '+THREE'), say('Done.')),
  });
  const { threadId } = await bench.run('look');
  const command = await bench.event('itemCompleted', ({ item }) => item.type === 'command');
  expect(command.item).toMatchObject({ output: expect.stringContaining('three, unsaved') });
  expect(await bench.workspace.read('a.txt')).toBe(fiveLines['a.txt']);
  const { files, diff } = await bench.tasks.changeset(threadId, documents);
  expect(files.map(({ path }) => path)).toEqual(['a.txt']);
  expect(diff).toContain('-three, unsaved\n+THREE\n');
});

test('the next turn: accepted and rejected hunks have left the copy, pending ones stay, the model is told', async () => {
  await using bench = await openBench({
    files: { ...fiveLines, 'c.txt': 'c\n' },
    script: script(
      patch('a.txt', '-one', '+ONE', ' two', '-three', '+THREE', ' four', '-five', '+FIVE'),
      say('Three shouted.'),
      shell('cat a.txt c.txt'),
      say('Seen.'),
    ),
  });
  const { tasks, workspace, model } = bench;
  const { threadId } = await bench.run('shout');
  const review = await tasks.review(threadId, { under: () => new Map() });
  const [one, three] = review.files[0]?.hunks ?? [];
  await (await tasks.accept(threadId, { hunks: [one?.id ?? ''] }, diskFace)).result;
  await tasks.reject(threadId, { hunks: [three?.id ?? ''], comment: 'three stays quiet' }, { under: () => new Map() });
  await workspace.write('c.txt', 'changed by the user\n');
  await bench.run('go on', { threadId });
  const seen = bench.events.flatMap(({ event }) =>
    event.type === 'itemCompleted' && event.item.type === 'command' ? [event.item.output] : [],
  );
  expect(seen).toEqual([expect.stringContaining('ONE\ntwo\nthree\nfour\nFIVE\nchanged by the user\n')]);
  expect(JSON.stringify(model.requests[2]?.input)).toContain('three stays quiet');
  expect(await bench.review(threadId)).toEqual(['a.txt:5 pending']);
});

test('cancel in the middle of a command ends it and the turn; the thread goes on', async () => {
  await using bench = await openBench({
    files: fiveLines,
    script: script(
      patch('a.txt', '-one', '+ONE'),
      shell('echo started; setsid sleep 300 & sleep 300'),
      shell('cat a.txt'),
      say('Still here.'),
    ),
  });
  const { threadId } = await bench.start('wait');
  await bench.event('itemDelta', ({ delta }) => delta.includes('started'));
  expect(await bench.tasks.cancel(threadId)).toEqual({ status: 'interrupted' });
  expect(await bench.event('turnCompleted')).toMatchObject({ status: 'interrupted' });
  const command = await bench.event('itemCompleted', ({ item }) => item.type === 'command');
  expect(command.item).toMatchObject({ status: 'killed' });
  expect(await bench.tasks.cancel(threadId)).toEqual({ status: 'idle' });
  expect(await bench.review(threadId)).toEqual(['a.txt:1 pending']);

  const { end } = await bench.run('go on', { threadId });
  expect(end).toMatchObject({ status: 'completed', summary: 'Still here.' });
  const last = bench.events.findLast(({ event }) => event.type === 'itemCompleted' && event.item.type === 'command');
  expect(last?.event).toMatchObject({ item: { output: expect.stringContaining('ONE') } });
});

test('a model that fails half-way leaves thread, copy and changes; the next turn goes on', async () => {
  await using bench = await openBench({
    files: fiveLines,
    script: script(
      patch('a.txt', '-one', '+ONE'),
      failure.failed('insufficient_quota', 'You exceeded your current quota.'),
      shell('head -1 a.txt'),
      say('Went on.'),
    ),
  });
  const { threadId, end } = await bench.run('shout');
  expect(end).toMatchObject({ status: 'failed', error: { reason: 'quota' } });
  expect(await bench.review(threadId)).toEqual(['a.txt:1 pending']);
  expect((await bench.run('go on', { threadId })).end.summary).toBe('Went on.');
});

test('a new process lists the thread, shows its review and goes on with it', async () => {
  await using bench = await openBench({
    files: fiveLines,
    script: script(patch('a.txt', '-one', '+ONE'), say('First.'), shell('cat a.txt'), say('Second.')),
  });
  const { threadId } = await bench.run('shout');
  await bench.restart();
  const { threads } = await bench.tasks.list({ root: bench.workspace.root });
  expect(threads).toMatchObject([{ threadId, status: 'inReview', title: 'shout' }]);
  expect(await bench.review(threadId)).toEqual(['a.txt:1 pending']);
  const { end } = await bench.run('go on', { threadId });
  expect(end.summary).toBe('Second.');
  await (await bench.tasks.accept(threadId, {}, diskFace)).result;
  expect(await bench.workspace.read('a.txt')).toContain('ONE');
});

test('hunks: unknown, decided and conflicting ones are refused by name; two clicks apply once', async () => {
  await using bench = await openBench({
    files: fiveLines,
    script: script(together(patch('a.txt', '-one', '+ONE'), patch('a.txt', '-five', '+FIVE')), say('Done.')),
  });
  const { tasks, workspace } = bench;
  const { threadId } = await bench.run('shout');
  const noDocuments = { under: () => new Map() };
  const [one, five] = (await tasks.review(threadId, noDocuments)).files[0]?.hunks ?? [];
  const accept = (id = '') => tasks.accept(threadId, { hunks: [id] }, diskFace);
  await expect(accept('h0')).rejects.toMatchObject({ reason: 'unknownHunk', message: expect.stringContaining('h0') });
  const clicks = await Promise.allSettled([accept(one?.id), accept(one?.id)]);
  expect(clicks.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  for (const click of clicks) if (click.status === 'fulfilled') await click.value.result;
  await expect(accept(one?.id)).rejects.toMatchObject({ reason: 'alreadyDecided' });
  await workspace.write('a.txt', 'ONE\ntwo\nthree\nfour\nfünf\n');
  await expect(accept(five?.id)).rejects.toMatchObject({ reason: 'stale' });
  expect(await workspace.read('a.txt')).toBe('ONE\ntwo\nthree\nfour\nfünf\n');
});

test('ask answers without a changeset and cannot write', async () => {
  await using bench = await openBench({
    files: fiveLines,
    script: script(
      shell('echo x > a.txt || echo refused'),
      patch('a.txt', '-one', '+ONE'),
      say('It counts to five.'),
      say('The same tools.'),
    ),
  });
  const { threadId, end } = await bench.run('what is this?', { mode: 'ask' });
  expect(end.summary).toBe('It counts to five.');
  const command = await bench.event('itemCompleted', ({ item }) => item.type === 'command');
  expect(command.item).toMatchObject({ output: expect.stringContaining('refused') });
  expect(await bench.review(threadId)).toEqual([]);
  expect((await bench.tasks.thread(threadId)).thread.status).toBe('idle');
  // The strict model compares the prefix of every request with that of the one before, in both modes.
  expect((await bench.run('and now?', { threadId, mode: 'task' })).end.summary).toBe('The same tools.');
  expect(
    bench.model.requests.map(({ tools }) => JSON.stringify(tools)).every((tools, _, all) => tools === all[0]),
  ).toBe(true);
});

test('policy untrusted: a command waits for the user, and runs only on a yes', async () => {
  await using bench = await openBench({
    files: fiveLines,
    settings: (settings) => ({ ...settings, approvalPolicy: 'untrusted' }),
    script: script(shell('cat a.txt'), shell('touch made'), shell('touch other'), shell('touch made'), say('Done.')),
  });
  const { tasks } = bench;
  const { threadId } = await bench.start('touch');
  const first = await bench.event('approvalRequested');
  expect(first.approval).toMatchObject({ kind: 'command', command: 'touch made', cwd: '' });
  expect((await tasks.thread(threadId)).thread.status).toBe('waitingForApproval');
  await tasks.approve({ approvalId: first.approval.approvalId, decision: 'acceptForThread' }, diskFace);
  const second = await bench.event('approvalRequested', ({ approval }) => approval.command === 'touch other');
  await tasks.approve({ approvalId: second.approval.approvalId, decision: 'decline' }, diskFace);
  expect(await bench.event('turnCompleted')).toMatchObject({ status: 'completed' });
  const asked = bench.events.filter(
    ({ event }) => event.type === 'approvalRequested' && event.approval.kind === 'command',
  );
  expect(asked).toHaveLength(2);
  expect(await bench.review(threadId)).toEqual(['made:1 pending']);
});

test('cancelling withdraws what waits; deleting removes everything from disk', async () => {
  await using bench = await openBench({
    files: fiveLines,
    settings: (settings) => ({ ...settings, approvalPolicy: 'untrusted' }),
    script: script(shell('touch made')),
  });
  const { tasks, workspace } = bench;
  const { threadId } = await bench.start('touch');
  const { approval } = await bench.event('approvalRequested');
  await tasks.cancel(threadId);
  expect(await bench.event('approvalResolved')).toEqual({
    type: 'approvalResolved',
    approvalId: approval.approvalId,
    decision: 'withdrawn',
  });
  await bench.event('turnCompleted');
  await tasks.delete(threadId);
  await expect(tasks.thread(threadId)).rejects.toMatchObject({ reason: 'unknownThread' });
  expect((await tasks.list({ root: workspace.root })).threads).toEqual([]);
});

test('one turn at a time in a thread; a second is refused by name', async () => {
  const held = gate(say('Done.'));
  await using bench = await openBench({ files: fiveLines, script: script(held) });
  const { threadId } = await bench.start('wait');
  await soon(held.arrived, 'the request');
  await expect(bench.start('again', { threadId })).rejects.toMatchObject({ reason: 'turnRunning' });
  await expect(bench.tasks.accept(threadId, {}, diskFace)).rejects.toMatchObject({ reason: 'turnRunning' });
  held.open();
  expect(await bench.event('turnCompleted')).toMatchObject({ status: 'completed' });
});

test('no key: the turn fails with a sentence, the thread stays', async () => {
  await using bench = await openBench({ files: fiveLines, script: script() });
  const { end } = await bench.run('shout', { environment: {} });
  expect(end).toMatchObject({ status: 'failed', error: { reason: 'noModel' } });
  expect(end.error?.message).toMatch(/^OPENAI_API_KEY is not set; /);
});

test.each([
  ['/', /whole file system/],
  [process.env.HOME ?? '/root', /home folder/],
])('the folder %s is no workspace', async (root, why) => {
  await using bench = await openBench({ files: fiveLines, script: script() });
  await expect(bench.start('shout', { root })).rejects.toMatchObject({
    reason: 'noWorkspace',
    message: expect.stringMatching(why),
  });
  await expect(bench.start('shout', { root: bench.workspace.stateDir })).rejects.toMatchObject({
    reason: 'noWorkspace',
  });
});

test('reading outside: asked for by the path that is opened, granted for that command, and no link leads elsewhere', async () => {
  const outside = await mkdtemp(join(tmpdir(), 'codex-lsp-outside-'));
  await writeFile(join(outside, 'names'), 'ada\n');
  await symlink(join(outside, 'names'), join(outside, 'link'));
  const read = (path: string) => ({ read: { paths: [path], reason: 'the names' } });
  await using bench = await openBench({
    files: fiveLines,
    script: script(
      shell(`cat ${outside}/names`),
      shell('cat link', read(join(outside, 'link'))),
      shell('ls /run', read('/run')),
      shell(`cat ${outside}/names`, read(join(outside, 'names'))),
      say('Done.'),
    ),
  });
  await bench.start('read');
  const { approval } = await bench.event('approvalRequested');
  expect(approval).toMatchObject({ kind: 'read', paths: [join(outside, 'names')], reason: 'the names' });
  await bench.tasks.approve({ approvalId: approval.approvalId, decision: 'accept' }, diskFace);
  await bench.event('turnCompleted');
  const [first, link, run, last] = bench.model.requests.slice(1).map((request) => toolOutputs(request).at(-1));
  expect(first).toContain('No such file');
  expect(link).toContain('leads to');
  expect(run).toContain('cannot be opened');
  expect(last).toContain('ada');
  expect(bench.events.filter(({ event }) => event.type === 'approvalRequested')).toHaveLength(1);
  await rm(outside, { recursive: true });
});

test('output beyond its limit is an outcome with a name: head and tail are kept, the command runs to its end', async () => {
  await using bench = await openBench({
    files: fiveLines,
    settings: (settings) => ({ ...settings, limits: { ...settings.limits, outputTokens: 100 } }),
    script: script(shell('echo first; seq 100000; echo last; exit 3'), shell('echo short'), say('Done.')),
  });
  await bench.run('write much');
  const items = bench.events.flatMap(({ event }) =>
    event.type === 'itemCompleted' && event.item.type === 'command' ? [event.item] : [],
  );
  expect(items).toMatchObject([{ status: 'failed', exitCode: 3, limit: 'output' }, { status: 'completed' }]);
  expect(items[0]?.output).toMatch(/^first\n.*last\n$/s);
  expect(items[1]?.limit).toBeUndefined();
  expect(toolOutputs(bench.model.requests[1]).at(-1)).toMatch(/Exit code: 3\nWrote \d+ bytes: the middle is left out/);
});

test('what is opened to commands is said: to the user each socket, to the model the hosts', async () => {
  const sockets = ['/run/docker.sock', '/run/user/1000/keyring/ssh', '/srv/own.sock'];
  await using bench = await openBench({
    files: fiveLines,
    settings: (settings) => ({ ...settings, sandbox: { ...settings.sandbox, sockets, network: ['example.org'] } }),
    script: script(say('Done.'), say('Again.')),
  });
  const { threadId } = await bench.run('look');
  await bench.run('look again', { threadId });
  const warnings = bench.events.flatMap(({ event }) => (event.type === 'warning' ? [event.message] : []));
  expect(warnings).toHaveLength(6);
  for (const [index, path] of [...sockets, ...sockets].entries()) {
    expect(warnings[index]).toMatch(
      /^sandbox\.sockets opens .* to every command of this turn: whoever reaches it can /,
    );
    expect(warnings[index]).toContain(path);
  }
  expect(warnings[0]).toContain('act as root');
  expect(messageTexts(bench.model.requests[0]).join('\n')).toContain(
    '<network>only these hosts, through a proxy: example.org</network>',
  );
});

test('a commit in the copy leaves the repository as it was; the secret is nowhere', async () => {
  await using bench = await openBench({
    files: fiveLines,
    script: script(
      shell(
        "sed -i s/one/ONE/ a.txt && git -c user.name=a -c user.email=a@b commit -qam shout && git log --oneline | wc -l; env; tr '\\0' '\\n' < /proc/1/environ",
      ),
      say('Committed.'),
    ),
  });
  const { workspace } = bench;
  const before = git(workspace.root, 'rev-parse', 'HEAD');
  const { threadId } = await bench.run('commit');
  expect(git(workspace.root, 'rev-parse', 'HEAD')).toBe(before);
  expect(git(workspace.root, 'status', '--short')).toBe('');
  expect(await bench.review(threadId)).toEqual(['a.txt:1 pending']);
  const { item } = await bench.event('itemCompleted', ({ item }) => item.type === 'command');
  expect(item).toMatchObject({ status: 'completed', output: expect.stringMatching(/^2$/m) });
  const folder = bench.tasks.folderOf(threadId);
  // The kernel's own, which only root can list.
  await rm(join(folder, 'copy', 'work'), { recursive: true, force: true }).catch(() =>
    chmod(join(folder, 'copy', 'work', 'work'), 0o700),
  );
  const kept = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  expect(kept.length).toBeGreaterThan(2);
  for (const { parentPath, name } of kept) {
    expect(await readFile(join(parentPath, name), 'latin1'), name).not.toContain('sk-test-secret');
  }
});
