/** `codex-lsp exec` and its companions, as the built program in a real shell's place. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { eventEnvelopeSchema } from '../../server/protocol/thread.ts';
import { failure, gate, patch, type Script, say, script, shell, soon, startModel, together } from '../support/model.ts';
import { runProgram, startProgram } from '../support/program.ts';
import { makeWorkspace } from '../support/workspace.ts';

async function bench(...scripts: Script[]) {
  const workspace = await makeWorkspace({ 'a.txt': 'one\ntwo\n' });
  const model = await startModel(...scripts);
  const env = {
    CODEX_LSP_STATE_DIR: workspace.stateDir,
    XDG_CONFIG_HOME: join(workspace.stateDir, 'config'),
    OPENAI_API_KEY: 'sk-test-secret',
    OPENAI_BASE_URL: model.baseURL,
  };
  return {
    workspace,
    model,
    env,
    run: (...args: string[]) => runProgram(args, { cwd: workspace.root, env }),
    start: (...args: string[]) => startProgram(args, { cwd: workspace.root, env }),
    async [Symbol.asyncDispose]() {
      await model.close();
      await workspace[Symbol.asyncDispose]();
      model.assertUsedUp();
    },
  };
}

test('--network takes hosts, and tells the model which; a host that is none is bad usage', async () => {
  await using it = await bench(script(say('Hello.')));
  expect((await it.run('exec', '--network', 'Example.org,*.example.net', 'hello')).code).toBe(0);
  expect(JSON.stringify(it.model.requests[0]?.input)).toContain(
    '<network>only these hosts, through a proxy: example.org, *.example.net</network>',
  );
  for (const hosts of ['https://example.org', 'example.org,*', '*.org', 'on', '', 'example.org,']) {
    const { code, stderr } = await it.run('exec', '--network', hosts, 'hello');
    expect({ hosts, code, stderr }).toEqual({
      hosts,
      code: 2,
      stderr: expect.stringContaining('--network is off, full or HOST,HOST'),
    });
  }
});

const shout = () => script(shell('cat a.txt'), patch('a.txt', '-one', '+ONE'), say('Shouted.'));

test('progress and diff on stderr, the answer on stdout, nothing applied; then diff, apply, undo by the thread', async () => {
  await using it = await bench(shout());
  const { code, stdout, stderr } = await it.run('exec', 'shout one');
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'Shouted.\n' });
  expect(stderr).toContain('$ cat a.txt');
  expect(stderr).toContain('+ONE');
  expect(await it.workspace.read('a.txt')).toBe('one\ntwo\n');

  const listed = await it.run('threads');
  const threadId = listed.stdout.split(' ')[0] ?? '';
  expect(listed.stdout).toMatch(/^\S+ {2}inReview .* shout one\n$/);
  const diff = await it.run('diff', threadId);
  expect(diff.stdout).toContain('--- a/a.txt\n+++ b/a.txt\n');
  expect(await it.run('apply', threadId)).toMatchObject({ code: 0, stdout: 'applied a.txt\n' });
  const nothing = { code: 0, stdout: '', stderr: `Nothing is pending in thread ${threadId}.\n` };
  expect(await it.run('apply', '--', threadId)).toEqual(nothing);
  expect(await it.workspace.read('a.txt')).toBe('ONE\ntwo\n');
  expect(await it.run('undo', threadId)).toMatchObject({ code: 0, stdout: 'undone a.txt\n' });
  expect(await it.workspace.read('a.txt')).toBe('one\ntwo\n');
  expect(await it.run('undo', threadId)).toMatchObject({ code: 1, stderr: expect.stringContaining('nothing to undo') });
  expect(await it.run('undo', threadId, '--redo')).toMatchObject({ code: 0, stdout: 'redone a.txt\n' });
  expect(await it.workspace.read('a.txt')).toBe('ONE\ntwo\n');
  const again = await it.run('undo', threadId, '--redo');
  expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining('nothing to redo') });
  expect(await it.run('undo', threadId, '--again')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--again'),
  });
  expect((await it.run('undo', threadId)).code).toBe(0);
  const forked = await it.run('fork', threadId);
  expect(forked).toMatchObject({ code: 0, stdout: expect.stringMatching(/^t\w+\n$/) });
  expect((await it.run('threads')).stdout).toContain(`${forked.stdout.trim()}  `);
  expect((await it.run('delete', forked.stdout.trim())).code).toBe(0);
  expect((await it.run('archive', threadId)).code).toBe(0);
  expect((await it.run('threads')).stdout).toBe('');
  expect((await it.run('threads', '--all')).stdout).toContain(threadId);
  const shown = `.codex/local/${threadId}/review.diff`;
  await it.workspace.write(shown, 'x');
  expect((await it.run('delete', threadId)).code).toBe(0);
  expect(await it.workspace.read(shown)).toBeUndefined();
  expect(await it.run('diff', threadId)).toMatchObject({ code: 1, stderr: expect.stringContaining(threadId) });
});

test('what the agent says on its way goes to stderr, its last word to stdout, and nothing to both', async () => {
  await using it = await bench(
    script(together(say('I look first.'), shell('cat a.txt')), together(say('Nothing'), say('to do.'))),
  );
  const { code, stdout, stderr } = await it.run('exec', 'x');
  expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining('to do.') });
  expect(stdout).not.toContain('I look first.');
  expect(stderr).toMatch(/I look first\.\n\$ cat a\.txt\n/);
  expect(stderr).not.toContain('to do.');
});

test('that there is no sandbox stands at the head of what exec shows', async () => {
  await using it = await bench(script(say('Done.')));
  const { stderr } = await it.run('exec', '-c', 'sandbox.dangerouslyUnsandboxed=true', 'x');
  expect(stderr).toMatch(/^task .*\nmodel .*\nNO SANDBOX: sandbox\.dangerouslyUnsandboxed is on\n! sandbox\./);
});

test('who can not be asked has said no, and nothing hangs', async () => {
  await using it = await bench(script(shell('make'), say('Declined.')));
  const { code, stdout, stderr } = await it.run('exec', '--approval', 'untrusted', 'x');
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'Declined.\n' });
  expect(stderr).toContain('declined, because there is no terminal to ask at: Run: make\n');
});

test('Ctrl-C while the prompt is read: 130', async () => {
  await using it = await bench(script());
  const program = it.start('exec', '-');
  program.child.stdin.write('do');
  // It listens to signals before it reads.
  await new Promise((resolve) => program.child.stdin.write('x'.repeat(1024 * 1024), resolve));
  program.child.kill('SIGINT');
  expect(await soon(program.ended, 'the end of exec')).toBe(130);
});

test('--json prints every event as one line; --apply writes; -o keeps the last message', async () => {
  await using it = await bench(shout());
  const last = join(it.workspace.stateDir, 'last.txt');
  const { code, stdout } = await it.run('exec', '--json', '--apply', '-o', last, 'shout one');
  expect(code).toBe(0);
  const events = stdout
    .trimEnd()
    .split('\n')
    .map((line) => eventEnvelopeSchema.parse(JSON.parse(line)));
  const numbered = events.filter(({ event }) => event.type !== 'itemDelta');
  expect(numbered.map(({ seq }) => seq)).toEqual(numbered.map((_, index) => index + 1));
  expect(events.some(({ event }) => event.type === 'itemDelta')).toBe(true);
  expect(events.map(({ event }) => event.type)).toContain('applied');
  expect(await it.workspace.read('a.txt')).toBe('ONE\ntwo\n');
  expect(await readFile(last, 'utf8')).toBe('Shouted.');
});

test('the prompt may come from stdin; -C, -m, --effort and --resume are heard', async () => {
  await using it = await bench(script(say('First.'), say('Second.')));
  const first = await runProgram(['exec', '-C', it.workspace.root, '-m', 'gpt-test', '--effort', 'high', '-'], {
    env: it.env,
    input: 'from stdin\n',
  });
  expect(first).toMatchObject({ code: 0, stdout: 'First.\n' });
  expect(it.model.requests[0]).toMatchObject({ model: 'gpt-test', reasoning: { effort: 'high' } });
  expect(JSON.stringify(it.model.requests[0]?.input)).toContain('from stdin');
  expect(await it.run('exec', '--last', 'go on')).toMatchObject({ code: 0, stdout: 'Second.\n' });
  expect(it.model.requests[1]?.prompt_cache_key).toBe(it.model.requests[0]?.prompt_cache_key);
});

test('a failed turn is exit 1 with its reason; no key says which variable', async () => {
  await using it = await bench(script(failure.failed('insufficient_quota', 'You exceeded your current quota.')));
  expect(await it.run('exec', 'x')).toMatchObject({ code: 1, stderr: expect.stringContaining('quota') });
  const { code, stderr } = await runProgram(['exec', 'x'], {
    cwd: it.workspace.root,
    env: { ...it.env, OPENAI_API_KEY: undefined },
  });
  expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining('OPENAI_API_KEY is not set; ') });
});

test('completed but not all could be applied: exit 3, and what was left out is named', async () => {
  await using it = await bench(
    script(shell('echo 1 > a.txt; mkdir .vscode && echo {} > .vscode/tasks.json'), say('Done.')),
  );
  const { code, stderr } = await it.run('exec', '--apply', 'x');
  expect(code).toBe(3);
  expect(stderr).toContain('not applied: .vscode/tasks.json');
  expect(await it.workspace.read('a.txt')).toBe('1\n');
  expect(await it.workspace.read('.vscode/tasks.json')).toBeUndefined();
  const [, threadId = ''] = /codex-lsp apply (\S+) \.vscode/.exec(stderr) ?? [];
  expect(await it.run('apply', threadId, '.vscode/tasks.json')).toMatchObject({
    code: 0,
    stdout: 'applied .vscode/tasks.json\n',
  });
  expect(await it.workspace.read('.vscode/tasks.json')).toBe('{}\n');
  // Named and applied, it is not left out any more.
  expect(await it.run('apply', threadId)).toMatchObject({
    code: 0,
    stderr: expect.stringMatching(/^Nothing is pending/),
  });
});

test('Ctrl-C in the middle of a command ends it cleanly: 130, no process left', async () => {
  await using it = await bench(script(shell('echo ready; sleep 300')));
  const program = it.start('exec', '--json', 'wait');
  program.child.stdin.end();
  await program.says('ready\\n');
  program.child.kill('SIGINT');
  expect(await soon(program.ended, 'the end of exec')).toBe(130);
  const { event } = eventEnvelopeSchema.parse(JSON.parse(program.stdout().trimEnd().split('\n').at(-1) ?? ''));
  expect(event).toMatchObject({ type: 'turnCompleted', status: 'interrupted' });
});

test('Ctrl-C while the model is silent: 130', async () => {
  const held = gate(say('Never.'));
  await using it = await bench(script(held));
  const program = it.start('exec', 'wait');
  program.child.stdin.end();
  await soon(held.arrived, 'the request');
  program.child.kill('SIGINT');
  expect(await soon(program.ended, 'the end of exec')).toBe(130);
});

test('kill -9 in the middle of a command: nothing lives on, the next process shows the thread as interrupted', async () => {
  await using it = await bench(
    script(patch('a.txt', '-one', '+ONE'), shell('echo three >> a.txt; echo ready; sleep 300'), say('Went on.')),
  );
  const program = it.start('exec', '--json', 'wait');
  program.child.stdin.end();
  await program.says('ready\\n');
  program.child.kill('SIGKILL');
  await soon(program.ended, 'the end of exec');
  const { stdout } = await it.run('threads');
  expect(stdout).toMatch(/ {2}inReview {2}/);
  const diff = (await it.run('diff', stdout.split(' ')[0] ?? '')).stdout;
  expect(diff).toContain('-one\n+ONE\n');
  expect(diff).toContain('+three\n');
  expect(await it.run('exec', '--last', 'go on')).toMatchObject({
    code: 0,
    stdout: 'Went on.\n',
    stderr: expect.any(String),
  });
});

test('a broken config.json and bad settings are named, and the defaults used', async () => {
  await using it = await bench(script(say('Done.'), say('Done.')));
  const config = join(it.workspace.stateDir, 'config', 'codex-lsp');
  await mkdir(config, { recursive: true });
  await writeFile(join(config, 'config.json'), '{ not json');
  const broken = await it.run('exec', 'x');
  expect(broken.code).toBe(0);
  expect(broken.stderr).toMatch(/^codex-lsp: \S*config\.json cannot be read as JSON and is ignored: /m);
  expect(broken.stderr.match(/config\.json/g)).toHaveLength(1);
  await writeFile(join(config, 'config.json'), JSON.stringify({ limits: { steps: 'many' }, model: 'gpt-config' }));
  const wrong = await it.run('exec', 'x');
  expect(wrong.stderr).toMatch(/^codex-lsp: limits\.steps \(config\.json\): /m);
  expect(wrong.stderr.match(/limits\.steps/g)).toHaveLength(1);
  expect(it.model.requests[1]?.model).toBe('gpt-config');
});

test('--add-dir: further folders, as one workspace with the first; a thread keeps those it began with', async () => {
  await using it = await bench(
    script(
      shell('cat a.txt ../beside/b.txt; ls ..'),
      together(patch('project/a.txt', '-one', '+ONE'), patch('beside/b.txt', '-b', '+B')),
      say('Done.'),
      shell('cat ../beside/b.txt'),
      say('Again.'),
    ),
  );
  const { root, stateDir } = it.workspace;
  const beside = join(dirname(root), 'beside');
  await mkdir(beside);
  await writeFile(join(beside, 'b.txt'), 'b\n');
  expect((await it.run('exec', '--add-dir', '../beside', 'shout')).code).toBe(0);
  expect(JSON.stringify(it.model.requests[1]?.input)).toContain('one\\ntwo\\nb\\nbeside\\nproject\\n');

  const listed = await it.run('threads');
  expect(listed.stdout).toContain(`${root}, ${beside}`);
  const threadId = listed.stdout.split(' ')[0] ?? '';
  const applied = await it.run('apply', threadId);
  expect(applied).toMatchObject({ code: 0, stdout: 'applied beside/b.txt\napplied project/a.txt\n' });
  expect(await readFile(join(beside, 'b.txt'), 'utf8')).toBe('B\n');
  expect(await it.workspace.read('a.txt')).toBe('ONE\ntwo\n');

  expect((await it.run('exec', '--last', 'again')).stdout).toBe('Again.\n');
  expect(JSON.stringify(it.model.requests.at(-1)?.input)).toContain('B\\n');
  expect((await it.run('undo', threadId)).code).toBe(0);
  expect(await readFile(join(beside, 'b.txt'), 'utf8')).toBe('b\n');

  for (const [folder, why] of [
    ['../none', "the folder of --add-dir, '../none', does not exist"],
    [stateDir, "holds codex-lsp's own state"],
    ['/', 'is the whole file system'],
  ] as const) {
    const { code, stderr } = await it.run('exec', '--add-dir', folder, 'shout');
    expect({ folder, code, stderr }).toEqual({ folder, code: 2, stderr: expect.stringContaining(why) });
  }
  const stranger = await it.run('exec', '--last', '--add-dir', '/usr', 'x');
  expect(stranger).toMatchObject({ code: 2, stderr: expect.stringContaining('is no folder of thread') });
});
