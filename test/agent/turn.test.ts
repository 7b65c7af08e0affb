/** The loop: calls and their outputs in order, one output each, a stable prefix, steering, and the ways to end. */
import { expect, test } from 'vitest';
import { repairConversation } from '../../server/agent/repair.ts';
import {
  call,
  custom,
  failure,
  patch,
  plan,
  reasoning,
  say,
  script,
  shell,
  startModel,
  together,
  toolOutputs,
} from '../support/model.ts';
import { fakeWorkbench, ran } from './fake-workbench.ts';
import { eventsOf, itemsOf, turn } from './run-turn.ts';

test('a task: reasoning, plan, patch, command, and the last message as summary', async () => {
  await using model = await startModel(
    script(
      together(reasoning('Let me see.'), plan([{ step: 'shout', status: 'inProgress' }])),
      patch('a.txt', '-one', '+ONE'),
      shell('npm test'),
      say('Done: ONE.'),
    ),
  );
  const workbench = fakeWorkbench();
  const result = await turn(model, { workbench });

  expect(result.outcome).toEqual({ status: 'completed', summary: 'Done: ONE.' });
  expect(itemsOf(result)).toEqual([
    expect.objectContaining({ type: 'reasoning', text: 'Let me see.' }),
    expect.objectContaining({ type: 'plan', steps: [{ step: 'shout', status: 'inProgress' }] }),
    expect.objectContaining({ type: 'patch', status: 'completed', files: [{ path: 'a.txt', kind: 'modify' }] }),
    expect.objectContaining({
      type: 'command',
      command: 'npm test',
      cwd: '',
      status: 'completed',
      exitCode: 0,
      output: 'ran npm test\n',
      durationMs: 1234,
    }),
    expect.objectContaining({ type: 'agentMessage', text: 'Done: ONE.' }),
  ]);
  expect(toolOutputs(model.requests.at(-1))).toEqual([
    'Plan updated.',
    'Success. Updated the following files:\nM a.txt',
    'Exit code: 0\nWall time: 1.2 s\nOutput:\nran npm test\n',
  ]);
  expect(workbench.asked).toContainEqual([
    'patch',
    '*** Begin Patch\n*** Update File: a.txt\n@@\n-one\n+ONE\n*** End Patch',
  ]);
  expect(eventsOf(result, 'usage').map(({ usage }) => usage.requests)).toEqual([1, 1, 1, 1]);
});

test('what streams is started, told in deltas and completed under one id', async () => {
  await using model = await startModel(
    script(together(say('A message of several deltas, surely.'), shell('ls')), say('.')),
  );
  const { events } = await turn(model);
  const ids = new Map<string, string[]>();
  for (const event of events) {
    const id = 'item' in event ? event.item.id : 'itemId' in event ? event.itemId : undefined;
    if (id) ids.set(id, [...(ids.get(id) ?? []), event.type]);
  }
  expect([...ids.values()]).toEqual([
    ['itemStarted', 'itemDelta', 'itemDelta', 'itemCompleted'],
    ['itemStarted', 'itemDelta', 'itemCompleted'],
    ['itemStarted', 'itemDelta', 'itemCompleted'],
  ]);
});

test('several calls of one response run in their order, each with its output, after the response is complete', async () => {
  const order: string[] = [];
  await using model = await startModel(
    script(
      together(shell('first'), patch('a.txt', '+x'), shell('second'), say('calling')),
      failure.noCompleted(shell('never')),
      say('done'),
    ),
  );
  const workbench = fakeWorkbench({
    runCommand: async ({ command }) => {
      order.push(`begin ${command}`);
      await new Promise((resolve) => setImmediate(resolve));
      order.push(`end ${command}`);
      return ran(command);
    },
    applyPatch: async () => {
      order.push('patch');
      return { ok: true, files: [] };
    },
  });
  const { outcome } = await turn(model, { workbench });
  expect(outcome.status).toBe('completed');
  expect(order).toEqual(['begin first', 'end first', 'patch', 'begin second', 'end second']);
});

test('calls are remembered before they run, outputs before the next request', async () => {
  await using model = await startModel(script(together(shell('one'), shell('two')), say('done')));
  const log: string[] = [];
  const workbench = fakeWorkbench({
    runCommand: async ({ command }) => {
      log.push(`run ${command}`);
      return ran('');
    },
  });
  const outcome = await turn(model, {
    workbench,
    remember: async (items) => void log.push(...items.map(({ type }) => type)),
  });
  expect(outcome.outcome.status).toBe('completed');
  expect(log).toEqual([
    'function_call',
    'function_call',
    'run one',
    'function_call_output',
    'run two',
    'function_call_output',
    'message',
  ]);
});

test('the prefix stays byte for byte over requests and turns; the next turn goes on from what was remembered', async () => {
  await using model = await startModel(
    script(together(reasoning('Hm.'), say('I look.'), shell('ls')), say('One.'), patch('a.txt', '+x'), say('Two.')),
  );
  const first = await turn(model, { prompt: 'first' });
  const second = await turn(model, { prompt: 'second', history: first.remembered });
  expect(second.outcome).toEqual({ status: 'completed', summary: 'Two.' });
  // The strict model has compared every request with the one before it; here is how much that was.
  expect(model.requests.map(({ input }) => input.length)).toEqual([1, 5, 7, 9]);
  expect(model.requests[3]?.input[1]).toHaveProperty('encrypted_content');
});

test('reasoning that is not sealed is shown but not sent back', async () => {
  const unsealed = { type: 'reasoning', id: 'rs', summary: [{ type: 'summary_text', text: 'Hm.' }] };
  const lsCall = { type: 'function_call', id: 'fc', call_id: 'c1', name: 'shell', arguments: '{"command":"ls"}' };
  await using model = await startModel(
    script(
      failure.events(
        { type: 'response.output_item.done', item: unsealed },
        { type: 'response.output_item.done', item: lsCall },
        { type: 'response.completed', response: { id: 'r' } },
      ),
      say('Done.'),
    ),
  );
  const result = await turn(model);
  expect(itemsOf(result)[0]).toMatchObject({ type: 'reasoning', text: 'Hm.' });
  expect(model.requests[1]?.input.map(({ type }) => type)).toEqual([
    'message',
    'function_call',
    'function_call_output',
  ]);
});

test('an unknown tool, wrong arguments and a tool in the wrong form are answered, and the loop goes on', async () => {
  await using model = await startModel(
    script(
      together(
        call('browse', { url: 'x' }),
        call('shell', '{"command": '),
        custom('shell', 'ls'),
        call('shell', { cmd: 'ls' }),
      ),
      say('Sorry.'),
    ),
  );
  const workbench = fakeWorkbench();
  const result = await turn(model, { workbench });
  expect(result.outcome).toEqual({ status: 'completed', summary: 'Sorry.' });
  expect(toolOutputs(model.requests[1])).toEqual([
    'There is no tool "browse". The tools are shell, apply_patch, update_plan.',
    expect.stringMatching(/arguments of shell are not JSON/),
    expect.stringMatching(/shell is a function tool/),
    expect.stringMatching(/unknown parameter "cmd"/),
  ]);
  expect(itemsOf(result).filter(({ type }) => type === 'tool')).toHaveLength(4);
  expect(workbench.asked).toEqual([]);
});

test('apply_patch in its function form', async () => {
  const text = '*** Begin Patch\n*** Delete File: a.txt\n*** End Patch';
  await using model = await startModel(script(call('apply_patch', { patch: text }), say('Done.')));
  const workbench = fakeWorkbench();
  await turn(model, { workbench, freeformTools: false });
  expect(workbench.asked).toContainEqual(['patch', text]);
  expect(model.requests[0]?.tools.map(({ type, name }) => `${type} ${name}`)).toEqual([
    'function shell',
    'function apply_patch',
    'function update_plan',
  ]);
});

test('messages of the user are told with the next request, also one that comes with the last answer', async () => {
  await using model = await startModel(script(shell('ls'), say('Done.'), say('Then that too.')));
  const waiting = [[], ['use tabs'], ['and test it']];
  const result = await turn(model, { steering: () => waiting.shift() ?? [] });
  expect(result.outcome).toEqual({ status: 'completed', summary: 'Then that too.' });
  expect(model.requests[1]?.input.at(-1)).toMatchObject({ role: 'user', content: [{ text: 'use tabs' }] });
  expect(model.requests[2]?.input.at(-1)).toMatchObject({ role: 'user', content: [{ text: 'and test it' }] });
  expect(itemsOf(result).flatMap((item) => (item.type === 'userMessage' ? [item.text] : []))).toEqual([
    'use tabs',
    'and test it',
  ]);
});

test('a broken answer is void: its text starts again under the same id, and the user is warned', async () => {
  await using model = await startModel(script(failure.drop(say('I was wrong about something')), say('Right.')));
  const result = await turn(model);
  expect(itemsOf(result)).toEqual([{ id: 'i1', type: 'agentMessage', text: 'Right.' }]);
  expect(eventsOf(result, 'itemStarted').map(({ item }) => item)).toEqual([
    { id: 'i1', type: 'agentMessage', text: '' },
    { id: 'i1', type: 'agentMessage', text: '' },
  ]);
  expect(eventsOf(result, 'warning').map(({ message }) => message)).toEqual([
    expect.stringMatching(/broke in the middle .* \(attempt 2 of 5\)/),
  ]);
});

test('a failed turn leaves a conversation that the next turn goes on with', async () => {
  await using model = await startModel(
    script(shell('ls'), failure.failed('insufficient_quota', 'empty'), say('On we go.')),
  );
  const first = await turn(model, { prompt: 'first' });
  expect(first.outcome).toEqual({
    status: 'failed',
    error: { reason: 'quota', message: expect.stringMatching(/empty/) },
  });
  const second = await turn(model, { prompt: 'second', history: first.remembered });
  expect(second.outcome).toEqual({ status: 'completed', summary: 'On we go.' });
  expect(model.requests[2]?.input.map(({ type }) => type)).toEqual([
    'message',
    'function_call',
    'function_call_output',
    'message',
  ]);
});

test('a crash between call and output is repaired the same way every time', async () => {
  await using model = await startModel(script(together(shell('one'), shell('two')), say('a'), say('b')));
  const crashed = await turn(model, { limits: { steps: 1 } });
  const history = crashed.remembered.slice(0, -1);
  expect(history.at(-1)?.type).toBe('function_call_output');
  const first = await turn(model, { prompt: 'again', history });
  expect(toolOutputs(model.requests[1])).toEqual([expect.stringMatching(/ran one/), 'aborted by the user']);
  await turn(model, { prompt: 'and again', history: first.remembered });
});

test('a bug in a tool fails the turn as internal, with every call answered', async () => {
  await using model = await startModel(script(together(shell('ls'), shell('pwd'))));
  const workbench = fakeWorkbench({ runCommand: () => Promise.reject(new Error('a bug')) });
  const { outcome, remembered } = await turn(model, { workbench });
  expect(outcome).toEqual({ status: 'failed', error: { reason: 'internal', message: 'a bug' } });
  expect(repairConversation(remembered)).toEqual(remembered);
});

test('what went wrong beneath it is said in the words of whoever knows it', async () => {
  await using model = await startModel(script(shell('ls')));
  const workbench = fakeWorkbench({ runCommand: () => Promise.reject(new Error('ENOSPC')) });
  const explain = (error: unknown) => `make room: ${String(error)}`;
  const { outcome } = await turn(model, { workbench, explain });
  expect(outcome).toMatchObject({ error: { reason: 'internal', message: 'make room: Error: ENOSPC' } });
});
