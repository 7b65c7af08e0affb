/**
 * Limits that a command can evade as long as only named files and the pages of programs are counted. They stand in a
 * table of their own until those defences are there.
 */
import { endedBy, says, upperHolds } from '../checks.ts';
import type { Case } from '../types.ts';

const mebibyte = 1024 ** 2;
const leftOver = { shell: 'setsid sleep 987 & sleep 0.1' };

export const evaded: readonly Case[] = [
  {
    name: 'memfd-beyond-the-memory-limit',
    shell: `perl -e '$c = "x" x ${mebibyte}; $n = "m"; for $i (1..8) { $fd = syscall(${process.arch === 'arm64' ? 279 : 319}, $n, 0); open $f[$i], "+<&=", $fd; for (1..150) { syswrite $f[$i], $c or last } } sleep 987'`,
    ends: 'killed',
    timeoutMs: 8_000,
    control: leftOver,
    verify: [endedBy('memory')],
  },
  {
    name: 'unlinked-files-beyond-the-disk-limit',
    shell: `perl -e '$c = "x" x ${mebibyte}; for $i (1..10) { open $f[$i], ">", "f$i"; unlink "f$i"; for (1..150) { syswrite $f[$i], $c or last } } sleep 987'`,
    ends: 'killed',
    timeoutMs: 10_000,
    control: leftOver,
    verify: [endedBy('disk')],
  },
  {
    name: 'deep-trees-fill-the-disk',
    shell: `perl -e '$n = "d" x 200; $c = "x" x ${mebibyte}; for (1..60) { mkdir $n; chdir $n } for $i (1..40) { open F, ">", "f$i"; for (1..20) { syswrite F, $c } close F } sleep 987'`,
    ends: 'killed',
    timeoutMs: 10_000,
    control: leftOver,
    verify: [endedBy('disk'), upperHolds({ bytesMax: 900 * mebibyte })],
  },
  {
    name: 'closed-folders-fill-the-disk',
    shell: `perl -e 'mkdir "c"; $c = "x" x ${mebibyte}; open $f[$_], ">", "c/f$_" for 1..10; chmod 0, "c"; for $i (1..10) { for (1..100) { syswrite $f[$i], $c or last } } sleep 987'`,
    ends: 'killed',
    timeoutMs: 10_000,
    control: leftOver,
    verify: [endedBy('disk')],
  },
  {
    name: 'tmpfs-counts-as-memory',
    shell:
      'for d in /tmp /dev/shm ~; do head -c 190M /dev/zero > $d/fill; done; perl -e \'$b = "x" x 150_000_000; sleep 987\'',
    ends: 'killed',
    timeoutMs: 6_000,
    control: leftOver,
    verify: [endedBy('memory')],
  },
  {
    name: 'secret-files-of-the-workspace',
    setup: 'echo TOPSECRET > .env; echo TOPSECRET > .env.local; echo TOPSECRET > id_rsa; echo EXAMPLE=1 > .env.example',
    shell: 'cat .env .env.local id_rsa 2>&1; cat .env.example',
    control: 'same',
    verify: [says('EXAMPLE=1', /\.env: No such file/)],
    changes: [],
  },
  {
    name: 'credentials-in-the-configuration-of-git',
    setup:
      'git remote add origin https://me:TOPSECRET@example.com/x.git; git config http.https://example.com/.extraheader "AUTHORIZATION: basic TOPSECRET"',
    shell: 'cat .git/config; git remote -v; git log --oneline | wc -l',
    control: 'same',
    verify: [says('1')],
    changes: [],
  },
];
