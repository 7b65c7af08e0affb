/** Whose home folder is no workspace, whatever name it goes by. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Folders } from '../../server/editor/folders.ts';
import { uriOf } from '../../server/editor/uri.ts';
import { assertWorkspace, unfitRoot } from '../../server/task/root.ts';

let top = '';
let home = '';
beforeEach(() => {
  top = realpathSync(mkdtempSync(join(tmpdir(), 'codex-lsp-home-')));
  home = join(top, 'real', 'ada');
  mkdirSync(join(home, 'project'), { recursive: true });
  mkdirSync(join(top, 'link'));
  symlinkSync(home, join(top, 'link', 'ada'));
  vi.stubEnv('HOME', join(top, 'link', 'ada'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(top, { recursive: true });
});

const stateDir = '/var/lib/codex-lsp-of-nobody';
const theirs = () => realpathSync(userInfo().homedir);

test('the home folder behind a link, from a shell', async () => {
  await expect(assertWorkspace(home, stateDir)).rejects.toThrow('is your home folder');
  await expect(assertWorkspace(dirname(home), stateDir)).rejects.toThrow('holds your home folder');
  await assertWorkspace(join(home, 'project'), stateDir);
});

test('the home folder behind a link, from an editor', async () => {
  const folders = new Folders({ homeFolder: join(top, 'link', 'ada'), stateFolder: stateDir, found: () => {} });
  folders.change([uriOf(home), uriOf(join(home, 'project'))], []);
  await expect(folders.rootFor({})).rejects.toThrow('is your home folder');
  expect(folders.roots()).toEqual([join(home, 'project')]);
  expect(await folders.rootFor({ document: join(home, 'project', 'a') })).toBe(join(home, 'project'));
});

test('the home folder that the system has for the owner of the folder, whatever HOME says', async () => {
  await expect(assertWorkspace(theirs(), stateDir)).rejects.toThrow("is its owner's home folder");
});

test.each([
  ['/home/eve', "is its owner's home folder"],
  ['/home', "holds its owner's home folder"],
])('as root, %s, where eve is at home, %s', (root, why) => {
  expect(unfitRoot(root, { stateDir, home: '/root', ownersHome: '/home/eve' })).toContain(why);
  expect(unfitRoot('/home/eve/project', { stateDir, home: '/root', ownersHome: '/home/eve' })).toBeUndefined();
});
