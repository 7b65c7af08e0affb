/** `sandbox.dangerouslyUnsandboxed` is the user's own word, and whoever looks at a task sees that it is on. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Settings } from '../../server/protocol/settings.ts';
import { noDocuments } from '../../server/task/ports.ts';
import { patch, say, script, shell, toolOutputs } from '../support/model.ts';
import { diskFace, openBench } from '../support/task.ts';
import { git } from '../support/workspace.ts';

const unsandboxed = (settings: Settings): Settings => ({
  ...settings,
  sandbox: { ...settings.sandbox, dangerouslyUnsandboxed: true },
});
const files = { 'a.txt': 'one\n' };

test('each turn begins with the warning, and the journal has it for whoever comes later', async () => {
  await using bench = await openBench({
    files,
    script: script(say('First.'), say('Second.')),
    settings: unsandboxed,
  });
  const { threadId } = await bench.run('one');
  await bench.run('two', { threadId });
  const { events } = await bench.tasks.thread(threadId, 0);
  const starts = events.filter(({ event }) => event.type === 'turnStarted');
  expect(starts.map(({ event }) => event)).toMatchObject([{ unsandboxed: true }, { unsandboxed: true }]);
  const warnings = events.flatMap(({ event }) => (event.type === 'warning' ? [event.message] : []));
  expect(warnings).toEqual(Array(2).fill(expect.stringContaining('sandbox.dangerouslyUnsandboxed is on')));
});

test('a question has no changeset, and is told that nothing keeps it from changing files', async () => {
  await using bench = await openBench({
    files,
    script: script(shell('echo ONE >a.txt; echo n >new.txt'), say('So.')),
    settings: unsandboxed,
  });
  const { threadId } = await bench.run('why?', { mode: 'ask' });
  expect(await bench.review(threadId)).toEqual([]);
  const warning = await bench.event('warning');
  expect(warning.message).toContain('Nothing keeps them from changing files.');
});

test('the model is told that there is no sandbox, and where its commands run', async () => {
  await using bench = await openBench({ files, script: script(say('Done.')), settings: unsandboxed });
  await bench.run('x');
  const [request] = bench.model.requests;
  const told = JSON.stringify(request?.input);
  expect(told).toContain('WITHOUT A SANDBOX');
  expect(told).toContain('<network>full</network>');
});

test('whatever is asked says so, and so does the list of threads, also after a restart', async () => {
  await using bench = await openBench({
    files,
    script: script(patch('a.txt', '-one', '+ONE'), say('Done.')),
    settings: unsandboxed,
  });
  const { threadId } = await bench.run('x');
  const { approval } = await bench.event('approvalRequested');
  expect(approval.unsandboxed).toBe(true);
  expect(bench.tasks.approvals({ threadId })).toMatchObject([{ unsandboxed: true }]);
  await bench.restart();
  expect((await bench.tasks.list({})).threads).toMatchObject([{ threadId, unsandboxed: true }]);
});

test('the review says so too', async () => {
  await using bench = await openBench({
    files,
    script: script(patch('a.txt', '-one', '+ONE'), say('Done.')),
    settings: unsandboxed,
  });
  const { threadId } = await bench.run('x');
  const document = await bench.tasks.reviewDocument(threadId, noDocuments);
  expect(document).toMatch(/^# Commands of this thread ran WITHOUT A SANDBOX/m);
  // Once is enough for the thread, whatever the later turns are.
  await bench.restart();
  expect(await bench.tasks.reviewDocument(threadId, noDocuments)).toContain('WITHOUT A SANDBOX');
});

test('commands work in a copy all the same: large ignored folders are in it as copies, and the review is as ever', async () => {
  await using bench = await openBench({
    files: { ...files, '.gitignore': 'libs\n' },
    script: script(
      shell('ls libs | wc -l; echo mine >libs/f1; rm libs/f2; echo ONE >a.txt; echo n >new.txt; cat .env'),
      say('One.'),
      shell(
        'cat libs/f1 a.txt; ls libs/f2; git -c user.name=A -c user.email=a@localhost commit -qam agent; echo m >>new.txt',
      ),
      say('Two.'),
    ),
    settings: unsandboxed,
  });
  const { workspace, tasks, model } = bench;
  const { root } = workspace;
  mkdirSync(join(root, 'libs'));
  for (let count = 0; count < 2_100; count += 1) writeFileSync(join(root, 'libs', `f${count}`), 'theirs\n');
  await workspace.write('.env', 'KEY=TOPSECRET-4711\n');
  const head = git(root, 'rev-parse', 'HEAD');
  const { threadId } = await bench.run('one');
  const [first = ''] = toolOutputs(model.requests[1]);
  expect(first).toMatch(/2100\ncat: .env: No such file/);
  expect(await workspace.read('libs/f1')).toBe('theirs\n');
  expect(await workspace.read('libs/f2')).toBe('theirs\n');
  expect(await workspace.read('a.txt')).toBe('one\n');
  expect(await bench.review(threadId)).toEqual(['a.txt:1 pending', 'new.txt:1 pending']);
  const { result } = await tasks.accept(threadId, {}, diskFace);
  expect(await result).toMatchObject({ failed: [], conflicts: [] });
  expect(await workspace.read('new.txt')).toBe('n\n');
  await bench.run('two', { threadId });
  expect(toolOutputs(model.requests.at(-1)).at(-1)).toMatch(/mine\nONE\nls: .*libs\/f2/);
  expect(await bench.review(threadId)).toEqual(['new.txt:2 pending']);
  expect(git(root, 'rev-parse', 'HEAD')).toBe(head);
});

test('where it is off nothing of all that is said', async () => {
  await using bench = await openBench({ files, script: script(patch('a.txt', '-one', '+ONE'), say('Done.')) });
  const { threadId } = await bench.run('x');
  const { events } = await bench.tasks.thread(threadId, 0);
  expect(JSON.stringify(events)).not.toMatch(/unsandboxed/i);
  expect(JSON.stringify(bench.model.requests)).not.toMatch(/without a sandbox/i);
  expect(await bench.tasks.reviewDocument(threadId, noDocuments)).not.toMatch(/sandbox/i);
  expect(await bench.tasks.sandbox({ root: bench.workspace.root, unsandboxed: false })).toMatchObject({
    kind: 'overlay',
  });
});
