/** resume, threads, rename, archive and delete, as the built program in a real shell's place. */
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { patch, type ScriptedAnswer, say, script, soon } from '../support/model.ts';
import { runProgram } from '../support/program.ts';
import { connect, programBench } from '../support/wire.ts';

async function bench(...answers: ScriptedAnswer[]) {
  const it = await programBench(script(...answers));
  const run = (...args: string[]) => runProgram(args, { cwd: it.workspace.root, env: it.env });
  const ids = async (...args: string[]): Promise<string[]> =>
    (await run('threads', ...args)).stdout.split('\n').flatMap((line) => line.split(' ')[0] || []);
  return { ...it, run, ids };
}

test('resume goes on with a thread from any folder, with exec’s options; the prompt may come from stdin', async () => {
  await using it = await bench(
    patch('a.txt', '-one', '+ONE'),
    say('Shouted.'),
    patch('a.txt', '-two', '+TWO'),
    say('Shouted more.'),
    say('Here.'),
  );
  await it.run('exec', 'shout');
  const [threadId = ''] = await it.ids();
  const elsewhere = { cwd: it.workspace.stateDir, env: it.env };
  const more = await runProgram(['resume', threadId, 'more', '--apply'], elsewhere);
  expect(more).toMatchObject({ code: 0, stdout: 'Shouted more.\n', stderr: expect.stringContaining('applied a.txt') });
  expect(await it.workspace.read('a.txt')).toBe('ONE\nTWO\n');
  const json = await runProgram(['resume', '--json', threadId.slice(0, -3)], {
    ...elsewhere,
    input: 'are you there?\n',
  });
  expect(json.code).toBe(0);
  expect(JSON.parse(json.stdout.split('\n')[0] ?? '')).toMatchObject({
    threadId,
    event: { type: 'turnStarted', prompt: 'are you there?' },
  });
  expect(await it.ids()).toEqual([threadId]);
});

test.each([
  [['resume'], 2, 'which THREAD?'],
  [['resume', 'tnone', 'x'], 1, 'There is no thread tnone'],
  [['resume', 't', '--last', 'x'], 2, 'it takes no --last'],
  [['resume', 't', 'two', 'prompts'], 2, 'resume takes one prompt'],
  [['resume', 't', ''], 2, 'the prompt is empty'],
  [['exec', '--resume', 'tnone', 'x'], 1, 'There is no thread tnone'],
  [['diff', 'tnone'], 1, 'There is no thread tnone'],
  [['diff', ''], 2, 'which THREAD?'],
  [['undo', '../../etc'], 1, 'There is no thread ../../etc'],
  [['apply', 'tnone'], 1, 'There is no thread tnone'],
  [['archive', 'tnone'], 1, 'There is no thread tnone'],
  [['archive', '--nonsense'], 2, "no flag '--nonsense'"],
  [['unarchive'], 2, 'which THREAD?'],
  [['delete', 'tnone'], 1, 'There is no thread tnone'],
  [['rename', 'tnone', 'x'], 1, 'There is no thread tnone'],
  [['rename', 'tnone'], 2, 'rename needs a TITLE'],
  [['rename', 'tnone', 'two', 'words'], 2, 'quote it'],
  [['rename', 'tnone', '\t\n'], 2, 'rename needs a TITLE'],
  [['diff', '--', 'tnone'], 1, 'There is no thread tnone'],
  [['diff', '--'], 2, 'which THREAD?'],
  [['apply', '--', 'tnone'], 1, 'There is no thread tnone'],
  [['undo', '--', 'tnone'], 1, 'There is no thread tnone'],
  [['fork', '--', 'tnone'], 1, 'There is no thread tnone'],
  [['delete', '--', 'tnone'], 1, 'There is no thread tnone'],
  [['rename', '--', 'tnone', 'x'], 1, 'There is no thread tnone'],
  [['threads', '--search', 'two', 'words'], 2, "--search 'two words'; 'words' is one too many"],
  [['threads', 'words'], 2, "it takes flags only; 'words' is none"],
  [['threads', '--nonsense'], 2, '--nonsense'],
  [['threads', '--limit', 'many'], 2, '--limit is a number'],
  [['threads', '--all', '--cursor', 't'], 2, '--all is two of them'],
  [['threads', '--cursor', 'tnone'], 1, 'cursor: no list has ended with this one'],
  [['doctor', 'x'], 2, 'it takes --clean'],
])('%j: exit %i with a sentence', async (args, code, sentence) => {
  await using it = await bench();
  expect(await it.run(...args)).toMatchObject({ code, stdout: '', stderr: expect.stringContaining(sentence) });
});

test('threads: searched, of one folder, archived or not, in pages', async () => {
  await using it = await bench(say('1'), say('2'), say('3'));
  for (const prompt of ['mend the parser', 'explain the tests', 'Parser: tests for it']) await it.run('exec', prompt);
  const [c = '', b = '', a = ''] = await it.ids();
  expect(await it.ids('--search', 'tests parser')).toEqual([c]);
  expect(await it.ids('--search', 'nothing')).toEqual([]);
  expect(await it.ids('--root', '.')).toEqual([c, b, a]);
  expect(await it.ids('--root', '/usr')).toEqual([]);
  const page = await it.run('threads', '--limit', '2');
  const [, cursor = ''] = /^There are more: codex-lsp threads --cursor (\S+)\n$/.exec(page.stderr) ?? [];
  expect(await it.ids('--limit', '2', '--cursor', cursor)).toEqual([a]);

  expect(await it.run('archive', a, c)).toMatchObject({ code: 0, stdout: '', stderr: '' });
  expect([await it.ids(), await it.ids('--archived')]).toEqual([[b], [c, a]]);
  expect(await it.ids('--all')).toEqual([b, c, a]);
  expect(await it.run('archive', '--undo', a)).toMatchObject({ code: 0 });
  expect(await it.run('unarchive', c)).toMatchObject({ code: 0 });
  expect((await it.ids()).toSorted()).toEqual([a, b, c]);
  expect(await it.run('rename', b, ' what the tests do ')).toMatchObject({ code: 0 });
  expect((await it.run('threads', '--search', 'what')).stdout).toMatch(/ {2}what the tests do\n$/);
  expect((await it.run('threads', '--help')).stdout).toMatch(/--search WORDS .* in the title or in a prompt\n/);
});

test('a title is one line of at most 200 characters, given from a shell or an editor', async () => {
  await using it = await bench(say('1'));
  await it.run('exec', 'mend the parser');
  const [threadId = ''] = await it.ids();
  const titles = async () => JSON.parse((await it.run('threads', '--json')).stdout).title;
  expect(await it.run('rename', threadId, 'a\tb\u001b[31mc\nd')).toMatchObject({ code: 0 });
  expect(await titles()).toBe('a b [31mc d');
  const long = await it.run('rename', threadId, '🙂'.repeat(201));
  expect(long).toMatchObject({ code: 1, stderr: 'codex-lsp: title: it has more than 200 characters.\n' });
  expect(await it.run('rename', threadId, '🙂'.repeat(200))).toMatchObject({ code: 0 });
  expect(await titles()).toBe('🙂'.repeat(200));

  const program = it.start('--stdio');
  const client = connect(program.child.stdout, program.child.stdin);
  await client.request('initialize', it.initialize);
  for (const [title, message] of [
    ['x'.repeat(201), 'title: it has more than 200 characters.'],
    ['\u001b', 'title: it is empty.'],
  ]) {
    await expect(client.request('codex/rename', { threadId, title })).rejects.toMatchObject({
      code: -32602,
      message: expect.stringContaining(message ?? ''),
    });
  }
  await client.request('codex/rename', { threadId, title: 'one\r\ntwo' });
  expect(await client.request('codex/threads')).toMatchObject({ threads: [{ threadId, title: 'one  two' }] });
  await client.request('shutdown');
  await client.connection.sendNotification('exit');
  expect(await soon(program.ended, 'the exit')).toBe(0);
});

test('the beginning of an id is enough where it is the only one; else those that begin so are listed', async () => {
  await using it = await bench(say('1'), say('2'));
  for (const prompt of ['first', 'second']) await it.run('exec', prompt);
  const [b = '', a = ''] = await it.ids();
  const alike = [...a].findIndex((letter, index) => letter !== b[index]);
  const both = await it.run('diff', a.slice(0, alike));
  expect(both).toMatchObject({ code: 1, stdout: '' });
  expect(both.stderr).toMatch(/2 threads begin with 't\w+': /);
  for (const named of [`${a} (first)`, `${b} (second)`]) expect(both.stderr).toContain(named);
  const begin = a.slice(0, alike + 1);
  for (const args of [
    ['diff', begin],
    ['archive', begin],
    ['diff', begin],
    ['rename', begin, 'x'],
  ]) {
    expect(await it.run(...args)).toMatchObject({ code: 0 });
  }
  // One that is not there is said, and the others go.
  expect(await it.run('delete', 'tnone', begin, b)).toMatchObject({ code: 1, stderr: expect.stringMatching(/tnone/) });
  expect(await it.ids('--all')).toEqual([]);
});

test('nothing on disk knows a deleted thread any more, also inside the workspace', async () => {
  await using it = await bench(patch('a.txt', '-one', '+ONE'), say('Done.'));
  const program = it.start('--stdio');
  const client = connect(program.child.stdout, program.child.stdin);
  await client.request('initialize', it.initialize);
  await client.connection.sendNotification('initialized', {});
  const { threadId } = await client.request('codex/runTask', { prompt: 'shout' });
  await client.event(({ event }) => event.type === 'turnCompleted');
  const { uri } = await client.request('codex/openReview', { threadId });
  expect(uri).toContain(`/.codex/local/${threadId}/review.diff`);
  await client.request('shutdown');
  await client.connection.sendNotification('exit');
  await soon(program.ended, 'the exit');
  const { root, stateDir } = it.workspace;
  expect(knowing(String(threadId), root, stateDir)).not.toEqual([]);
  expect(await it.run('delete', String(threadId))).toMatchObject({ code: 0, stderr: '' });
  expect(knowing(String(threadId), root, stateDir)).toEqual([]);
  expect(readdirSync(join(stateDir, 'threads'))).toEqual([]);
  expect(await it.workspace.read('a.txt')).toBe('one\ntwo\n');
});

/** Files whose name or text has the word. */
function knowing(word: string, ...folders: string[]): string[] {
  const paths = folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true }).map((name) => join(folder, String(name))),
  );
  // The host may be ending meanwhile, and its lock is a link that leads nowhere.
  const isFile = (path: string) => lstatSync(path, { throwIfNoEntry: false })?.isFile() === true;
  return paths.filter((path) => path.includes(word) || (isFile(path) && readFileSync(path).includes(word)));
}
