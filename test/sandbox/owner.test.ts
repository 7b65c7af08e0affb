/** Root in another user's repository: commands are that user's, and reach nothing of root's. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, lstatSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { runInSandbox } from '../../server/sandbox/run.ts';
import type { CommandRequest, Strategy } from '../../server/sandbox/types.ts';
import { Copy } from '../../server/workspace/copy.ts';
import { newBwrapFolders } from './new-bwrap.ts';
import { bash, makePlace, policy, runOver, treeOf, writeFiles } from './scenario.ts';
import { processesWith } from './users.ts';

const isRoot = process.getuid?.() === 0;
const uid = 54_321;
const git = 'git -c user.name=u -c user.email=u@localhost';

const ways: { way: string; strategy: Strategy; tools: () => string[] | undefined }[] = [
  { way: 'overlay by unshare', strategy: { kind: 'overlay', by: 'unshare' }, tools: () => undefined },
  { way: 'overlay by bwrap', strategy: { kind: 'overlay', by: 'bwrap' }, tools: newBwrapFolders },
  { way: 'whole copy', strategy: { kind: 'copy', reason: 'A test.' }, tools: () => undefined },
];

async function repository(strategy: Strategy, toolFolders?: string[]) {
  const place = makePlace();
  const { root, dir } = place;
  chmodSync(dirname(root), 0o755);
  writeFiles(root, { a: 'a\n', b: 'b\n', 'libs/x': 'x\n' });
  writeFileSync(join(root, 'roots'), 'of root\n', { mode: 0o600 });
  bash(root, `${git} init -q; echo roots > .git/info/exclude; ${git} add a b; ${git} commit -qm one`);
  bash(root, `find . ! -name roots -exec chown -h ${uid}:${uid} {} +`);
  const copy = await Copy.open(place);
  const isTree = strategy.kind === 'copy';
  const tree = { path: join(dir, 'tree'), links: ['libs'] };
  if (isTree) bash(root, `cp -a . '${tree.path}'; cd '${tree.path}'; rm -r libs; mkdir libs; chown ${uid}:${uid} libs`);
  return {
    ...place,
    copy,
    written: isTree ? tree.path : copy.layers.upper,
    async run(command: string, more: Partial<CommandRequest> = {}) {
      const result = await runOver(copy, { command, strategy, toolFolders, ...(isTree && { tree }), ...more });
      if (result.kind !== 'ran') throw new Error(`${result.reason} ${result.remedy}`);
      return result.output;
    },
    [Symbol.asyncDispose]: () => place[Symbol.asyncDispose](),
  };
}

describe.runIf(isRoot).each(ways)('$way', ({ strategy, tools }) => {
  test('the owner works in the copy: files, git, no rights; the repository stays as it is', async () => {
    await using place = await repository(strategy, tools());
    const before = treeOf(place.root);
    const text = await place.run(
      `id -u; id -g; id -G; cat libs/x; echo A > a; mkdir d; echo n > d/new; rm b; git add -A . && ${git} commit -qm two && git status --short && git log --format=%s; stat -c %u a d/new .git/HEAD . | sort -u; grep CapEff /proc/self/status`,
    );
    expect(text).toBe(`${uid}\n${uid}\n${uid}\nx\ntwo\none\n${uid}\nCapEff:\t0000000000000000\n`);
    expect(treeOf(place.root)).toEqual(before);
    for (const path of ['a', 'd', 'd/new']) expect(lstatSync(join(place.written, path)).uid).toBe(uid);
    if (strategy.kind === 'overlay') expect(place.copy.changes().map(({ path }) => path)).toEqual(['a', 'b', 'd/new']);
    expect(await place.run('cat a d/new; ls b 2>&1; echo again > /dev/stdout')).toMatch(/^A\nn\nls: .*\nagain\n$/);
  });

  test("nothing that is root's can be read or written", async () => {
    await using place = await repository(strategy, tools());
    const folder = mkdtempSync(join(tmpdir(), 'codex-lsp-root-'));
    writeFileSync(join(folder, 'key'), 'of root\n', { mode: 0o600 });
    try {
      const text = await place.run(
        `for f in roots libs/../roots /root/.bashrc /etc/shadow ${folder}/key; do cat $f 2>/dev/null; done
         for f in roots /root/x /etc/x /usr/x /proc/sys/kernel/core_pattern; do (: >> $f) 2>/dev/null && echo WROTE $f; done
         ls -A /root ${dirname(place.dir)} 2>/dev/null; chown 0 a 2>/dev/null && echo OWNED; unshare -U true 2>/dev/null && echo NAMESPACE; echo done`,
        { policy: { ...policy, readableRoots: [folder] } },
      );
      expect(text).toBe('done\n');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('processes are bounded, end with the command, and are not ours to see', async () => {
    await using place = await repository(strategy, tools());
    const text = await place.run(
      'for i in $(seq 100); do sleep 471147 & done 2>/dev/null; jobs -p | wc -l; ls -d /proc/[0-9]* | wc -l',
      { policy: { ...policy, processesMax: 50 } },
    );
    const [started = 0] = text.split('\n').flatMap((line) => (/^\d+$/.test(line) ? [Number(line)] : []));
    expect(started).toBeLessThan(50);
    expect(processesWith('471147')).toEqual([]);
  });
});

test.runIf(isRoot)("no process of the owner's outside of the sandbox is at work in the copy", async () => {
  await using place = await repository({ kind: 'overlay', by: 'unshare' });
  const paths = Array.from({ length: 300 }, (_, index) => `gone/${index}`);
  writeFiles(place.root, Object.fromEntries(paths.map((path) => [path, ''])));
  bash(place.root, `chown -R ${uid}:${uid} gone`);
  await place.copy.write(paths.map((path) => ({ path, state: { kind: 'absent' } })));
  // Whoever sees the folder that such a process works in has got hold of it.
  const watch = `for i in $(seq 2000); do readlink /proc/[0-9]*/cwd; done 2>/dev/null | grep -m 1 ${place.dir}`;
  const args = [`--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', 'bash', '-c', watch];
  const watcher = spawn('setpriv', args, { stdio: ['ignore', 'pipe', 'ignore'], detached: true });
  const seen: string[] = [];
  watcher.stdout.on('data', (chunk) => seen.push(String(chunk)));
  await delay(100);
  expect(await place.run('ls gone')).toBe('');
  if (watcher.pid !== undefined) process.kill(-watcher.pid, 'SIGKILL');
  await once(watcher, 'close');
  expect(seen).toEqual([]);
});

describe.runIf(isRoot)('what is refused', () => {
  test('a workspace that was replaced by a link, also above it', async () => {
    await using place = await repository({ kind: 'overlay', by: 'unshare' });
    const above = dirname(place.root);
    bash('/', `mv ${above} ${above}.kept; ln -s ${above}.kept ${above}`);
    try {
      expect(await refusal(place.copy)).toMatch(/has been replaced: it leads to .*kept/);
    } finally {
      bash('/', `rm ${above}; mv ${above}.kept ${above}`);
    }
  });

  test('a workspace that its owner can not reach', async () => {
    await using place = await repository({ kind: 'overlay', by: 'unshare' });
    chmodSync(dirname(place.root), 0o700);
    expect(await refusal(place.copy)).toMatch(/who can not reach/);
  });

  test('a machine without setpriv', async () => {
    await using place = await repository({ kind: 'overlay', by: 'unshare' });
    const folder = mkdtempSync(join(tmpdir(), 'codex-lsp-tools-'));
    try {
      bash(folder, 'for t in bwrap unshare mount mkfifo setsid; do ln -s $(command -v $t) $t; done');
      expect(await refusal(place.copy, [folder])).toMatch(/setpriv/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

test.runIf(isRoot)('what root owns is worked on as root', async () => {
  await using place = await repository({ kind: 'overlay', by: 'unshare' });
  for (const path of [place.root, place.copy.layers.upper, place.copy.layers.work]) chownSync(path, 0, 0);
  expect(await place.run('id -u')).toBe('0\n');
  expect(readdirSync(place.root)).toContain('a');
});

async function refusal(copy: Copy, toolFolders?: string[]): Promise<string> {
  const request = { policy, environment: {}, command: 'true', timeoutMs: 5_000, outputBytesMax: 1_000 };
  const { layers } = copy;
  const signal = new AbortController().signal;
  const result = await runInSandbox({ ...request, layers, cwd: layers.root, signal }, toolFolders);
  return result.kind === 'unavailable' ? `${result.reason} ${result.remedy}` : 'it ran';
}
