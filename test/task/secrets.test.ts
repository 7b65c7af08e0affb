/** A whole turn over a workspace with secrets: they reach neither the model nor anything that is kept of the thread. */
import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { noDocuments } from '../../server/task/ports.ts';
import { patch, say, script, shell, toolOutputs } from '../support/model.ts';
import { openBench } from '../support/task.ts';
import { git } from '../support/workspace.ts';

const secret = 'TOPSECRET-4711';
const files = {
  'a.txt': 'one\n',
  '.env': `KEY=${secret}\n`,
  'private/plan.txt': `${secret}\n`,
  'AGENTS.md': 'Be brief.\n',
  '.codexignore': 'private\n',
};

const filesWith = (folder: string): string =>
  execFileSync('/bin/bash', ['-c', `chmod -R u+rwX . ; grep -rlF --devices=skip ${secret} . || true`], {
    cwd: folder,
    encoding: 'utf8',
  });

test('nothing that is sent or kept holds a secret; the agent’s own file in its place is a conflict that shows none', async () => {
  await using bench = await openBench({
    files,
    documents: { under: () => new Map([['.env', { version: 1, text: `KEY=${secret}-unsaved\n` }]]) },
    script: script(
      shell('cat .env private/* .git/config; ls -A'),
      patch('a.txt', '-one', '+ONE'),
      shell('echo KEY=mine >.env; cat .env'),
      say('Done.'),
    ),
  });
  const { workspace, tasks, model } = bench;
  git(workspace.root, 'remote', 'add', 'origin', `https://bob:${secret}@example.org/x`);
  const { threadId, end } = await bench.run('work');
  expect(end.status).toBe('completed');
  expect(toolOutputs(model.requests[1]).join('')).toContain('https://***@example.org/x');
  expect(JSON.stringify(model.requests)).not.toContain(secret);

  expect(await bench.review(threadId)).toEqual(['.env:1 conflicting', 'a.txt:1 pending']);
  const documents = { under: () => new Map([['.env', { version: 1, text: `KEY=${secret}-unsaved\n` }]]) };
  for (const shown of [documents, noDocuments]) {
    expect(JSON.stringify(await tasks.changeset(threadId, shown))).not.toContain(secret);
    const review = await tasks.reviewDocument(threadId, shown);
    expect(review).toContain('hidden secret file');
    expect(review).not.toContain(secret);
  }
  expect(filesWith(workspace.stateDir)).toBe('');
  expect(await workspace.read('.env')).toBe(files['.env']);
});

test('the next turn, in another process, finds them hidden still; a setting of the user shows one', async () => {
  await using bench = await openBench({
    files,
    script: script(
      shell('rm -rf private; ls -A'),
      say('One.'),
      shell('cat .env; echo $?; ls -A'),
      say('Two.'),
      shell('cat .env private/plan.txt'),
      say('Three.'),
    ),
  });
  const { threadId } = await bench.run('one');
  await bench.restart();
  await bench.run('two', { threadId });
  expect(JSON.stringify(bench.model.requests)).not.toContain(secret);
  expect(filesWith(bench.workspace.stateDir)).toBe('');
  bench.settings.sandbox.secrets = ['.env'];
  await bench.run('three', { threadId });
  expect(JSON.stringify(bench.model.requests).split(`KEY=${secret}`).length).toBe(2);
  expect(await bench.review(threadId)).toEqual([]);
});

test('instructions that .codexignore names are not sent', async () => {
  await using bench = await openBench({
    files: { ...files, 'AGENTS.md': `Use ${secret}.\n`, '.codexignore': 'AGENTS.md\n' },
    script: script(say('Done.')),
  });
  await bench.run('work');
  expect(JSON.stringify(bench.model.requests)).not.toContain(secret);
});

test('a flood of names that look secret shows nothing, instead of the one that matters', async () => {
  await using bench = await openBench({
    files: { 'deep/down/.env': `KEY=${secret}\n`, 'a.txt': 'one\n' },
    script: script(shell('cat deep/down/.env; echo RAN'), patch('a.txt', '-one', '+ONE'), say('Done.')),
  });
  const { workspace, model } = bench;
  execFileSync('/bin/bash', ['-c', 'mkdir t; cd t; for n in $(seq 10001); do : >$n.p8; done'], { cwd: workspace.root });
  await bench.run('work');
  const told = toolOutputs(model.requests[2]).join('');
  expect(told).toContain('More than 10000 files of the workspace look secret');
  expect(told).toContain('sandbox.secrets');
  expect(told).toContain('Nothing was changed');
  expect(told).not.toMatch(/RAN$/m);
  expect(JSON.stringify(model.requests)).not.toContain(secret);
});
