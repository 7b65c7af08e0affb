/** What the user keeps secret stands in no file of the state folder, however a turn ends. */
import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { failure, patch, type ScriptedAnswer, say, script, shell } from '../support/model.ts';
import { openBench } from '../support/task.ts';

const key = 'KEY-4711-aaaa';
const password = 'PASSWORD-4711-bbbb';
const header = 'HEADER-4711-cccc';
const token = 'TOKEN-4711-dddd';
const shown = 'seen by the command';

/** Of these, the files that hold one; with what is not readable made so. */
const filesWith = (folder: string): string =>
  execFileSync('/bin/bash', ['-c', 'grep -rlaE --devices=skip "(KEY|PASSWORD|HEADER|TOKEN)-4711" . || true'], {
    cwd: folder,
    encoding: 'utf8',
  });

const quoting = `You sent ${key} and ${header}`;

const endings: [string, ScriptedAnswer[]][] = [
  [
    'completed',
    [
      shell(`test "$MY_TOKEN" = ${token.slice(0, 5)}-4711-dddd && echo ${shown}`.replace('TOKEN-4711', 'TOKEN"-"4711')),
      patch('a.txt', '-one', '+ONE'),
      say('Done.'),
    ],
  ],
  ['refused, quoting them', [failure.http(401, { body: { error: { message: quoting } } })]],
  ['refused, in words of its own', [failure.http(400, { body: quoting })]],
  ['failed in the stream', Array.from({ length: 5 }, () => failure.failed('server_error', quoting))],
  ['broken by an error event', [failure.error('invalid_request_error', quoting)]],
  ['an unknown model', [failure.http(404, { body: { error: { message: quoting, code: 'model_not_found' } } })]],
];

test.each(endings)('a turn that is %s', async (_, answers) => {
  await using bench = await openBench({
    files: { 'a.txt': 'one\n' },
    script: script(...answers),
    environment: { OPENAI_API_KEY: key, MY_TOKEN: token },
    settings: (settings) => ({
      ...settings,
      provider: { ...settings.provider, headers: { 'x-team': header } },
      sandbox: { ...settings.sandbox, env: ['MY_TOKEN'] },
    }),
  });
  const { threadId, end } = await bench.run('shout');
  await bench.tasks.changeset(threadId, { under: () => new Map() });
  await bench.tasks.reviewDocument(threadId, { under: () => new Map() });
  await bench.tasks.archive(threadId, true);
  expect(end.status).toBe(_ === 'completed' ? 'completed' : 'failed');
  if (end.status === 'completed') expect(JSON.stringify(bench.events)).toContain(`${shown}\\n`);
  expect(JSON.stringify(bench.events)).not.toMatch(/(KEY|PASSWORD|HEADER|TOKEN)-4711/);
  expect(filesWith(bench.workspace.stateDir)).toBe('');
});

test.each([
  ['that nobody answers', `http://user:${password}@127.0.0.1:9/v1`],
  ['that is none', `not a url ${password}`],
])('an address %s', async (_, baseURL) => {
  await using bench = await openBench({
    files: { 'a.txt': 'one\n' },
    script: script(),
    environment: { OPENAI_API_KEY: key, OPENAI_BASE_URL: baseURL },
  });
  const { end } = await bench.run('shout');
  expect(end.status).toBe('failed');
  expect(JSON.stringify(end)).not.toContain(password);
  expect(filesWith(bench.workspace.stateDir)).toBe('');
});
