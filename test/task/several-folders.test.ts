/** Whole turns in a workspace of several folders: seen and edited, reviewed, accepted and undone as one. */
import { execFileSync } from 'node:child_process';
import { chownSync, mkdirSync, statSync } from 'node:fs';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Settings } from '../../server/protocol/settings.ts';
import { noDocuments, type OpenDocuments } from '../../server/task/ports.ts';
import { fitBeside } from '../../server/task/root.ts';
import { custom, messageTexts, patch, say, script, shell, together, toolOutputs } from '../support/model.ts';
import { type Bench, diskFace, openBench } from '../support/task.ts';
import { git } from '../support/workspace.ts';

const files = {
  'api/a.txt': 'one\ntwo\n',
  'api/.env': 'KEY=TOPSECRET\n',
  'api/AGENTS.md': 'Rules of api.\n',
  'api/last/only.txt': 'only\n',
  'web/w.txt': 'uno\ndos\n',
  'web/.env': 'KEY=TOPSECRET\n',
  'web/AGENTS.md': 'Rules of web.\n',
  'other/x.txt': 'TOPSECRET\n',
  'around.txt': 'TOPSECRET\n',
};

const foldersOf = ({ workspace: { root } }: Bench) => ({ folders: [join(root, 'api'), join(root, 'web')] });

const accepted = async ({ tasks }: Bench, threadId: string) => (await tasks.accept(threadId, {}, diskFace)).result;
const undone = async ({ tasks }: Bench, threadId: string) => (await tasks.undo(threadId, diskFace)).result;

async function disk({ workspace: { root } }: Bench): Promise<Record<string, string>> {
  const names = await readdir(root, { recursive: true, withFileTypes: true });
  const paths = names.filter((name) => name.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  const kept = paths.filter((path) => !path.includes('/.git/')).sort();
  return Object.fromEntries(await Promise.all(kept.map(async (path) => [path, await readFile(path, 'utf8')])));
}

const bySandbox = (settings: Settings): Settings => settings;
const byNothing = (settings: Settings): Settings => ({
  ...settings,
  sandbox: { ...settings.sandbox, dangerouslyUnsandboxed: true },
});

test.each([
  ['in the sandbox', bySandbox],
  ['without one', byNothing],
])('%s: patches and commands change both; one review, accepted as one and undone as one', async (_, settings) => {
  await using bench = await openBench({
    files,
    git: false,
    settings,
    script: script(
      shell(
        'cat a.txt ../web/w.txt; cat .env ../web/.env; git log --format=%s; git -C ../web log --format=%s; cat .git/config ../web/.git/config',
      ),
      together(patch('api/a.txt', '-one', '+ONE', ' two'), patch('web/w.txt', '-uno', '+UNO', ' dos')),
      shell('echo n >new.txt; echo m >../web/new.txt; rm last/only.txt; cat a.txt ../web/w.txt'),
      shell('pwd; ls', { workdir: 'web' }),
      say('Done.'),
    ),
  });
  const { workspace, model, tasks } = bench;
  const { root } = workspace;
  for (const { folder, name } of [
    { folder: 'api', name: 'of api' },
    { folder: 'web', name: 'of web' },
  ]) {
    git(join(root, folder), 'init', '-q', '-b', 'main');
    git(join(root, folder), 'add', '*.txt');
    git(join(root, folder), 'commit', '-qm', name);
    git(join(root, folder), 'config', 'remote.origin.url', `https://me:TOPSECRET@${folder}.example/x`);
  }
  const before = await disk(bench);

  const { threadId, end } = await bench.run('shout', foldersOf(bench));
  expect(end.status).toBe('completed');
  const [saw, , , after] = toolOutputs(model.requests.at(-1));
  expect(saw).toContain('one\ntwo\nuno\ndos\n');
  expect(saw).toContain('of api\nof web\n');
  expect(saw).toMatch(/@api\.example\/x[\s\S]*@web\.example\/x/);
  expect(saw).not.toContain('TOPSECRET');
  expect(after).toContain('ONE\ntwo\nUNO\ndos\n');
  expect(toolOutputs(model.requests.at(-1)).at(-1)).toMatch(/\/web\nAGENTS\.md\nnew\.txt\nw\.txt\n/);
  expect(await disk(bench)).toEqual(before);
  const all = ['api/a.txt', 'api/last/only.txt', 'api/new.txt', 'web/new.txt', 'web/w.txt'];
  expect((await bench.review(threadId)).map((line) => line.split(':')[0])).toEqual(all);
  const { diff } = await tasks.changeset(threadId, noDocuments);
  execFileSync('git', ['apply', '--check', '-'], { cwd: root, input: diff });

  expect(await accepted(bench, threadId)).toMatchObject({ applied: all, conflicts: [], failed: [] });
  expect(await workspace.read('api/a.txt')).toBe('ONE\ntwo\n');
  expect(await workspace.read('api/last/only.txt')).toBeUndefined();
  expect(await workspace.read('web/w.txt')).toBe('UNO\ndos\n');
  expect(await workspace.read('web/new.txt')).toBe('m\n');
  expect(await undone(bench, threadId)).toMatchObject({ conflicts: [], failed: [] });
  expect(await disk(bench)).toEqual(before);
});

test('the model is told which folders there are and what is said in each; the journal remembers them', async () => {
  await using bench = await openBench({ files, git: false, script: script(say('One.'), shell('pwd'), say('Two.')) });
  const { workspace, model } = bench;
  const { threadId } = await bench.run('one', foldersOf(bench));
  const told = messageTexts(model.requests[0]).join('\n');
  expect(told).toContain(
    `<workspace>${workspace.root}</workspace>\n<workspace_folders>\napi\nweb\n</workspace_folders>`,
  );
  expect(told).toContain('<file path="api/AGENTS.md">\nRules of api.\n</file>\n<file path="web/AGENTS.md">');

  await bench.restart();
  // The folders of a thread are its own, whatever a later turn says of them.
  await bench.run('two', { threadId });
  expect(toolOutputs(model.requests.at(-1)).at(-1)).toContain(join(workspace.root, 'api'));
  expect(await bench.tasks.workspaceOf(threadId)).toEqual({ root: workspace.root, ...foldersOf(bench) });
  const uris = ['api', 'web'].map((name) => `file://${join(workspace.root, name)}`);
  const { thread } = await bench.tasks.thread(threadId);
  expect(thread).toMatchObject({ root: `file://${workspace.root}`, folders: uris });
  for (const root of foldersOf(bench).folders) expect((await bench.tasks.list({ root })).threads).toHaveLength(1);
  for (const root of [workspace.root, join(workspace.root, 'other')])
    expect((await bench.tasks.list({ root })).threads).toEqual([]);
});

test('a journal of one folder says nothing of folders', async () => {
  await using bench = await openBench({ files, git: false, script: script(say('One.')) });
  const { threadId } = await bench.run('one');
  const { thread, events } = await bench.tasks.thread(threadId);
  expect(JSON.stringify([thread, events])).not.toContain('folders');
});

test('unsaved text of both is what commands see, and what changes are compared with; others are nobody’s business', async () => {
  const texts = new Map([
    ['api/a.txt', { version: 3, text: 'typed\ntwo\n' }],
    ['web/w.txt', { version: 4, text: 'tecleado\ndos\n' }],
    ['other/x.txt', { version: 1, text: 'elsewhere\n' }],
    ['around.txt', { version: 1, text: 'elsewhere\n' }],
  ]);
  const documents: OpenDocuments = { under: () => texts };
  await using bench = await openBench({
    files,
    git: false,
    documents,
    script: script(
      shell('cat a.txt ../web/w.txt; ls ..; sed -i s/two/TWO/ a.txt; sed -i s/dos/DOS/ ../web/w.txt'),
      say('Done.'),
    ),
  });
  const { threadId } = await bench.run('x', foldersOf(bench));
  expect(toolOutputs(bench.model.requests.at(-1))[0]).toContain('typed\ntwo\ntecleado\ndos\napi\nweb\n');
  expect(await bench.review(threadId)).toEqual(['api/a.txt:2 pending', 'web/w.txt:2 pending']);
});

test('nothing around the folders can be patched, and a patch that fails in one folder changes neither', async () => {
  const wrap = (body: string) => custom('apply_patch', `*** Begin Patch\n${body}\n*** End Patch`);
  const shout = '*** Update File: api/a.txt\n@@\n-one\n+ONE\n*** Update File: web/w.txt\n@@\n-uno\n+UNO';
  await using bench = await openBench({
    files: { ...files, 'web/folder/x.txt': 'x\n' },
    git: false,
    script: script(
      wrap('*** Add File: around2.txt\n+x'),
      wrap('*** Update File: around.txt\n@@\n-x\n+y'),
      wrap('*** Delete File: other/x.txt'),
      wrap(`${shout}\n*** Add File: web/folder\n+x`),
      wrap(`${shout}\n*** Add File: api/last\n+x`),
      shell('cat a.txt ../web/w.txt'),
      say('Done.'),
    ),
  });
  const { threadId } = await bench.run('x', foldersOf(bench));
  const outputs = toolOutputs(bench.model.requests.at(-1));
  expect(outputs[0]).toContain("around2.txt lies in none of the workspace's folders, which are api, web");
  for (const output of outputs.slice(1, 3)) expect(output).not.toContain('TOPSECRET');
  expect(outputs[3]).toContain('in web: folder is a folder');
  expect(outputs[4]).toContain('in api: last is a folder');
  expect(outputs[5]).toContain('one\ntwo\nuno\ndos\n');
  expect(await bench.review(threadId)).toEqual([]);
});

test('binary and empty files, links and modes, in either folder: shown, accepted and taken back whole', async () => {
  await using bench = await openBench({
    files: {
      ...files,
      'api/b.bin': '\0api',
      'web/b.bin': '\0web',
      'web/run.sh': '#!/bin/sh\n',
      'api/old': '1\n2\n3\n',
    },
    git: false,
    script: script(
      shell(
        "for each in . ../web; do printf '\\0changed' >$each/b.bin; : >$each/empty; ln -s b.bin $each/link; done; ln -s ../web/w.txt over; ln -s ../other out; chmod +x ../web/run.sh; mv old ../web/new",
      ),
      say('Done.'),
    ),
  });
  const { workspace, tasks } = bench;
  const { root } = workspace;
  const state = () =>
    execFileSync('/bin/bash', ['-c', 'find . -printf "%p %M %l\\n" | sort; find . -type f | sort | xargs md5sum'], {
      cwd: root,
      encoding: 'utf8',
    });
  const before = state();
  const { threadId } = await bench.run('x', foldersOf(bench));
  const { files: changed, diff } = await tasks.changeset(threadId, noDocuments);
  const all = [
    'api/b.bin',
    'api/empty',
    'api/link',
    'api/out',
    'api/over',
    'web/b.bin',
    'web/empty',
    'web/link',
    'web/new',
    'web/run.sh',
  ];
  expect(changed.map(({ path }) => path)).toEqual(all);
  expect(changed.find(({ path }) => path === 'web/new')).toMatchObject({ kind: 'rename', from: 'api/old' });
  expect(changed.flatMap(({ path, sensitive }) => (sensitive ? [`${path}: ${sensitive}`] : []))).toEqual([
    'api/out: symbolic link out of the workspace',
    'web/run.sh: new executable',
  ]);
  expect(diff).toContain('rename from api/old\nrename to web/new\n');
  const { result } = await tasks.accept(threadId, { files: all }, diskFace);
  expect(await result).toMatchObject({ applied: all, conflicts: [], failed: [] });
  expect(await workspace.read('web/b.bin')).toBe('\0changed');
  expect(await readlink(join(root, 'api/over'))).toBe('../web/w.txt');
  expect(statSync(join(root, 'web/run.sh')).mode & 0o111).toBe(0o111);
  expect(await undone(bench, threadId)).toMatchObject({ conflicts: [], failed: [] });
  expect(state()).toBe(before);
});

test('what was deleted last leaves the folder of the workspace itself in place', async () => {
  await using bench = await openBench({
    files: { 'api/only.txt': 'only\n', 'web/w.txt': 'w\n' },
    git: false,
    script: script(shell('rm only.txt'), say('Done.')),
  });
  const { threadId } = await bench.run('x', foldersOf(bench));
  expect(await accepted(bench, threadId)).toMatchObject({ applied: ['api/only.txt'], failed: [] });
  expect((await readdir(bench.workspace.root)).sort()).toEqual(['api', 'web']);
  expect(await undone(bench, threadId)).toMatchObject({ applied: ['api/only.txt'], failed: [] });
  expect(await bench.workspace.read('api/only.txt')).toBe('only\n');
});

test('decisions hold over the turn: what was accepted and rejected in either has left the copy, the rest stays', async () => {
  await using bench = await openBench({
    files,
    git: false,
    script: script(
      shell('for f in 1 2 3; do echo $f >$f.txt; echo $f >../web/$f.txt; done'),
      say('One.'),
      shell('ls ?.txt ../web/?.txt'),
      say('Two.'),
    ),
  });
  const { threadId } = await bench.run('x', foldersOf(bench));
  const { result } = await bench.tasks.accept(threadId, { files: ['api/1.txt', 'web/1.txt'] }, diskFace);
  expect(await result).toMatchObject({ applied: ['api/1.txt', 'web/1.txt'] });
  await bench.tasks.reject(threadId, { files: ['api/2.txt', 'web/2.txt'] }, noDocuments);
  await bench.run('y', { threadId });
  const seen = toolOutputs(bench.model.requests.at(-1)).at(-1);
  expect(seen).toContain('../web/1.txt\n../web/3.txt\n');
  expect(seen).toContain('1.txt\n3.txt\n');
  expect(await bench.review(threadId)).toEqual(['api/3.txt:1 pending', 'web/3.txt:1 pending']);
});

describe('which folders a task has', () => {
  test('what can’t be a workspace is left out, and why', async () => {
    await using bench = await openBench({ files, git: false, script: script() });
    const { root, stateDir } = bench.workspace;
    const kept = { stateDir, home: join(root, 'other') };
    const api = join(root, 'api');
    const { workspace, leftOut } = await fitBeside(
      api,
      ['/', join(root, 'other'), stateDir, join(root, 'none'), join(root, 'web'), join(root, 'web/sub')],
      kept,
    );
    expect(workspace).toEqual({ root, folders: [api, join(root, 'web')] });
    expect(leftOut.map((line) => line.replaceAll(root, ''))).toEqual([
      expect.stringContaining('whole file system'),
      expect.stringContaining('your home folder'),
      expect.stringContaining("codex-lsp's own state"),
      expect.stringContaining('/none is left out of this task. There is no such folder.'),
      expect.stringContaining('/web/sub is left out of this task. There is no such folder.'),
    ]);
  });

  test('no more than sixteen, and none of another user; what one holds of the others counts with it', async () => {
    await using bench = await openBench({ files, git: false, script: script() });
    const { root, stateDir } = bench.workspace;
    const kept = { stateDir, home: join(root, 'nobody') };
    const names = Array.from({ length: 20 }, (_, index) => `${root}/f${String(index).padStart(2, '0')}`);
    for (const name of names) mkdirSync(join(name, 'inner'), { recursive: true });
    const api = join(root, 'api');
    const all = await fitBeside(api, [...names.map((name) => join(name, 'inner')), ...names.slice(0, 3)], kept);
    expect(all.workspace.folders).toHaveLength(16);
    expect(all.workspace.folders).toEqual(expect.arrayContaining([api, ...names.slice(0, 3)]));
    expect(all.leftOut).toHaveLength(5);
    for (const line of all.leftOut) expect(line).toContain('it can have 16 folders');
    if (process.getuid?.() !== 0) return;
    chownSync(names[0] ?? '', 54_321, 54_321);
    const { workspace, leftOut } = await fitBeside(api, names.slice(0, 2), kept);
    expect(workspace.folders).toEqual([api, names[1]]);
    expect(leftOut).toEqual([`${names[0]} is left out of this task. It belongs to another user.`]);
  });

  test('none is taken unseen: whoever asks for one that no task may have is refused', async () => {
    await using bench = await openBench({ files, git: false, script: script() });
    const { root, stateDir } = bench.workspace;
    const folders = [join(root, 'api'), dirname(stateDir)];
    await expect(bench.start('x', { root: '/', folders })).rejects.toMatchObject({ reason: 'noWorkspace' });
    expect((await bench.tasks.list({})).threads).toEqual([]);
  });

  test('the folder around them may be one that no task could have: only they are shown', async () => {
    await using bench = await openBench({ files, git: false, script: script(shell('pwd; ls ..'), say('Done.')) });
    const { root } = bench.workspace;
    const kept = { stateDir: bench.workspace.stateDir, home: root };
    const { workspace, leftOut } = await fitBeside(join(root, 'api'), [join(root, 'web')], kept);
    expect(leftOut).toEqual([]);
    const { end } = await bench.run('x', workspace);
    expect(end.status).toBe('completed');
    expect(toolOutputs(bench.model.requests.at(-1))[0]).toContain(`${root}/api\napi\nweb\n`);
  });
});
