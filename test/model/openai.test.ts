/** The client of the Responses API, over the real package and real HTTP: what is sent, and what a stream becomes. */
import { expect, test } from 'vitest';
import { normaliseItem } from '../../server/model/conversation.ts';
import { custom, failure, gate, reasoning, say, script, shell, soon, startModel, together } from '../support/model.ts';
import { collect, key, modelAt, request } from './collect.ts';

test('a request has exactly the fields of the contract, in a fixed order', async () => {
  await using server = await startModel(script(say('Hi.')));
  await collect(server.baseURL, {
    headers: { 'x-team': 'blue' },
    request: { ...request, outputSchema: { name: 'answer', schema: { type: 'object' } } },
  });
  expect(Object.entries(server.requests[0] ?? {})).toEqual([
    ['model', 'test-model'],
    ['instructions', 'Be brief.'],
    ['input', request.input],
    ['tools', []],
    ['tool_choice', 'auto'],
    ['parallel_tool_calls', true],
    ['reasoning', { effort: 'low', summary: 'auto' }],
    ['store', false],
    ['stream', true],
    ['include', ['reasoning.encrypted_content']],
    ['prompt_cache_key', 'thread-1'],
    ['text', { format: { type: 'json_schema', strict: true, name: 'answer', schema: { type: 'object' } } }],
  ]);
  expect(server.calls[0]?.headers).toMatchObject({ authorization: `Bearer ${key}`, 'x-team': 'blue' });
});

test('text and reasoning stream, items come normalised, usage last', async () => {
  const text = 'A text that is long enough for several deltas, with an emoji 😀 in it.';
  await using server = await startModel(
    script(together(reasoning('Looking.'), say(text), shell('ls'), custom('apply_patch', '*** Begin Patch'))),
  );
  const events = await collect(server.baseURL);

  const deltas = events.flatMap((event) => (event.type === 'delta' && event.kind === 'message' ? [event.text] : []));
  expect(deltas.length).toBeGreaterThan(1);
  expect(deltas.join('')).toBe(text);
  expect(events.flatMap((event) => (event.type === 'item' ? [event.item] : []))).toEqual([
    { type: 'reasoning', summary: [{ type: 'summary_text', text: 'Looking.' }], encrypted_content: expect.any(String) },
    { type: 'message', role: 'assistant', content: [{ type: 'output_text', text }] },
    { type: 'function_call', call_id: expect.any(String), name: 'shell', arguments: '{"command":"ls"}' },
    { type: 'custom_tool_call', call_id: expect.any(String), name: 'apply_patch', input: '*** Begin Patch' },
  ]);
  expect(events.at(-1)).toEqual({
    type: 'completed',
    usage: {
      inputTokens: 100,
      cachedInputTokens: 50,
      outputTokens: expect.any(Number),
      reasoningTokens: 0,
      requests: 1,
    },
  });
  const ofMessage = events.flatMap((event) =>
    'itemId' in event && event.itemId.startsWith('msg_') ? [event.itemId] : [],
  );
  expect(new Set(ofMessage).size).toBe(1);
});

test('the least that a server may send is enough: no ids, no usage, unknown events', async () => {
  await using server = await startModel(
    script(
      failure.events(
        { type: 'response.created', response: { id: 'r' } },
        { type: 'response.new_thing', anything: [1, 2] },
        { type: 'response.output_item.added', item: { type: 'message', role: 'assistant', content: [] } },
        { type: 'response.output_text.delta', delta: 'hel' },
        { type: 'response.output_text.delta', delta: 'lo' },
        {
          type: 'response.output_item.done',
          item: { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'hello' }] },
        },
        { type: 'response.output_item.done', item: { type: 'web_search_call', id: 'ws-1', status: 'completed' } },
        {
          type: 'response.output_item.done',
          item: { type: 'function_call', call_id: 'c', name: 'shell', arguments: '{}' },
        },
        { type: 'response.completed', response: { id: 'r', usage: null } },
      ),
    ),
  );
  const events = await collect(server.baseURL);
  expect(events).toEqual([
    { type: 'delta', kind: 'message', itemId: 'item_0', text: 'hel' },
    { type: 'delta', kind: 'message', itemId: 'item_0', text: 'lo' },
    {
      type: 'item',
      itemId: 'item_0',
      item: { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'hello' }] },
    },
    { type: 'item', itemId: 'item_2', item: { type: 'function_call', call_id: 'c', name: 'shell', arguments: '{}' } },
    {
      type: 'completed',
      usage: { inputTokens: 0, cachedInputTokens: 0, outputTokens: 0, reasoningTokens: 0, requests: 1 },
    },
  ]);
});

test('an abort in the middle of a stream ends it at once, and the connection too', async () => {
  const held = gate(say('Hello, this will take some time, as it goes on and on.'), { eventsBefore: 6 });
  await using server = await startModel(script(held));
  const controller = new AbortController();
  const events: string[] = [];
  for await (const event of modelAt(server.baseURL)(request, controller.signal)) {
    events.push(event.type);
    controller.abort();
  }
  expect(events.at(-1)).toBe('aborted');
  expect(events.filter((type) => type !== 'delta')).toEqual(['aborted']);
  await soon(held.abandoned, 'the connection is closed');
});

test('an abort before the first byte, before the request, and while waiting for another attempt', async () => {
  const held = gate(say('never'));
  await using server = await startModel(script(held, failure.http(503)));
  const during = new AbortController();
  const waiting = collect(server.baseURL, { signal: during.signal });
  await soon(held.arrived, 'the request');
  during.abort();
  expect(await soon(waiting, 'the end')).toEqual([{ type: 'aborted' }]);
  await soon(held.abandoned, 'the connection is closed');

  expect(await collect(server.baseURL, { signal: AbortSignal.abort() })).toEqual([{ type: 'aborted' }]);

  const between = new AbortController();
  const patient = { attemptsMax: 2, baseDelayMs: 60_000, delayMsMax: 60_000, serverDelayMsMax: 60_000 };
  const types: string[] = [];
  for await (const event of modelAt(server.baseURL, { retry: patient })(request, between.signal)) {
    types.push(event.type);
    if (event.type === 'retry') setImmediate(() => between.abort());
  }
  expect(types).toEqual(['retry', 'aborted']);
});

test('items keep what belongs to their meaning and lose the rest', () => {
  const message = { type: 'message', id: 'm', status: 'completed', role: 'assistant', phase: 'final_answer' };
  const content = [
    { type: 'output_text', text: 'a', annotations: [], logprobs: [] },
    { type: 'refusal', refusal: 'no' },
  ];
  expect(normaliseItem({ ...message, content })).toEqual({
    type: 'message',
    role: 'assistant',
    content: [
      { type: 'output_text', text: 'a' },
      { type: 'refusal', refusal: 'no' },
    ],
    phase: 'final_answer',
  });
  expect(normaliseItem({ type: 'function_call', id: 'f' })).toBe('malformed');
  expect(normaliseItem({ type: 'image_generation_call' })).toBe('unknown');
});
