/** What a copy hides, without any command: found, hidden, shown again, kept by the next process, and never a base. */
import { lstatSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { absent, type FileState } from '../../server/changeset/file-state.ts';
import { Copy } from '../../server/workspace/copy.ts';
import { makeFolder } from './folder.ts';

const text = (text: string, mode = 0o644): FileState => ({ kind: 'text', text, mode });
const none = new Map<string, string>();

async function openCopy(files: Record<string, string>) {
  const folder = makeFolder(
    Object.fromEntries(Object.entries(files).map(([path, content]) => [`ws/${path}`, content])),
  );
  mkdirSync(join(folder.path, 'ws'), { recursive: true });
  const options = { dir: join(folder.path, 'state'), root: join(folder.path, 'ws') };
  const copy = await Copy.open(options);
  return {
    ...folder,
    ...options,
    copy,
    reopen: () => Copy.open(options),
    whiteouts: () => readFileSync(copy.layers.whiteouts, 'utf8').split('\0').slice(0, -1).sort(),
  };
}

test('found at any depth and through no link; hidden by the next process too; shown again where allowed', async () => {
  using place = await openCopy({
    '.env': 's',
    'd/e/.env.local': 's',
    'd/.env.example': 'x',
    'k/a.key': 'BEGIN PRIVATE KEY',
    'k/b.key': 'keynote',
    'keep/x': 'x',
    '.codexignore': 'keep',
  });
  symlinkSync('..', join(place.root, 'd/loop'));
  symlinkSync('.env', join(place.root, '.env.link'));
  await place.copy.refresh(none);
  const hidden = ['.env', '.env.link', 'd/e/.env.local', 'k/a.key', 'keep'];
  expect(place.whiteouts()).toEqual(hidden);
  const next = await place.reopen();
  expect(await next.read('.env')).toEqual(absent);
  await expect(next.readBytes('keep/x')).rejects.toThrow('not in the copy');
  expect(next.changes()).toEqual([]);
  await next.prepare(none, ['.env*', './k/a.key', join(place.root, 'keep')]);
  await next.refresh(none);
  expect(place.whiteouts()).toEqual([]);
  expect(await next.read('d/e/.env.local')).toEqual(text('s'));
  await next.prepare(none);
  await next.refresh(none);
  expect(place.whiteouts()).toEqual(hidden);
});

test("what git's configuration includes from beside it, and what it was before, is masked like it", async () => {
  const settings = '[http]\n\textraheader = AUTHORIZATION: basic c2VjcmV0LXRva2Vu\n';
  using place = await openCopy({
    '.git/HEAD': 'ref: refs/heads/main\n',
    '.git/config': '[include]\n\tpath = private\n',
    '.git/private': settings,
    '.git/config.lock': settings,
    '.git/modules/m/HEAD': 'ref: refs/heads/main\n',
    '.git/modules/m/config.bak': settings,
    '.git/index': settings,
  });
  await place.copy.refresh(none);
  expect(place.bash('cd state/up/.git; grep -rlF "***" . | sort; grep -rF c2VjcmV0LXRva2Vu . || true')).toBe(
    './config.lock\n./modules/m/config.bak\n./private\n',
  );
});

test('absent before it is hidden: a patch makes a file of its own, whose base nobody knows', async () => {
  using place = await openCopy({ '.env': 'secret', '.gitignore': '*.pem\n', 'a.pem': 'PRIVATE KEY' });
  expect(await place.copy.read('.env')).toEqual(absent);
  await expect(place.copy.readBytes('.env')).rejects.toThrow('not in the copy');
  await place.copy.seed('.env', 'secret # codex: x', 'secret');
  expect(place.copy.changes()).toEqual([]);
  await place.copy.refresh(none);
  await place.copy.write([
    { path: '.env', state: text('mine') },
    { path: 'a.pem', state: text('mine') },
  ]);
  const changes = [{ path: '.env', base: 'unknown', agent: text('mine') }];
  expect(place.copy.changes()).toEqual(changes);
  await place.copy.refresh(none);
  expect(await place.copy.read('a.pem')).toEqual(text('mine'));
  expect((await place.reopen()).changes()).toEqual(changes);
  await place.copy.write([{ path: '.env', state: absent }]);
  expect(place.copy.changes()).toEqual([]);
  await place.copy.refresh(none);
  expect(await place.copy.read('.env')).toEqual(absent);
  expect(place.bash('grep -rl secret state || true')).toBe('');
});

test('settled, what is hidden stays hidden; a change of the agent’s there goes or stays like any other', async () => {
  using place = await openCopy({ '.env': 's', 'd/.env': 's', 'd/a': 'a' });
  await place.copy.refresh(none);
  await place.copy.write([{ path: '.env', state: text('mine') }]);
  await place.copy.settle(new Map([['d/a', { base: text('a'), agent: text('A') }]]));
  expect(await place.copy.read('.env')).toEqual(absent);
  await place.copy.refresh(none);
  expect(place.whiteouts()).toEqual(['.env', 'd/.env']);
  expect(place.copy.changes().map(({ path }) => path)).toEqual(['d/a']);
});

test('unsaved text that was put in is taken out again when its name becomes secret', async () => {
  using place = await openCopy({ 'notes.txt': 'n' });
  const buffers = new Map([['notes.txt', 'unsaved secret']]);
  await place.copy.refresh(buffers);
  expect(await place.copy.read('notes.txt')).toEqual(text('unsaved secret'));
  place.write({ 'ws/.codexignore': 'notes.*\n' });
  await place.copy.refresh(buffers);
  expect(await place.copy.read('notes.txt')).toEqual(absent);
  expect(place.whiteouts()).toEqual(['notes.txt']);
  expect(place.bash('ls state/up')).toBe('');
});

test('dependencies of others are looked into only a little', async () => {
  using place = await openCopy({
    '.gitignore': 'node_modules\n',
    'node_modules/.env': 's',
    'node_modules/a/.env': 's',
    'node_modules/a/b/c/.env': 's',
    'src/node_modules/a/b/c/.env.x': 's',
    'target/a/b/c/d/.env': 's',
  });
  await place.copy.refresh(none);
  expect(place.whiteouts()).toEqual(['node_modules/.env', 'node_modules/a/.env', 'target/a/b/c/d/.env']);
});

test('a git folder with an overlay of its own is masked there, again where the user changes it, never over a command’s', async () => {
  using place = makeFolder({
    'git/config': '[core]\n\tworktree = ../ws\n[r "o"]\n\turl = https://u:secret@h/x\n',
    'git/modules/a/b/config': '[r "o"]\n\turl = https://u:secret@h/x\n',
    'git/worktrees/w/config.worktree': '[http]\n\textraheader = X: secret\n',
    'git/logs/refs/heads/main': '0 1 A\tpull https://u:secret@h/x: y\n',
    'git/credentials': 'https://u:secret@h',
    'git/HEAD': 'ref: refs/heads/main\n',
    'git/objects/pack/.keep': '',
    'git/refs/heads/.keep': '',
    'ws/.git': 'gitdir: ../git\n',
  });
  const open = () => Copy.open({ dir: join(place.path, 'state'), root: join(place.path, 'ws') });
  let copy = await open();
  const { upper = '', whiteouts = '' } = copy.layers.beside?.[0] ?? {};
  const inUpper = (path: string) => readFileSync(join(upper, path), 'utf8');
  const shown = () => place.bash(`cd ${upper}; find . -type f | sort | xargs`).trim();
  await copy.prepare(none);
  await copy.refresh(none);
  expect(shown()).toBe('./config ./logs/refs/heads/main ./modules/a/b/config ./worktrees/w/config.worktree');
  expect(readFileSync(whiteouts, 'utf8')).toBe('credentials\0');
  expect(place.bash('grep -rl secret state || true')).toBe('');
  const before = lstatSync(join(upper, 'config')).ino;
  // What a command may leave: a file of its own, and in the place of a folder a link to somewhere else.
  place.bash(
    `mkdir elsewhere; cd ${upper}; echo theirs >modules/a/b/config; rm -r logs; ln -s ../../../elsewhere logs`,
  );
  place.bash(
    'echo "#" >>git/modules/a/b/config; echo "# w" >>git/worktrees/w/config.worktree; mkdir -p elsewhere/refs/heads; echo "# l" >>git/logs/refs/heads/main',
  );
  // The next process knows what is ours.
  copy = await open();
  await copy.refresh(none);
  expect(lstatSync(join(upper, 'config')).ino).toBe(before);
  expect(inUpper('modules/a/b/config')).toBe('theirs\n');
  expect(inUpper('worktrees/w/config.worktree')).toMatch(/\n# w\n$/);
  expect(place.bash('find elsewhere -type f')).toBe('');
  place.write({ 'git/config': '[core]\n\tworktree = ../ws\n' });
  await copy.refresh(none);
  expect(shown()).not.toContain('./config ');
  place.write({ 'git/config': '[core]\n\tworktree = ../ws\n[r "o"]\n\turl = https://u:secret@h/x\n' });
  await copy.refresh(none);
  expect(shown()).toContain('./config ');
  expect(place.bash('grep -rl secret state || true')).toBe('');
});
