/** From what was found out to how commands run, as a table; and what is read of mounts and file systems. */
import { expect, test } from 'vitest';
import { unfitKind } from '../../server/sandbox/filesystems.ts';
import { makesOverlays } from '../../server/sandbox/host.ts';
import { type Finding, type Findings, nextStep, weakest } from '../../server/sandbox/ladder.ts';
import { firstInside, mountPoints } from '../../server/sandbox/mounts.ts';
import type { Strategy } from '../../server/sandbox/types.ts';

const works: Finding = { works: true };
const fails = (what: string): Finding => ({ works: false, reason: `No ${what}.`, remedy: `Mend ${what}.` });
const none = (what: string) => ({ choose: { kind: 'none', reason: `No ${what}.`, remedy: `Mend ${what}.` } });
const on = (findings: Partial<Findings>): Findings => ({
  platform: 'linux',
  unsandboxed: false,
  tried: {},
  ...findings,
});
const forced = 'A disk is mounted inside.';

test.each<[string, Partial<Findings>, unknown]>([
  ['the best is tried first', {}, { probe: 'unshare' }],
  ['and taken', { tried: { unshare: works } }, { choose: { kind: 'overlay', by: 'unshare' } }],
  ['the next is tried only then', { tried: { unshare: fails('a') } }, { probe: 'bwrap' }],
  ['bubblewrap’s', { tried: { unshare: fails('a'), bwrap: works } }, { choose: { kind: 'overlay', by: 'bwrap' } }],
  ['then a copy', { tried: { unshare: fails('a'), bwrap: fails('b') } }, { probe: 'copy' }],
  [
    'a copy says why there is no overlay, and what would help',
    { tried: { unshare: fails('a'), bwrap: fails('b'), copy: works } },
    { choose: { kind: 'copy', reason: 'No a. Mend a.' } },
  ],
  [
    'nothing: what the least would need',
    { tried: { unshare: fails('a'), bwrap: fails('b'), copy: fails('c') } },
    none('c'),
  ],
  ['a forced copy is tried at once', { forced }, { probe: 'copy' }],
  [
    'even where overlays work',
    { forced, tried: { unshare: works, copy: works } },
    { choose: { kind: 'copy', reason: forced } },
  ],
  ['a forced copy that can’t be is nothing', { forced, tried: { unshare: works, copy: fails('c') } }, none('c')],
  ['the user said so: nothing is tried', { unsandboxed: true }, { choose: { kind: 'unsandboxed' } }],
  ['nor is what works', { unsandboxed: true, tried: { unshare: works } }, { choose: { kind: 'unsandboxed' } }],
  ['macOS', { platform: 'darwin' }, { probe: 'seatbelt' }],
  ['macOS works', { platform: 'darwin', tried: { seatbelt: works } }, { choose: { kind: 'seatbelt' } }],
  ['macOS without', { platform: 'darwin', tried: { seatbelt: fails('s') } }, none('s')],
  ['macOS, unsandboxed', { platform: 'darwin', unsandboxed: true }, { choose: { kind: 'unsandboxed' } }],
  ['Windows', { platform: 'win32' }, { choose: expect.objectContaining({ kind: 'none' }) }],
  [
    'Windows, unsandboxed: nothing runs there',
    { platform: 'win32', unsandboxed: true },
    { choose: expect.objectContaining({ kind: 'none', remedy: expect.stringContaining('WSL') }) },
  ],
])('%s', (_, findings, expected) => {
  expect(nextStep(on(findings))).toEqual(expected);
});

const mountinfo = [
  '22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw',
  '90 22 0:50 / /home/u/a\\040b rw - tmpfs tmpfs rw',
  '91 22 0:51 / /home/u/a\\040b/deep\\134\\011\\012 rw shared:2 master:1 - fuse x rw',
  '92 22 0:52 / /home/u/a\\040bc rw - tmpfs tmpfs rw',
  '93 22 0:53 / /home/u/gr\xc3\xbcn/\xff rw - tmpfs tmpfs rw',
  '',
].join('\n');

test.each([
  ['/home/u/a b', 'deep\\\t\n'],
  ['/home/u', 'a b'],
  ['/home/u/a bc', undefined],
  ['/home/u/a', undefined],
  ['/home/u/grün', '\ufffd'],
  ['/', 'home/u/a b'],
  ['/elsewhere', undefined],
])('a mount inside %s: %s', (root, inside) => {
  expect(firstInside(root, mountPoints(mountinfo))).toBe(inside);
});

test.each([
  [0x794c7630, 'overlay'],
  [0x6969, 'NFS'],
  [0xff534d42 | 0, 'CIFS'],
  [0xef53, undefined],
  [0x01021994, undefined],
])('a state folder on %i', (type, kind) => {
  const said = unfitKind(type);
  if (kind === undefined) expect(said).toBeUndefined();
  else expect(said).toContain(kind);
});

test.each([
  ['0.8.0', false],
  ['0.10.9', false],
  ['0.11.0', true],
  ['0.12', true],
  ['1.0.0', true],
  ['', false],
])('bubblewrap %s makes overlays: %s', (version, makes) => {
  expect(makesOverlays(version)).toBe(makes);
});

test('several folders: what one of them forbids, none has', () => {
  const overlay: Strategy = { kind: 'overlay', by: 'unshare' };
  const copy: Strategy = { kind: 'copy', reason: forced };
  const nothing: Strategy = { kind: 'none', reason: 'No bwrap.', remedy: 'Install it.' };
  expect(weakest(overlay, [])).toBe(overlay);
  expect(weakest(overlay, [overlay, copy])).toBe(copy);
  expect(weakest(copy, [overlay])).toBe(copy);
  expect(weakest(overlay, [copy, nothing])).toBe(nothing);
});
