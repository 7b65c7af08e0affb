/** Every fault of a model, met half-way through a task by the real server: tried again, or reported by name; nothing is lost. */
import { expect, test } from 'vitest';
import { call, failure, patch, type ScriptedAnswer, say, script, toolOutputs } from '../support/model.ts';
import { openWorld } from '../support/world.ts';

const files = { 'a.txt': 'one\ntwo\n' };
const shout = patch('a.txt', '-one', '+ONE');

test.each<[string, ScriptedAnswer]>([
  ['429 with retry-after-ms', failure.http(429, { headers: { 'retry-after-ms': '10' } })],
  ['429 with retry-after', failure.http(429, { headers: { 'retry-after': '0' } })],
  ['500', failure.http(500)],
  ['503', failure.http(503)],
  ['a connection reset before the answer', failure.reset()],
  ['a stream dropped in the middle', failure.drop()],
  ['a malformed stream', failure.malformed()],
  ['an end without response.completed', failure.noCompleted()],
  [
    'a rate limit inside the stream',
    failure.failed('rate_limit_exceeded', 'Rate limit reached. Please try again in 10ms.'),
  ],
  ['response.failed for a passing reason', failure.failed('server_error', 'The server had an error.')],
  ['response.incomplete', failure.incomplete('max_output_tokens')],
])('%s is tried again, and what was said before it fails is void', async (_name, fault) => {
  await using world = await openWorld({ files, model: script(shout, fault, say('Shouted.')) });
  const task = await world.editor.runTask('shout');
  await task.reaches('inReview');
  expect(task.end()).toMatchObject({ status: 'completed', summary: 'Shouted.' });
  expect(await task.review()).toEqual(['a.txt:1 pending']);
  expect(JSON.stringify(world.model.requests.at(-1)?.input)).not.toContain('about to say');
});

test.each<[string, ScriptedAnswer, string, RegExp]>([
  ['401', failure.http(401), 'unauthorized', /OPENAI_API_KEY/],
  ['404', failure.http(404), 'unknownModel', /gpt-5\.4/],
  ['400', failure.http(400), 'modelError', /scripted 400/],
  ['no quota', failure.failed('insufficient_quota', 'You exceeded your current quota.'), 'quota', /quota/],
  [
    'a full context',
    failure.failed('context_length_exceeded', 'Your input exceeds the context window.'),
    'contextWindow',
    /context/,
  ],
  ['a refused prompt', failure.failed('invalid_prompt', 'This prompt is refused.'), 'modelError', /refused/],
  ['a content filter', failure.incomplete('content_filter'), 'modelError', /filter/],
])('%s is reported by name; the changes stay, and the next turn goes on', async (_name, fault, reason, words) => {
  await using world = await openWorld({ files, model: script(shout, fault, say('Went on.')) });
  const { editor } = world;
  const task = await editor.runTask('shout');
  await task.reaches('inReview');
  expect(task.end()).toMatchObject({ status: 'failed', error: { reason, message: expect.stringMatching(words) } });
  await editor.message(words);
  expect(await task.review()).toEqual(['a.txt:1 pending']);
  await editor.request('codex/runTask', { threadId: task.threadId, prompt: 'go on' });
  await editor.message(/Went on\./);
  expect(await task.review()).toEqual(['a.txt:1 pending']);
});

test('nobody listens at the address: tried again, then reported as the network', async () => {
  await using world = await openWorld({
    files,
    model: script(),
    // The port for discarding: nothing of ours or of a test listens on it.
    environment: { OPENAI_BASE_URL: 'http://127.0.0.1:9/v1' },
  });
  const task = await world.editor.runTask('shout');
  await world.editor.waitFor('the end', () => task.end());
  expect(task.end()).toMatchObject({
    status: 'failed',
    error: { reason: 'network', message: expect.stringContaining('127.0.0.1:9') },
  });
  await world.editor.message(/failed: .*127\.0\.0\.1:9/);
}, 40_000);

test('an unknown tool and wrong arguments are answered to the model, and the turn goes on', async () => {
  await using world = await openWorld({
    files,
    model: script(
      call('read_file', { path: 'a.txt' }),
      call('shell', { command: 'ls', shell: 'zsh' }),
      call('shell', '{"command":'),
      patch('a.txt', '-nowhere', '+x'),
      say('Gave up.'),
    ),
  });
  const task = await world.editor.runTask('look');
  await task.reaches('idle');
  expect(task.end()).toMatchObject({ status: 'completed', summary: 'Gave up.' });
  const answers = world.model.requests.slice(1).map((request) => toolOutputs(request).at(-1));
  expect(answers).toEqual([
    expect.stringContaining('read_file'),
    expect.stringContaining('shell'),
    expect.stringMatching(/JSON/),
    expect.stringContaining('nowhere'),
  ]);
  expect(await task.review()).toEqual([]);
});

test.each([
  ['steps', { steps: 2 }, 'stepLimit'],
  ['minutes', { turnMinutes: 0.02 }, 'timeLimit'],
])('the limit of %s is an outcome with a name; the changes stay', async (_name, limits, reason) => {
  const rest =
    reason === 'stepLimit' ? [call('shell', { command: 'true' })] : [call('shell', { command: 'sleep 300' })];
  await using world = await openWorld({
    files,
    settings: [{ origin: 'config.json', value: { limits } }],
    model: script(shout, ...rest),
  });
  const task = await world.editor.runTask('shout');
  await task.reaches('inReview');
  expect(task.end()).toMatchObject({ status: 'failed', error: { reason } });
  await world.editor.message(/failed/);
  expect(await task.review()).toEqual(['a.txt:1 pending']);
});
