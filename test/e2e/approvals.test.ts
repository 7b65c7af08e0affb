/** One question in two editors, and what becomes of a yes for the thread. */
import { expect, test } from 'vitest';
import { openEditor } from '../support/editor.ts';
import { say, script, shell } from '../support/model.ts';
import { openWorld } from '../support/world.ts';

const settings = [{ origin: 'config.json', value: { approvalPolicy: 'untrusted' } }] as const;

test('two editors answer at once: one wins, the other is told by what; both see it gone', async () => {
  await using world = await openWorld({
    files: { 'a.txt': 'one\n' },
    settings,
    model: script(shell('touch made'), say('Done.')),
  });
  const { editor: one, workspace } = world;
  const place = { root: workspace.root, stateFolder: workspace.stateDir };
  await using other = await openEditor({ tasks: one.tasks, place, settings });
  const task = await one.runTask('make it');
  await task.reaches('waitingForApproval');
  const listed = await other.request('codex/approvals', {});
  expect(listed.approvals).toMatchObject([{ kind: 'command', command: 'touch made', threadId: task.threadId }]);
  const approvalId = listed.approvals[0]?.approvalId ?? '';
  const answers = await Promise.allSettled([
    one.request('codex/approve', { approvalId, decision: 'decline' }),
    other.request('codex/approve', { approvalId, decision: 'accept' }),
  ]);
  const first = answers[0].status === 'fulfilled' ? 'decline' : 'accept';
  const [lost] = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason] : []));
  expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  expect(lost).toMatchObject({
    code: -32803,
    message: expect.stringContaining(first),
    data: { reason: 'alreadySettled', decision: first },
  });
  await task.reaches(first === 'accept' ? 'inReview' : 'idle');
  for (const editor of [one, other]) {
    const { approvals } = await editor.request('codex/approvals', {});
    expect(approvals.filter(({ kind }) => kind === 'command')).toEqual([]);
    editor.messages();
  }
});

test('a yes for the thread is listed, survives another editor, and is taken back by its id', async () => {
  await using world = await openWorld({
    files: { 'a.txt': 'one\n' },
    settings,
    model: script(
      shell('true | ./run'),
      say('Done.'),
      shell('true | ./run'),
      say('Again.'),
      shell('true | ./run'),
      say('Last.'),
    ),
  });
  const { editor } = world;
  await editor.open('a.txt');
  const task = await editor.runTask('run it');
  await task.reaches('waitingForApproval');
  await editor.codeAction('Codex: allow for this thread: Run: true | ./run', { at: 'a.txt:1' });
  await task.reaches('idle');
  const { grants } = await editor.request('codex/grants', {});
  expect(grants).toMatchObject([{ threadId: task.threadId, kind: 'command', command: 'true | ./run', cwd: '' }]);
  const again = await editor.runTask('again', { threadId: task.threadId });
  await editor.waitFor('its end', () => again.end()?.summary === 'Again.');
  await editor.executeCommand('codex.revoke', [grants[0]?.grantId]);
  expect(await editor.request('codex/grants', {})).toEqual({ grants: [] });
  await editor.runTask('last', { threadId: task.threadId });
  await task.reaches('waitingForApproval');
  await editor.codeAction('Codex: deny', { at: 'a.txt:1' });
  await task.reaches('idle');
  expect(task.items('command').map(({ status }) => status)).toEqual(['failed', 'failed', 'declined']);
});
