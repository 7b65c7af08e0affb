/** Which way is chosen on this machine, for workspaces that allow an overlay and for those that do not. */
import { execFileSync } from 'node:child_process';
import {
  chownSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { explainFailure } from '../../server/sandbox/explain.ts';
import { foreignOwner } from '../../server/sandbox/owners.ts';
import { sandboxStatus } from '../../server/sandbox/status.ts';
import { chooseStrategy } from '../../server/sandbox/strategy.ts';
import { accountInPasswd } from '../support/account.ts';

const isRoot = process.getuid?.() === 0;
const other = 54_322;

let folder = '';
let root = '';
let stateDir = '';
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'codex-lsp-strategy-')));
  root = join(folder, 'workspace');
  stateDir = join(folder, 'state');
  mkdirSync(join(root, 'src/deep'), { recursive: true });
  writeFileSync(join(root, 'src/deep/a.ts'), '');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('an ordinary workspace gets an overlay, and the probe leaves nothing behind', async () => {
  expect(await chooseStrategy({ stateDir, root, unsandboxed: false })).toEqual({ kind: 'overlay', by: 'unshare' });
  expect(readdirSync(stateDir)).toEqual([]);
  expect(readdirSync(root)).toEqual(['src']);
});

test('a workspace on another file system is tried itself, and is not written to', async () => {
  const elsewhere = mkdtempSync('/dev/shm/codex-lsp-strategy-');
  try {
    expect(await chooseStrategy({ stateDir, root: elsewhere, unsandboxed: false })).toMatchObject({ kind: 'overlay' });
    expect(readdirSync(elsewhere)).toEqual([]);
  } finally {
    rmSync(elsewhere, { recursive: true });
  }
});

test('what no overlay can be laid over is found out by trying', async () => {
  // Of the kernel's own file systems, as a lower layer some are refused.
  const strategy = await chooseStrategy({ stateDir, root: '/proc/self/fdinfo', unsandboxed: false });
  expect(strategy.kind).not.toBe('overlay');
});

test('without tools there is none, and as soon as they are there, they are tried', async () => {
  const toolFolders = [join(folder, 'tools')];
  const choose = () => chooseStrategy({ stateDir, root, unsandboxed: false, toolFolders });
  expect(await choose()).toMatchObject({
    kind: 'none',
    reason: expect.stringContaining('needs bwrap, '),
    remedy: expect.stringContaining('bubblewrap'),
  });
  mkdirSync(join(folder, 'tools'));
  for (const name of ['bwrap', 'unshare', 'mount', 'mkfifo', 'setsid']) {
    const path = execFileSync('/bin/sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim();
    symlinkSync(path, join(folder, 'tools', name));
  }
  // Of them this one alone is needed in the sandbox, which does not show the folder.
  const reason = expect.stringMatching(/execvp .*\/tools\/setsid: No such file/);
  expect(await choose()).toMatchObject({ kind: 'none', reason });
});

test('the user’s own word is enough to run without a sandbox, and is shown as none', async () => {
  expect(await chooseStrategy({ stateDir, root, unsandboxed: true })).toEqual({ kind: 'unsandboxed' });
  expect(await sandboxStatus({ stateDir, root, unsandboxed: true })).toMatchObject({
    kind: 'none',
    reason: expect.stringContaining('sandbox.dangerouslyUnsandboxed is on'),
  });
});

test('a signal ends the waiting', async () => {
  const signal = AbortSignal.abort();
  expect(await chooseStrategy({ stateDir, root, unsandboxed: false, signal })).toBeDefined();
});

describe('owners', () => {
  test('of a workspace of one owner there is nothing to say', async () => {
    expect(await foreignOwner(root, { waitMs: 5_000 })).toBeUndefined();
  });

  test.runIf(isRoot).each([
    ['another owner', () => chownSync(join(root, 'src/deep/a.ts'), other, 0), 'src/deep/a.ts'],
    ['only another group', () => chownSync(join(root, 'src/deep'), 0, other), 'src/deep'],
    [
      'a link of another',
      () => {
        symlinkSync('nowhere', join(root, 'link'));
        lchownSync(join(root, 'link'), other, other);
      },
      'link',
    ],
    ['the folder itself, by its group', () => chownSync(root, 0, other), ''],
  ])('%s is found', async (_, change, path) => {
    change();
    expect(await foreignOwner(root, { waitMs: 5_000 })).toBe(path);
  });

  test.runIf(isRoot)('a repository that is wholly another user’s is worked on as that user', async () => {
    execFileSync('chown', ['-R', `${other}:${other}`, root]);
    expect(await foreignOwner(root, { waitMs: 5_000 })).toBeUndefined();
  });

  test.runIf(isRoot)('a folder of a group that is not its owner’s own cannot be overlaid', async ({ skip }) => {
    const account = accountInPasswd() ?? skip('this system has no such user');
    execFileSync('chown', ['-R', `${account.uid}:${account.gid}`, root]);
    expect(await foreignOwner(root, { waitMs: 5_000 })).toBeUndefined();
    execFileSync('chown', ['-R', `${account.uid}:${other}`, root]);
    expect(await foreignOwner(root, { waitMs: 5_000 })).toBe('');
  });

  test.runIf(isRoot)('what takes longer than a command waits counts for the next one', async () => {
    chownSync(join(root, 'src/deep/a.ts'), other, 0);
    expect(await foreignOwner(root, { waitMs: 0 })).toBeUndefined();
    expect(await foreignOwner(root, { waitMs: 5_000 })).toBe('src/deep/a.ts');
    // Known now: no waiting.
    expect(await foreignOwner(root, { waitMs: 0 })).toBe('src/deep/a.ts');
  });

  test.runIf(isRoot)('a cancelled look is not taken for an answer', async () => {
    chownSync(join(root, 'src/deep/a.ts'), other, 0);
    const stop = new AbortController();
    const looking = foreignOwner(root, { signal: stop.signal });
    stop.abort();
    await looking;
    expect(await foreignOwner(root, { waitMs: 5_000 })).toBe('src/deep/a.ts');
  });

  test.runIf(isRoot)('such a workspace is never overlaid', async () => {
    chownSync(join(root, 'src/deep/a.ts'), other, 0);
    await foreignOwner(root, { waitMs: 5_000 });
    const strategy = await chooseStrategy({ stateDir, root, unsandboxed: false });
    expect(strategy.kind).not.toBe('overlay');
    if (strategy.kind === 'copy') expect(strategy.reason).toContain('src/deep/a.ts belongs to another');
  });
});

describe.runIf(isRoot)('mounts', () => {
  const mounted = (path: string, use: () => Promise<void>) => {
    mkdirSync(path, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', path]);
    return use().finally(() => execFileSync('umount', [path]));
  };

  test('one inside of the workspace rules an overlay out, as long as it is there', async () => {
    await mounted(join(root, 'da ta'), async () => {
      const strategy = await chooseStrategy({ stateDir, root, unsandboxed: false });
      const reason = expect.stringContaining('mounted inside the workspace, at da ta');
      expect(strategy).toEqual({ kind: 'copy', reason });
    });
    expect(await chooseStrategy({ stateDir, root, unsandboxed: false })).toMatchObject({ kind: 'overlay' });
  });

  test('the mount of the workspace itself does not', async () => {
    await mounted(join(root, 'src'), async () => {
      const strategy = await chooseStrategy({ stateDir, root: join(root, 'src'), unsandboxed: false });
      expect(strategy).toMatchObject({ kind: 'overlay' });
    });
  });

  test('a state folder on an overlay is named', async () => {
    const on = join(folder, 'on');
    for (const name of ['lower', 'layers']) mkdirSync(join(folder, name));
    mkdirSync(on);
    await mounted(join(folder, 'layers'), async () => {
      for (const name of ['up', 'work']) mkdirSync(join(folder, 'layers', name));
      const options = `lowerdir=${folder}/lower,upperdir=${folder}/layers/up,workdir=${folder}/layers/work`;
      execFileSync('mount', ['-t', 'overlay', 'overlay', '-o', options, on]);
      try {
        const strategy = await chooseStrategy({ stateDir: on, root, unsandboxed: false });
        const reason = `The state folder ${on} lies on an overlay filesystem, as in a container, which can not hold the changes of an overlay.`;
        expect(strategy).toEqual({ kind: 'copy', reason });
        // Where the machine allows no namespaces either, another folder would not help.
        const failure = 'bwrap: Creating new namespace failed: Operation not permitted';
        expect(await explainFailure(failure, on)).not.toMatchObject({ remedy: expect.stringContaining('STATE_DIR') });
      } finally {
        execFileSync('umount', [on]);
      }
    });
  });
});
