/** How a turn ends before its task does: cancelled, refused, out of steps or out of time. The first reason wins. */
import { afterEach, expect, test, vi } from 'vitest';
import { repairConversation } from '../../server/agent/repair.ts';
import { failure, gate, patch, say, script, shell, soon, startModel, together, toolOutputs } from '../support/model.ts';
import { fakeWorkbench, ran, runsUntilKilled } from './fake-workbench.ts';
import { eventsOf, itemsOf, turn } from './run-turn.ts';

afterEach(() => {
  vi.useRealTimers();
});

const outputsIn = (items: readonly { [key: string]: unknown }[]) =>
  items.flatMap(({ output }) => (output ? [output] : []));

test('cancelled in the middle of a message: the text so far is completed, the model is not told of it', async () => {
  const held = gate(say('A message that will never be said to its end, I am afraid.'), { eventsBefore: 6 });
  await using model = await startModel(script(held, say('Next.')));
  const user = new AbortController();
  const first = await turn(model, {
    signal: user.signal,
    onEvent: (event) => event.type === 'itemDelta' && user.abort(),
  });
  expect(first.outcome).toEqual({ status: 'interrupted' });
  expect(itemsOf(first)).toEqual([
    expect.objectContaining({ type: 'agentMessage', text: expect.stringMatching(/^A message/) }),
  ]);
  await soon(held.abandoned, 'the connection is closed');

  const next = await turn(model, { prompt: 'and now?', history: first.remembered });
  expect(next.outcome).toEqual({ status: 'completed', summary: 'Next.' });
  expect(model.requests[1]?.input).toHaveLength(2);
});

test('cancelled before it began: no request is made', async () => {
  await using model = await startModel(script());
  const { outcome } = await turn(model, { signal: AbortSignal.abort() });
  expect(outcome).toEqual({ status: 'interrupted' });
  expect(model.calls).toHaveLength(0);
});

test('cancelled while it waits for another attempt', async () => {
  await using model = await startModel(script(failure.http(503, { headers: { 'retry-after': '30' } })));
  const user = new AbortController();
  const running = turn(model, {
    signal: user.signal,
    onEvent: (event) => event.type === 'warning' && setImmediate(() => user.abort()),
  });
  expect((await soon(running, 'the end')).outcome).toEqual({ status: 'interrupted' });
});

test('cancelled in the middle of a command: nothing further runs, every call has its output', async () => {
  await using model = await startModel(
    script(together(shell('sleep 100'), shell('never'), patch('a.txt', '+never')), say('Ok.')),
  );
  const user = new AbortController();
  const workbench = fakeWorkbench({ runCommand: runsUntilKilled });
  const first = await turn(model, {
    workbench,
    signal: user.signal,
    onEvent: (event) => event.type === 'itemDelta' && event.delta === 'started\n' && user.abort(),
  });
  expect(first.outcome).toEqual({ status: 'interrupted' });
  expect(workbench.asked.filter(([what]) => what !== 'permit')).toEqual([['run', 'sleep 100', expect.anything()]]);
  expect(itemsOf(first)).toEqual([
    expect.objectContaining({ type: 'command', status: 'killed', output: 'started\n', exitCode: undefined }),
  ]);
  expect(outputsIn(first.remembered)).toEqual([
    'aborted by the user\nWall time: 0.1 s\nOutput:\nstarted\n',
    'aborted by the user',
    'aborted by the user',
  ]);
  expect(repairConversation(first.remembered)).toEqual(first.remembered);

  const next = await turn(model, { prompt: 'go on', history: first.remembered });
  expect(next.outcome.status).toBe('completed');
});

test('cancelled while the user is asked: the command does not start, even if the answer is yes', async () => {
  await using model = await startModel(script(shell('ls')));
  const user = new AbortController();
  const workbench = fakeWorkbench({
    permit: async () => {
      user.abort();
      return { allowed: true };
    },
  });
  const result = await turn(model, { workbench, signal: user.signal });
  expect(result.outcome).toEqual({ status: 'interrupted' });
  expect(workbench.asked.map(([what]) => what)).toEqual(['permit']);
  expect(outputsIn(result.remembered)).toEqual(['aborted by the user']);
});

test('a refusal goes on, a refusal that stops the turn does not', async () => {
  await using model = await startModel(
    script(shell('one'), patch('a.txt', '+x'), together(shell('two'), shell('three'))),
  );
  const workbench = fakeWorkbench({
    permit: async (action) => {
      if (action.kind === 'patch') return { allowed: false, reason: 'This turn only answers.' };
      return action.kind === 'command' && action.command === 'two'
        ? { allowed: false, reason: 'No, and stop.', stopTurn: true }
        : { allowed: false, reason: 'No.' };
    },
  });
  const result = await turn(model, { workbench });
  expect(result.outcome).toEqual({ status: 'interrupted' });
  expect(itemsOf(result)).toEqual([
    expect.objectContaining({ type: 'command', command: 'one', status: 'declined', output: 'No.' }),
    expect.objectContaining({ type: 'patch', status: 'declined', error: 'This turn only answers.' }),
    expect.objectContaining({ type: 'command', command: 'two', status: 'declined' }),
  ]);
  expect(outputsIn(result.remembered)).toEqual([
    'The command was not run: No.',
    'Not applied: This turn only answers.',
    'The command was not run: No, and stop.',
    'aborted by the user',
  ]);
  expect(workbench.asked.every(([what]) => what === 'permit')).toBe(true);
});

test('the limit of steps', async () => {
  await using model = await startModel(script(shell('one'), shell('two')));
  const result = await turn(model, { limits: { steps: 2 } });
  expect(result.outcome).toEqual({
    status: 'failed',
    error: { reason: 'stepLimit', message: expect.stringMatching(/2 steps .*limits\.steps/) },
  });
  expect(repairConversation(result.remembered)).toEqual(result.remembered);
});

test('the limit of minutes kills the command that runs', async () => {
  await using model = await startModel(script(together(shell('sleep 100'), shell('never'))));
  const workbench = fakeWorkbench({ runCommand: runsUntilKilled });
  const result = await turn(model, { workbench, limits: { turnMinutes: 0.25 / 60 } });
  expect(result.outcome).toEqual({
    status: 'failed',
    error: { reason: 'timeLimit', message: expect.stringMatching(/limits\.turnMinutes/) },
  });
  expect(outputsIn(result.remembered)).toHaveLength(2);
});

test('the limit of minutes ends a request', async () => {
  const held = gate(say('too late'));
  await using model = await startModel(script(held));
  const result = await turn(model, { limits: { turnMinutes: 0.1 / 60 } });
  expect(result.outcome).toMatchObject({ status: 'failed', error: { reason: 'timeLimit' } });
  await soon(held.abandoned, 'the connection is closed');
});

test('of a cancel and a limit the first one is the reason', async () => {
  await using model = await startModel(script(shell('ls')));
  const user = new AbortController();
  const minutes = 5;
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const workbench = fakeWorkbench({
    runCommand: async ({ signal }) => {
      user.abort();
      expect(signal.aborted).toBe(true);
      vi.advanceTimersByTime(minutes * 60_000);
      return ran('', { status: 'killed' });
    },
  });
  const result = await turn(model, { workbench, signal: user.signal, limits: { turnMinutes: minutes } });
  expect(result.outcome).toEqual({ status: 'interrupted' });
});

test('no sandbox: the model is told why, and what still works; nothing runs', async () => {
  await using model = await startModel(script(shell('npm test'), patch('a.txt', '+x'), say('Not tested.')));
  const workbench = fakeWorkbench({
    runCommand: async () => ({
      kind: 'unavailable',
      reason: 'bwrap is missing.',
      remedy: 'apt-get install bubblewrap',
      isForAll: true,
    }),
  });
  const result = await turn(model, { workbench });
  expect(result.outcome).toEqual({ status: 'completed', summary: 'Not tested.' });
  expect(toolOutputs(model.requests[1])[0]).toMatch(
    /no sandbox can be had on this machine.*bwrap is missing.*apt-get install bubblewrap.*apply_patch still works/,
  );
  expect(eventsOf(result, 'itemCompleted')[0]?.item).toMatchObject({ type: 'command', status: 'failed' });
});
