/** The fakes themselves: the demo's model follows its script, the tests' model lets nothing wrong pass. */
import { expect, test } from 'vitest';
import { say, shell } from '../../server/cli/demo/scripted-answers.ts';
import { startScriptedModel } from '../../server/cli/demo/scripted-model.ts';
import type { ConversationItem } from '../../server/model/model.ts';
import { asked, gate, script, scriptWhen, soon, startModel } from '../support/model.ts';
import { collect, request } from './collect.ts';

const user = (text: string): ConversationItem => ({
  type: 'message',
  role: 'user',
  content: [{ type: 'input_text', text }],
});
const call: ConversationItem = { type: 'function_call', call_id: 'c', name: 'shell', arguments: '{}' };
const output: ConversationItem = { type: 'function_call_output', call_id: 'c', output: 'x' };

test('the demo’s model gives the n-th request the n-th answer, and refuses one too many by name', async () => {
  const model = await startScriptedModel([say('one'), shell('ls')]);
  const types: string[] = [];
  for (let count = 0; count < 2; count += 1) {
    const events = await collect(model.baseURL);
    types.push(...events.flatMap((event) => (event.type === 'item' ? [event.item.type] : [])));
  }
  expect(types).toEqual(['message', 'function_call']);
  expect((await collect(model.baseURL)).at(-1)).toMatchObject({
    type: 'failed',
    reason: 'modelError',
    message: expect.stringMatching(/2 answers; this is request 3/),
  });
  expect(model.requests).toHaveLength(3);
  await model.close();
});

const broken: [string, ConversationItem[], RegExp][] = [
  ['a call without an output', [user('x'), call], /call c has no output/],
  ['an output without a call', [user('x'), output], /without an open call c/],
  ['an output before its call', [output, call, user('x')], /without an open call c/],
  ['an output of the other kind', [call, { ...output, type: 'custom_tool_call_output' }], /without an open call c/],
  ['a message before the output', [call, user('x'), output], /a message before the outputs of c/],
  ['an id that dangles', [{ ...user('x'), id: 'm' }], /an id or a status/],
  ['reasoning that is not sealed', [{ type: 'reasoning', summary: [] }], /without encrypted_content/],
];

test.each(broken)('the strict model refuses %s, and fails the test', async (_name, input, problem) => {
  const model = await startModel(script(say('never')));
  const events = await collect(model.baseURL, { request: { ...request, input } });
  expect(events.at(-1)).toMatchObject({ type: 'failed', message: expect.stringMatching(problem) });
  expect(() => model.assertUsedUp()).toThrow(problem);
  await expect(model[Symbol.asyncDispose]()).rejects.toThrow(/0 of 1 answers/);
});

test('the strict model sees a prefix that changed, of the same thread only', async () => {
  const model = await startModel(script(say('1'), say('2'), say('3')));
  await collect(model.baseURL, { request: { ...request, input: [user('a'), user('b')] } });
  await collect(model.baseURL, { request: { ...request, input: [user('x')], cacheKey: 'another' } });
  await collect(model.baseURL, { request: { ...request, input: [user('a'), user('b'), user('c')] } });
  model.assertUsedUp();

  await collect(model.baseURL, { request: { ...request, input: [user('a'), user('B'), user('c')] } });
  expect(() => model.assertUsedUp()).toThrow(/request 4: input\[1\] was .*"b".* and is now .*"B"/);
  await collect(model.baseURL, {
    request: { ...request, input: [user('a'), user('b'), user('c')], instructions: 'Now.' },
  });
  expect(() => model.assertUsedUp()).toThrow(/request 5: instructions differ/);
  await model.close();
});

test('an unplanned request and an answer nobody asked for fail the test', async () => {
  const model = await startModel(script(say('one')));
  expect(() => model.assertUsedUp()).toThrow(/0 of 1 answers were used/);
  await collect(model.baseURL);
  await collect(model.baseURL);
  expect(() => model.assertUsedUp()).toThrow(/request 2: the script has no answer/);
  await model.close();
});

test('several threads at once, each with its own script; answers made from the request', async () => {
  const first = gate(say('to the first'));
  await using model = await startModel(
    scriptWhen(asked('first "one"'), first),
    scriptWhen(asked('second'), (body) => say(`to ${body.prompt_cache_key}`)),
  );
  const one = collect(model.baseURL, { request: { ...request, cacheKey: 't1', input: [user('the first "one"')] } });
  await soon(first.arrived, 'the first request');
  const two = await collect(model.baseURL, { request: { ...request, cacheKey: 't2', input: [user('the second')] } });
  expect(JSON.stringify(two)).toContain('to t2');
  first.open();
  expect(JSON.stringify(await one)).toContain('to the first');
});
