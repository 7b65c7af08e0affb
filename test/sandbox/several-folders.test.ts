/** A workspace of several folders in the sandbox, in every way there is: both at their own paths, nothing around them. */
import { chmodSync, lstatSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { CommandRequest, Strategy } from '../../server/sandbox/types.ts';
import { FolderCopies } from '../../server/workspace/folder-copies.ts';
import { newBwrapFolders } from './new-bwrap.ts';
import { bash, policy, runOver, treeOf, writeFiles } from './scenario.ts';

const git = 'git -c user.name=u -c user.email=u@localhost';
const isRoot = process.getuid?.() === 0;
const theirs = 54_321;

const ways: { way: string; strategy: Strategy; tools: () => string[] | undefined }[] = [
  { way: 'overlay by unshare', strategy: { kind: 'overlay', by: 'unshare' }, tools: () => undefined },
  { way: 'overlay by bwrap', strategy: { kind: 'overlay', by: 'bwrap' }, tools: newBwrapFolders },
  { way: 'whole copy', strategy: { kind: 'copy', reason: 'A test.' }, tools: () => undefined },
  { way: 'no sandbox', strategy: { kind: 'unsandboxed' }, tools: () => undefined },
];
const owners = [
  { who: 'our own', uid: process.getuid?.() ?? 0 },
  ...(isRoot ? [{ who: "another user's", uid: theirs }] : []),
];

/** `/top/w/api` and `/top/w/deep/web`, with a repository in each, and `/top/w/other` which is nobody's business. */
async function twoFolders(uid: number) {
  const top = mkdtempSync(join(tmpdir(), 'codex-lsp-test-'));
  chmodSync(top, 0o755);
  const root = join(top, 'w');
  const folders = [join(root, 'api'), join(root, 'deep/web')] as const;
  writeFiles(root, { 'api/a': 'a\n', 'deep/web/w': 'w\n', 'deep/web/gone': 'g\n', 'deep/web/.env': 'KEY=hidden\n' });
  writeFiles(root, { 'other/x': 'x\n', around: 'around\n', 'deep/near': 'near\n' });
  for (const folder of folders) bash(folder, `${git} init -q; ${git} add [a-z]*; ${git} commit -qm one`);
  if (uid !== process.getuid?.()) bash(top, `chown -hR ${uid}:${uid} w`);
  const dir = join(top, 'state/copy');
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const open = () => FolderCopies.open({ dir, root, folders });
  return {
    root,
    folders,
    dir,
    open,
    [Symbol.asyncDispose]: async () => {
      bash(top, 'chmod -R u+rwX state');
      rmSync(top, { recursive: true, force: true });
    },
  };
}

type Place = Awaited<ReturnType<typeof twoFolders>>;

async function run(
  copy: FolderCopies,
  { dir }: Place,
  command: string,
  more: Partial<CommandRequest> & { toolFolders?: string[] },
) {
  const isTree = more.strategy?.kind !== 'overlay';
  const tree = isTree ? { tree: { path: join(dir, 'none'), links: [] } } : {};
  const result = await runOver(copy, { command, ...tree, ...more });
  if (result.kind !== 'ran') throw new Error(`${result.reason} ${result.remedy}`);
  return result.output;
}

const cases = ways.flatMap((way) => owners.map((owner) => ({ ...way, ...owner })));

describe.each(cases.filter(({ strategy, uid }) => strategy.kind !== 'unsandboxed' || uid !== theirs))(
  '$way, $who folders',
  ({ strategy, tools, uid }) => {
    test('commands see and change both, git works in both, and the user’s stay as they are', async () => {
      await using place = await twoFolders(uid);
      const before = treeOf(place.root);
      const copy = await place.open();
      await copy.prepare(new Map());
      const more = { strategy, toolFolders: tools() };
      const seen = await run(
        copy,
        place,
        `cat a ../deep/web/w; cat ../deep/web/.env 2>/dev/null; echo A > a; mkdir ../deep/web/d; echo n > ../deep/web/d/new
         rm ../deep/web/gone; cd ../deep/web && git add -A . && ${git} commit -qm two && git log --format=%s; git -C ../../api status --short`,
        more,
      );
      expect(seen).toBe('a\nw\ntwo\none\n M a\n');
      expect(treeOf(place.root)).toEqual(before);
      const paths = ['api/a', 'deep/web/d/new', 'deep/web/gone'];
      expect(copy.changes().map(({ path }) => path)).toEqual(paths);
      const again = await run(copy, place, 'cat a ../deep/web/d/new; ls ../deep/web', more);
      expect(again).toBe('A\nn\nd\nw\n');

      const [, web] = place.folders;
      expect(await run(copy, place, 'pwd; ls; git log --format=%s', { ...more, cwd: web })).toMatch(
        strategy.kind === 'unsandboxed' ? /\/deep\/web\nd\nw\ntwo\none\n$/ : `${web}\nd\nw\ntwo\none\n`,
      );
      const [first, second] = [copy.layers, ...(copy.layers.others ?? [])];
      expect(lstatSync(join(first?.upper ?? '', 'a')).uid).toBe(uid);
      expect(lstatSync(join(second?.upper ?? '', 'd/new')).uid).toBe(uid);
      expect((await place.open()).changes().map(({ path }) => path)).toEqual(paths);
    });

    test('a folder that was replaced by one of its name, in either', async () => {
      await using place = await twoFolders(uid);
      for (const folder of place.folders) writeFiles(folder, { 'dir/old': 'o\n' });
      if (uid === theirs) bash(place.root, `chown -R ${uid}:${uid} .`);
      const copy = await place.open();
      await copy.prepare(new Map());
      const command = 'for each in . ../deep/web; do rm -r $each/dir; mkdir $each/dir; echo n > $each/dir/new; done';
      await run(copy, place, command, { strategy, toolFolders: tools() });
      const paths = ['api/dir/new', 'api/dir/old', 'deep/web/dir/new', 'deep/web/dir/old'];
      expect(copy.changes().map(({ path }) => path)).toEqual(paths);
    });

    test.skipIf(strategy.kind === 'unsandboxed')(
      'a command that moves and empties what it sees moves nothing of the copy',
      async () => {
        await using place = await twoFolders(uid);
        const before = treeOf(place.root);
        const copy = await place.open();
        await copy.prepare(new Map());
        const command = `cd ${place.root}; mv deep moved; rm -rf api/* deep/web moved/web; ln -s /etc deep; mkdir deep; ln -s /etc deep/web; mv api other; true`;
        await run(copy, place, `(${command}) 2>/dev/null`, { strategy, toolFolders: tools() });
        expect(copy.changes().map(({ path, agent }) => `${path} ${agent.kind}`)).toEqual([
          'api/a absent',
          'deep/web/gone absent',
          'deep/web/w absent',
        ]);
        expect(treeOf(place.root)).toEqual(before);
        expect(await run(copy, place, 'ls; ls ../deep/web', { strategy, toolFolders: tools() })).toBe('');
      },
    );

    test.skipIf(strategy.kind === 'unsandboxed')('what lies around the folders is not there', async () => {
      await using place = await twoFolders(uid);
      const copy = await place.open();
      await copy.prepare(new Map());
      const command = `cd ${place.root}; ls -A . deep; cat around deep/near other/x 2>/dev/null; (echo x > made) 2>/dev/null; ls -A ${place.dir} 2>/dev/null; echo done`;
      const seen = await run(copy, place, command, { strategy, toolFolders: tools() });
      expect(seen).toBe('.:\napi\ndeep\n\ndeep:\nweb\ndone\n');
      expect(copy.changes()).toEqual([]);
    });

    test.skipIf(strategy.kind === 'unsandboxed')(
      'the folder around them, opened for reading, shows the rest of it and nothing more of them',
      async () => {
        await using place = await twoFolders(uid);
        const copy = await place.open();
        await copy.prepare(new Map());
        const opened = { ...policy, readableRoots: [place.root] };
        const more = { strategy, toolFolders: tools(), policy: opened };
        const command = `cat ../around ../other/x ../deep/near; cat ../deep/web/.env; echo W > ../deep/web/w; (echo x > ../around) 2>/dev/null; cat ../deep/web/w ../around`;
        const seen = await run(copy, place, `(${command}) 2>/dev/null`, more);
        expect(seen).toBe('around\nx\nnear\nW\naround\n');
        expect(copy.changes().map(({ path }) => path)).toEqual(['deep/web/w']);
      },
    );

    test.skipIf(strategy.kind === 'unsandboxed')('where nothing may be written, neither can be', async () => {
      await using place = await twoFolders(uid);
      const copy = await place.open();
      await copy.prepare(new Map());
      const more = { strategy, toolFolders: tools(), policy: { ...policy, mode: 'readOnly' as const } };
      const seen = await run(
        copy,
        place,
        '(echo A > a) 2>/dev/null; (echo W > ../deep/web/w) 2>/dev/null; cat a ../deep/web/w',
        more,
      );
      expect(seen).toBe('a\nw\n');
      expect(copy.changes()).toEqual([]);
    });
  },
);

test.runIf(isRoot)('folders of different owners run no command, and the reason is said', async () => {
  await using place = await twoFolders(0);
  bash(place.folders[1], `chown -R ${theirs}:${theirs} .`);
  const copy = await place.open();
  await copy.prepare(new Map());
  await expect(run(copy, place, 'true', { strategy: { kind: 'overlay', by: 'unshare' } })).rejects.toThrow(
    'belong to different users',
  );
});

test.each(ways.filter(({ strategy }) => strategy.kind !== 'unsandboxed'))(
  '$way: a repository and a linked worktree of it: what is committed in the one is seen in the other',
  async ({ strategy, tools }) => {
    await using place = await twoFolders(process.getuid?.() ?? 0);
    const [api, web] = place.folders;
    bash(api, `rm -r ${web}; git worktree add -q -b side ${web}`);
    const before = treeOf(place.root);
    const copy = await place.open();
    await copy.prepare(new Map());
    const more = { strategy, toolFolders: tools() };
    const seen = await run(
      copy,
      place,
      `cd ../deep/web; echo A > a; ${git} commit -qam two; cd ../../api; git log --format=%s side; git worktree list | wc -l`,
      more,
    );
    expect(seen).toBe('two\none\n2\n');
    expect(copy.changes().map(({ path }) => path)).toEqual(['deep/web/a']);
    expect(await run(copy, place, 'git log --format=%s side; git -C ../deep/web status --short', more)).toBe(
      'two\none\n',
    );
    expect(treeOf(place.root)).toEqual(before);
  },
);
