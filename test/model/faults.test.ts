/** Every fault of a model server, over the real package and real HTTP: what is tried again, and how failures are named. */
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import type { ModelEvent } from '../../server/model/model.ts';
import { failure, type ScriptedAnswer, say, script, shell, startModel } from '../support/model.ts';
import { collect, key, quick } from './collect.ts';

const done = say('Done.');
const ends = (events: readonly ModelEvent[]): string => {
  const last = events.at(-1);
  return last?.type === 'failed' ? last.reason : (last?.type ?? 'nothing');
};
const retries = (events: readonly ModelEvent[]) => events.flatMap((event) => (event.type === 'retry' ? [event] : []));
const messageOf = (events: readonly ModelEvent[]): string => {
  const last = events.at(-1);
  return last?.type === 'failed' ? last.message : '';
};
const body = (code: string | null, message = 'said the server', type = 'some_error') => ({
  body: { error: { code, type, message, param: null } },
});

const passing: [string, ScriptedAnswer][] = [
  ['429', failure.http(429)],
  ['429 rate_limit_exceeded', failure.http(429, body('rate_limit_exceeded'))],
  ['408', failure.http(408)],
  ['409', failure.http(409)],
  ['500', failure.http(500)],
  ['503 without a body', failure.http(503, { body: '' })],
  ['529 as HTML', failure.http(529, { body: '<html>busy</html>' })],
  ['a reset connection', failure.reset()],
  ['a dropped stream', failure.drop()],
  ['a malformed stream', failure.malformed()],
  ['an event of a wrong shape', failure.events({ type: 'response.output_text.delta', delta: 7 })],
  ['a call that can’t be read', failure.events({ type: 'response.output_item.done', item: { type: 'function_call' } })],
  ['an end without response.completed', failure.noCompleted()],
  ['an empty stream', failure.events()],
  ['response.failed server_error', failure.failed('server_error', 'oops')],
  ['response.failed server_is_overloaded', failure.failed('server_is_overloaded', 'busy')],
  ['response.failed without an error', failure.events({ type: 'response.failed', response: {} })],
  ['response.failed with a code that names a method of objects', failure.failed('constructor', 'oops')],
  ['response.incomplete max_output_tokens', failure.incomplete('max_output_tokens')],
  ['response.incomplete of a new kind', failure.incomplete('tired')],
  ['error event, flat', failure.error('server_error', 'oops')],
  ['error event, nested', failure.error('server_error', 'oops', 'nested')],
];

test.each(passing)('%s is tried again', async (_name, fault) => {
  await using server = await startModel(script(fault, done));
  const events = await collect(server.baseURL);
  expect(ends(events)).toBe('completed');
  expect(server.requests).toHaveLength(2);
  expect(retries(events)).toEqual([
    expect.objectContaining({ attempt: 2, message: expect.stringMatching(/\w+ .*\w/) }),
  ]);
  expect(server.calls[1]?.text).toBe(server.calls[0]?.text);
  // What counts comes after the retry, and nothing of the broken answer is repeated there.
  const after = events.slice(events.findIndex(({ type }) => type === 'retry'));
  expect(after.filter((event) => event.type === 'item')).toHaveLength(1);
});

const final: [string, ScriptedAnswer, string, RegExp][] = [
  ['401', failure.http(401, body('invalid_api_key')), 'unauthorized', /THE_KEY/],
  ['401 of any server', failure.http(401, body(null, 'x', 'invalid_request_error')), 'unauthorized', /THE_KEY/],
  ['403', failure.http(403), 'unauthorized', /THE_KEY/],
  ['403 model_not_found', failure.http(403, body('model_not_found')), 'unknownModel', /test-model/],
  ['404', failure.http(404, { body: 'nothing here' }), 'unknownModel', /test-model.*nothing here/],
  ['404 model_not_found', failure.http(404, body('model_not_found')), 'unknownModel', /test-model/],
  ['402', failure.http(402), 'quota', /payment/],
  ['429 insufficient_quota', failure.http(429, body('insufficient_quota')), 'quota', /said the server/],
  [
    '429 usage_limit_reached',
    failure.http(429, body(null, 'limit reached', 'usage_limit_reached')),
    'quota',
    /limit reached/,
  ],
  ['400', failure.http(400, body('unsupported_value', 'no such effort')), 'modelError', /no such effort/],
  ['400 as plain text', failure.http(400, { body: 'bad news' }), 'modelError', /bad news/],
  ['400 with an error that is a text', failure.http(400, { body: { error: 'bad news' } }), 'modelError', /bad news/],
  ['400 context_length_exceeded', failure.http(400, body('context_length_exceeded')), 'contextWindow', /new thread/],
  ['413', failure.http(413), 'contextWindow', /too large|413/],
  ['422', failure.http(422, body(null, 'odd')), 'modelError', /422.*odd/],
  ['500 that says not to', failure.http(500, { headers: { 'x-should-retry': 'false' } }), 'modelError', /500/],
  [
    'response.failed context_length_exceeded',
    failure.failed('context_length_exceeded', 'long'),
    'contextWindow',
    /long/,
  ],
  ['response.failed insufficient_quota', failure.failed('insufficient_quota', 'empty'), 'quota', /empty/],
  ['response.failed usage_not_included', failure.failed('usage_not_included', 'plan'), 'quota', /plan/],
  ['response.failed invalid_prompt', failure.failed('invalid_prompt', 'bad'), 'modelError', /bad/],
  ['response.failed cyber_policy', failure.failed('cyber_policy', 'bad'), 'modelError', /bad/],
  ['response.incomplete content_filter', failure.incomplete('content_filter'), 'modelError', /content_filter/],
  ['error event, flat', failure.error('insufficient_quota', 'empty'), 'quota', /empty/],
  ['error event, nested', failure.error('context_length_exceeded', 'long', 'nested'), 'contextWindow', /long/],
  ['error event invalid_request_error', failure.error('invalid_request_error', 'bad'), 'modelError', /bad/],
];

test.each(final)('%s ends the request at once', async (_name, fault, reason, message) => {
  await using server = await startModel(script(fault));
  const events = await collect(server.baseURL, { apiKeyEnv: 'THE_KEY' });
  expect(ends(events)).toBe(reason);
  expect(messageOf(events)).toMatch(message);
  expect(retries(events)).toEqual([]);
  expect(server.calls).toHaveLength(1);
});

const lasting: [string, () => ScriptedAnswer, string][] = [
  ['429', () => failure.http(429), 'rateLimited'],
  ['503', () => failure.http(503), 'modelError'],
  ['a dropped stream', () => failure.drop(), 'network'],
  ['a malformed stream', () => failure.malformed(), 'modelError'],
  ['an end without response.completed', () => failure.noCompleted(), 'network'],
  [
    'rate_limit_exceeded in the stream',
    () => failure.failed('rate_limit_exceeded', 'slow. Try again in 2ms.'),
    'rateLimited',
  ],
];

test.each(lasting)('%s that lasts is given up, by name, after the attempts there are', async (_name, fault, reason) => {
  await using server = await startModel(script(...Array.from({ length: quick.attemptsMax }, fault)));
  const events = await collect(server.baseURL);
  expect(ends(events)).toBe(reason);
  expect(messageOf(events)).toMatch(/5 attempts/);
  expect(retries(events).map(({ attempt }) => attempt)).toEqual([2, 3, 4, 5]);
});

test('an answer cut off at the output limit is tried twice and not five times', async () => {
  const cut = failure.incomplete('max_output_tokens');
  await using server = await startModel(script(cut, cut));
  const events = await collect(server.baseURL);
  expect(ends(events)).toBe('modelError');
  expect(messageOf(events)).toMatch(/max_output_tokens/);
});

test('a call of a tool in an answer that failed is void', async () => {
  await using server = await startModel(script(failure.noCompleted(shell('rm -r .')), failure.drop(shell('ls')), done));
  const events = await collect(server.baseURL);
  const after = events.slice(events.findLastIndex(({ type }) => type === 'retry'));
  expect(after.flatMap((event) => (event.type === 'item' ? [event.item.type] : []))).toEqual(['message']);
});

const delays: [string, ScriptedAnswer, number][] = [
  ['retry-after-ms', failure.http(429, { headers: { 'retry-after-ms': '37' } }), 37],
  [
    'retry-after-ms before retry-after',
    failure.http(429, { headers: { 'retry-after-ms': '21', 'retry-after': '9' } }),
    21,
  ],
  ['retry-after in seconds', failure.http(503, { headers: { 'retry-after': '0.04' } }), 40],
  [
    'rate_limit_exceeded with retry-after-ms',
    failure.http(429, { ...body('rate_limit_exceeded'), headers: { 'retry-after-ms': '12' } }),
    12,
  ],
  ['the message of the stream', failure.failed('rate_limit_exceeded', 'Please try again in 0.033s. Visit'), 33],
  ['the message of the stream, ms', failure.failed('rate_limit_exceeded', 'Try again in 14ms.'), 14],
];

test.each(delays)('the wait a server asks for is kept: %s', async (_name, fault, delayMs) => {
  await using server = await startModel(script(fault, done));
  const events = await collect(server.baseURL);
  expect(retries(events).map((event) => event.delayMs)).toEqual([delayMs]);
});

test('a wait longer than the policy allows is not waited for', async () => {
  await using server = await startModel(script(failure.http(429, { headers: { 'retry-after': '3600' } })));
  const events = await collect(server.baseURL);
  expect(ends(events)).toBe('rateLimited');
  expect(messageOf(events)).toMatch(/3600 s/);
});

test('a refused connection is tried again and named with its address, without what is secret in it', async () => {
  const listener = createServer();
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const address = listener.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  await new Promise((resolve) => listener.close(resolve));

  const events = await collect(`http://127.0.0.1:${port}/v1`);
  expect(ends(events)).toBe('network');
  expect(messageOf(events)).toContain(`http://127.0.0.1:${port}/v1 (connection refused)`);
  expect(retries(events)).toHaveLength(4);
  expect(JSON.stringify(await collect(`http://user:pass@127.0.0.1:${port}/v1?key=abc`))).not.toMatch(/pass|abc/);
});

test('an address that is none is named as such', async () => {
  const events = await collect('not an address');
  expect(ends(events)).toBe('network');
  expect(messageOf(events)).toMatch(/provider\.baseURL/);
  expect(retries(events)).toEqual([]);
});

test('a silent server is given up after the idle timeout, before the first event and between two', async () => {
  await using server = await startModel(script(failure.hang(say('')), failure.hang()));
  const retry = { ...quick, attemptsMax: 2 };
  const events = await collect(server.baseURL, { idleTimeoutMs: 60, retry });
  expect(ends(events)).toBe('network');
  expect(messageOf(events)).toMatch(/said nothing/);
  expect(retries(events)).toHaveLength(1);
});

test('neither key nor headers stand in a message, whoever repeats them', async () => {
  const token = 'blue-and-secret';
  const echo = `You sent ${key} and ${token}; did you mean sk-proj-ab***yz?`;
  await using server = await startModel(
    script(failure.http(500, body(null, echo)), failure.failed('x', echo), failure.http(400, body(null, echo))),
  );
  const events = await collect(server.baseURL, { headers: { 'x-token': token } });
  expect(server.calls[0]?.headers['x-token']).toBe(token);
  expect(messageOf(events)).toContain('[secret]');
  expect(JSON.stringify(events)).not.toMatch(new RegExp(`${key}|${token}|sk-proj`));

  const broken = await collect(server.baseURL, { apiKey: 'a key with a\nline end' });
  expect(ends(broken)).toBe('internal');
  expect(JSON.stringify(broken)).not.toContain('a key with');
});
