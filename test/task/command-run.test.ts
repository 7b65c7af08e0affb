/** One command over a copy by each strategy, from the choice to what is then in the copy. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type CommandRun, copiedWarning, runOverCopy } from '../../server/task/command-run.ts';
import { Copy } from '../../server/workspace/copy.ts';
import { policy } from '../sandbox/scenario.ts';

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

/** A real copy, and which of its steps were taken; `materialize`: in place of its own. */
async function watchedCopy(materialize?: Copy['materialize']) {
  const copy = await Copy.open({ dir: join(stateDir, 'copy'), root });
  await copy.refresh(new Map());
  const calls: string[] = [];
  const watched: CommandRun['copy'] = {
    layers: copy.layers,
    scan: (options) => {
      calls.push('scan');
      return copy.scan(options);
    },
    materialize: (options) => {
      calls.push('materialize');
      return materialize ? materialize(options) : copy.materialize(options);
    },
    absorb: () => {
      calls.push('absorb');
      return copy.absorb();
    },
  };
  return { copy, watched, calls };
}

const inTurn = ['materialize', 'absorb', 'scan'];
const changed = (copy: Copy) =>
  copy.changes().map(({ path, agent }) => `${path} ${agent.kind === 'text' ? agent.text.trim() : agent.kind}`);

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
  const { copy, watched, calls } = await watchedCopy();
  const result = await run(watched, 'cat a.txt; echo new > a.txt', { unsandboxed: true });
  expect(result).toMatchObject({ kind: 'ran', status: 'completed', output: 'old\n' });
  expect(calls).toEqual(inTurn);
  expect(changed(copy)).toEqual(['a.txt new']);
  expect(readFileSync(join(root, 'a.txt'), 'utf8')).toBe('old\n');
  expect(copied).toEqual([]);
});

test('unsandboxed, where nothing may be written: what is written is thrown away, after a crash too', async () => {
  const { copy, watched } = await watchedCopy();
  const readOnly = { unsandboxed: true, policy: { ...policy, mode: 'readOnly' as const } };
  const first = await run(watched, 'echo new > a.txt; echo n > n; rm -rf .git; cat a.txt', readOnly);
  expect(first).toMatchObject({ status: 'completed', output: 'new\n' });
  expect(changed(copy)).toEqual([]);
  expect(await run(watched, 'cat a.txt; ls; echo new > a.txt', readOnly)).toMatchObject({ output: 'old\na.txt\n' });
  // Where nothing took it in, the next process finds it so.
  const next = await Copy.open({ dir: join(stateDir, 'copy'), root });
  await next.scan({ startedAtMs: 0 });
  expect(changed(next)).toEqual([]);
  expect(await run(next, 'cat a.txt; echo kept > k', { unsandboxed: true })).toMatchObject({ output: 'old\n' });
  expect(changed(next)).toEqual(['k kept']);
});

test('how far the copying is comes as output before that of the command', async () => {
  const { copy, watched } = await watchedCopy((options) => {
    options?.onProgress?.(1000, 5000);
    return copy.materialize();
  });
  await run(watched, 'echo out', { unsandboxed: true });
  expect(said).toBe('copying the workspace: 1,000 of 5,000 files …\nout\n');
});

test('what a killed command had changed is taken in too', async () => {
  const { copy, watched, calls } = await watchedCopy();
  const result = await run(watched, 'echo half > a.txt; sleep 20', { unsandboxed: true, timeoutMs: 400 });
  expect(result).toMatchObject({ status: 'killed', limit: 'time' });
  expect(calls).toEqual(inTurn);
  expect(changed(copy)).toEqual(['a.txt half']);
});

test.each([
  [Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' }), /^Make room in the state folder/],
  [new Error('The workspace holds more than 5 files. Name some in .gitignore.'), /^Without a sandbox/],
])('a copy that can not be made is said with what helps, and nothing runs: %s', async (error, remedy) => {
  const { watched, calls } = await watchedCopy(() => Promise.reject(error));
  const result = await run(watched, 'echo ran', { unsandboxed: true });
  expect(result).toMatchObject({
    kind: 'unavailable',
    reason: `The workspace could not be copied: ${error.message}`,
    remedy: expect.stringMatching(remedy),
  });
  expect(calls).toEqual(['materialize']);
  expect(said).toBe('');
});

test('a cancelled copying is a killed command', async () => {
  const stop = new AbortController();
  const { watched } = await watchedCopy(() => {
    stop.abort();
    return Promise.reject(new Error('stopped'));
  });
  const result = await run(watched, 'echo ran', { unsandboxed: true, signal: stop.signal });
  expect(result).toMatchObject({ kind: 'ran', status: 'killed', output: '' });
});

test('where no sandbox runs nothing runs, unless the user has said so', async () => {
  writeFileSync(join(folder, 'file'), '');
  const { watched, calls } = await watchedCopy();
  const result = await run(watched, 'echo ran', { stateDir: join(folder, 'file/state') });
  expect(result).toMatchObject({ kind: 'unavailable', remedy: expect.stringContaining('CODEX_LSP_STATE_DIR') });
  expect([calls, said]).toEqual([[], '']);
});

test.runIf(process.getuid?.() === 0)('a workspace with a mount inside is never overlaid', async () => {
  const { copy, watched, calls } = await watchedCopy();
  mkdirSync(join(root, 'data'));
  execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', join(root, 'data')]);
  try {
    writeFileSync(join(root, 'data/there'), 'there\n');
    const result = await run(watched, 'cat data/there; echo new > data/there');
    expect(result).toMatchObject({ kind: 'ran', status: 'completed', output: 'there\n' });
    expect(copied).toEqual([expect.stringContaining('mounted inside the workspace, at data')]);
    expect(calls).toEqual(inTurn);
    expect(changed(copy)).toEqual(['data/there new']);
  } finally {
    execFileSync('umount', [join(root, 'data')]);
  }
});

test('the warning has the reason', () => {
  expect(copiedWarning('A disk is mounted inside.')).toBe(
    'No overlay can be made here, so the workspace is copied: A disk is mounted inside.',
  );
});
