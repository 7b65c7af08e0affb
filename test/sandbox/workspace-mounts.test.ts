import { expect, test } from 'vitest';
import {
  mountedBefore,
  mountedByBwrap,
  stageWords,
  type WorkspaceMount,
  workspaceMounts,
} from '../../server/sandbox/workspace-mounts.ts';

const layers = (root: string) => ({ root, upper: `/s${root}/up`, work: `/s${root}/work`, whiteouts: `/s${root}/gone` });
const worktree = { ...layers('/r.git/w'), beside: [layers('/r.git')] };
const tree = { path: '/s/tree', links: ['a/libs'] };
const sealed: WorkspaceMount = { kind: 'sealed', at: '/data', empty: '/s/nothing' };
const several = { ...layers('/w/api'), others: [{ ...layers('/w/web'), beside: [layers('/r.git')] }] };
const overlays = workspaceMounts(worktree, undefined);
const whole = workspaceMounts(worktree, tree);

test.each([
  [
    'bwrap lays the outer overlay first',
    mountedByBwrap(overlays, { isReadOnly: false }),
    '--overlay-src /r.git --overlay /s/r.git/up /s/r.git/work /r.git --overlay-src /r.git/w --overlay /s/r.git/w/up /s/r.git/w/work /r.git/w',
  ],
  [
    'an overlay of bwrap is closed where nothing may be written',
    mountedByBwrap(workspaceMounts(layers('/w'), undefined), { isReadOnly: true }),
    '--overlay-src /w --overlay /s/w/up /s/w/work /w --remount-ro /w',
  ],
  [
    'beside a tree there is nothing of the user’s',
    mountedByBwrap(whole, { isReadOnly: false }),
    '--bind /s/tree /r.git/w --ro-bind /r.git/w/a/libs /r.git/w/a/libs',
  ],
  [
    'what is copied beside a tree stands there',
    mountedByBwrap(workspaceMounts(worktree, { ...tree, beside: [{ root: '/r.git', path: '/s/git' }] }), {
      isReadOnly: false,
    }),
    '--bind /s/git /r.git --bind /s/tree /r.git/w --ro-bind /r.git/w/a/libs /r.git/w/a/libs',
  ],
  [
    'a tree that nothing may be written to',
    mountedByBwrap(workspaceMounts(layers('/w'), tree), { isReadOnly: true }),
    '--ro-bind /s/tree /w --ro-bind /w/a/libs /w/a/libs',
  ],
  [
    'a folder without sockets',
    mountedByBwrap([sealed], { isReadOnly: true }),
    '--overlay-src /s/nothing --overlay-src /data --ro-overlay /data',
  ],
  [
    'what the stage has mounted',
    mountedBefore(overlays, { isReadOnly: false }),
    '--bind /r.git /r.git --bind /r.git/w /r.git/w',
  ],
  [
    'and may not be written',
    mountedBefore(overlays, { isReadOnly: true }),
    '--ro-bind /r.git /r.git --ro-bind /r.git/w /r.git/w',
  ],
  ["the stage's tree", mountedBefore(whole, { isReadOnly: false }), '--bind /r.git/w /r.git/w'],
  [
    'words of the stage',
    stageWords([sealed, ...overlays]),
    'sealed /data /s/nothing overlay /r.git /s/r.git/up /s/r.git/work overlay /r.git/w /s/r.git/w/up /s/r.git/w/work',
  ],
  ['and for a tree', stageWords(whole), 'tree /r.git/w /s/tree 1 a/libs'],
  [
    'several folders, each with an overlay of its own',
    mountedBefore(workspaceMounts(several, undefined), { isReadOnly: false }),
    '--bind /r.git /r.git --bind /w/api /w/api --bind /w/web /w/web',
  ],
  [
    'several trees',
    stageWords(workspaceMounts(several, { ...tree, others: [{ root: '/w/web', path: '/s/web', links: ['libs'] }] })),
    'tree /w/api /s/tree 1 a/libs tree /w/web /s/web 1 libs',
  ],
  [
    'the git folder of two worktrees stands there once',
    mountedBefore(workspaceMounts({ ...layers('/a'), beside: [layers('/r.git')], others: several.others }, undefined), {
      isReadOnly: false,
    }),
    '--bind /a /a --bind /r.git /r.git --bind /w/web /w/web',
  ],
  [
    'and not at all where it lies in a folder of the workspace',
    mountedBefore(
      workspaceMounts({ ...layers('/r'), others: [{ ...layers('/w'), beside: [layers('/r/.git')] }] }, undefined),
      { isReadOnly: false },
    ),
    '--bind /r /r --bind /w /w',
  ],
])('%s', (_, words, expected) => {
  expect(words.join(' ')).toBe(expected);
});
