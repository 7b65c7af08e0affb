/** One command over a copy by each strategy, from the choice to what is then in the copy. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type CommandRun, copiedWarning, runOverCopy } from '../../server/task/command-run.ts';
import { Copy } from '../../server/workspace/copy.ts';
import { policy } from '../sandbox/scenario.ts';

type WholeCopy = Pick<Copy, 'materialize' | 'absorb'>;

let folder = '';
let root = '';
let stateDir = '';
let said = '';
let copied: string[] = [];
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'codex-lsp-run-')));
  root = join(folder, 'workspace');
  stateDir = join(folder, 'state');
  mkdirSync(root);
  mkdirSync(stateDir);
  writeFileSync(join(root, 'a.txt'), 'old\n');
  said = '';
  copied = [];
});
afterEach(async () => {
  await (await Copy.open({ dir: join(stateDir, 'copy'), root })).remove();
  rmSync(folder, { recursive: true, force: true });
});

const run = (copy: CommandRun['copy'], command: string, options: Partial<CommandRun> = {}) =>
  runOverCopy({
    copy,
    stateDir,
    unsandboxed: false,
    policy,
    environment: process.env,
    command,
    cwd: root,
    timeoutMs: 20_000,
    outputBytesMax: 10_000,
    signal: new AbortController().signal,
    onOutput: (chunk) => {
      said += chunk;
    },
    report: () => {},
    onCopied: (reason) => copied.push(reason),
    ...options,
  });

/** The layers of a real copy, and a tree that is made by copying: what stands for the workspace where nothing is mounted. */
async function treeCopy(materialize?: WholeCopy['materialize']) {
  const copy = await Copy.open({ dir: join(stateDir, 'copy'), root });
  const path = join(stateDir, 'copy', 'tree');
  const calls: string[] = [];
  const whole: WholeCopy & CommandRun['copy'] = {
    layers: copy.layers,
    scan: async () => {
      calls.push('scan');
      return { problems: [] };
    },
    materialize: async (options) => {
      calls.push('materialize');
      if (materialize) return materialize(options);
      await cp(root, path, { recursive: true });
      for (let done = 1000; done <= 5000; done += 1000) options?.onProgress?.(done, 5000);
      return { path, links: [] };
    },
    absorb: async () => {
      calls.push(`absorb ${readFileSync(join(path, 'a.txt'), 'utf8').trim()}`);
      return { problems: [] };
    },
  };
  return { whole, calls };
}

test('by an overlay: what the command changed is found, and no tree is made', async () => {
  const copy = await Copy.open({ dir: join(stateDir, 'copy'), root });
  await copy.refresh(new Map());
  const result = await run(copy, 'cat a.txt; echo new > a.txt');
  expect(result).toMatchObject({ kind: 'ran', status: 'completed', output: 'old\n' });
  expect(copy.changes()).toMatchObject([{ path: 'a.txt', agent: { text: 'new\n' } }]);
  expect(readdirSync(join(stateDir, 'copy'))).not.toContain('tree');
  expect(copied).toEqual([]);
});

test('unsandboxed: a copy is made, then the command runs there, then its changes are taken in and looked at', async () => {
  const { whole, calls } = await treeCopy();
  const result = await run(whole, 'cat a.txt; echo new > a.txt', { unsandboxed: true });
  expect(result).toMatchObject({ kind: 'ran', status: 'completed', output: 'old\n' });
  expect(calls).toEqual(['materialize', 'absorb new', 'scan']);
  expect(readFileSync(join(root, 'a.txt'), 'utf8')).toBe('old\n');
  expect(copied).toEqual([]);
});

test('how far the copying is comes as output of the command, at most four times a second', async () => {
  const { whole } = await treeCopy();
  await run(whole, 'echo out', { unsandboxed: true });
  expect(said).toBe('copying the workspace: 1,000 of 5,000 files …\nout\n');
});

test('what a killed command had changed is taken in too', async () => {
  const { whole, calls } = await treeCopy();
  const result = await run(whole, 'echo half > a.txt; sleep 20', { unsandboxed: true, timeoutMs: 400 });
  expect(result).toMatchObject({ status: 'killed', limit: 'time' });
  expect(calls).toEqual(['materialize', 'absorb half', 'scan']);
});

test('a copy that can not be made is said, and nothing runs', async () => {
  const { whole, calls } = await treeCopy(() => Promise.reject(new Error('ENOSPC: no space left on device')));
  const result = await run(whole, 'echo ran', { unsandboxed: true });
  expect(result).toMatchObject({ kind: 'unavailable', reason: expect.stringContaining('no space left') });
  expect(calls).toEqual(['materialize']);
  expect(said).toBe('');
});

test('a cancelled copying is a killed command', async () => {
  const stop = new AbortController();
  const { whole } = await treeCopy(() => {
    stop.abort();
    return Promise.reject(new Error('stopped'));
  });
  const result = await run(whole, 'echo ran', { unsandboxed: true, signal: stop.signal });
  expect(result).toMatchObject({ kind: 'ran', status: 'killed', output: '' });
});

test('where no sandbox runs nothing runs, unless the user has said so', async () => {
  writeFileSync(join(folder, 'file'), '');
  const { whole, calls } = await treeCopy();
  const result = await run(whole, 'echo ran', { stateDir: join(folder, 'file/state') });
  expect(result).toMatchObject({ kind: 'unavailable', remedy: expect.stringContaining('CODEX_LSP_STATE_DIR') });
  expect(calls).toEqual([]);
});

test.runIf(process.getuid?.() === 0)('a workspace with a mount inside is never overlaid', async () => {
  const { whole, calls } = await treeCopy();
  mkdirSync(join(root, 'data'));
  execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', join(root, 'data')]);
  try {
    const result = await run(whole, 'echo ran');
    // Copied, and said why; or, where bubblewrap can't do that either, not run.
    if (result.kind === 'ran') {
      expect(copied).toEqual([expect.stringContaining('mounted inside the workspace, at data')]);
      expect(calls).toContain('materialize');
    } else expect(calls).toEqual([]);
  } finally {
    execFileSync('umount', [join(root, 'data')]);
  }
});

test('the warning has the reason', () => {
  expect(copiedWarning('A disk is mounted inside.')).toBe(
    'No overlay can be made here, so the workspace is copied: A disk is mounted inside.',
  );
});
