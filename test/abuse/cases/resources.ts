/** Resources: what a command takes of the machine ends at a limit that has a name, and nobody else goes without. */

import { endedBy, harm, neverSays, says, upperHolds, within } from '../checks.ts';
import type { Case, Check } from '../types.ts';

const mebibyte = 1024 ** 2;
const diskBytesMax = 200 * mebibyte;
/** It is looked at now and then, so a little more may have been written by then. */
const diskWithin: Check = upperHolds({ bytesMax: 4 * diskBytesMax });

/** What stands for a flood where there is no limit: the check looks for bytes or for who is left. */
const tooMuchDisk = { shell: 'fallocate -l 900M fill' };
const leftOver = { shell: 'setsid sleep 987654 & sleep 0.1' };

export const resources: readonly Case[] = [
  {
    name: 'fork-bomb',
    shell: 'bomb() { bomb | bomb & }; bomb; sleep 2; echo after',
    ends: 'killed',
    timeoutMs: 3_000,
    control: leftOver,
    verify: [endedBy('processes'), within(8_000)],
  },
  {
    name: 'thread-bomb',
    shell:
      'node -e \'const { Worker } = require("worker_threads"); let n = 0; const more = () => { for (let i = 0; i < 20; i++) { const w = new Worker("setInterval(() => {}, 1e6)", { eval: true }); w.on("online", () => n++); w.on("error", () => {}); } setTimeout(more, 50); }; more()\'',
    policy: { processesMax: 40 },
    ends: 'killed',
    timeoutMs: 10_000,
    control: leftOver,
    verify: [endedBy('processes', 'memory'), within(16_000)],
  },
  {
    name: 'output-flood',
    shell: 'yes AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
    ends: 'killed',
    timeoutMs: 1_500,
    control: { shell: 'head -c 500000 /dev/zero | tr "\\0" A' },
    verify: [
      ({ outputs }) =>
        (outputs.at(-1) ?? '').length > 210_000 ? harm('more output was kept than the limit') : undefined,
    ],
  },
  {
    name: 'one-endless-line',
    shell: 'head -c 30000000 /dev/zero | tr "\\0" A; printf "\\e[31m"; head -c 1000000 /dev/urandom; echo',
    control: { shell: 'head -c 500000 /dev/zero | tr "\\0" A' },
    verify: [
      ({ outputs }) =>
        (outputs.at(-1) ?? '').length > 260_000 ? harm('more output was kept than the limit') : undefined,
    ],
  },
  {
    name: 'disk-fill-tmp',
    shell:
      'for f in /tmp/fill /tmp/fill2 ~/fill; do head -c 190M /dev/zero > $f; done; df -m /tmp ~ | awk "NR > 1 { print \\"size\\", (\\$2 > 210 ? \\"TOO MUCH\\" : \\"bounded\\") }"',
    control: { shell: 'echo size TOO MUCH' },
    verify: [says('size bounded'), neverSays(/TOO MUCH/)],
  },
  {
    name: 'disk-fill-shm',
    shell:
      'head -c 600M /dev/zero > /dev/shm/fill; df -m /dev/shm | awk "NR == 2 { print \\"size\\", (\\$2 > 210 ? \\"TOO MUCH\\" : \\"bounded\\") }"; for d in / /dev /run /var /etc/ssh /mnt; do head -c 1M /dev/zero > $d/fill && echo TOO MUCH $d; done 2>/dev/null; true',
    control: { shell: 'echo size TOO MUCH' },
    verify: [says('size bounded'), neverSays(/TOO MUCH/)],
  },
  {
    name: 'disk-fill-workspace',
    shell:
      'for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do head -c 100000000 /dev/zero > fill$i || break; done; sleep 3',
    ends: 'killed',
    control: tooMuchDisk,
    verify: [endedBy('disk'), diskWithin],
  },
  {
    name: 'huge-single-file',
    shell:
      'truncate -s 1T sparse 2>&1; fallocate -l 100G solid 2>&1; ls -ls sparse solid 2>/dev/null | awk "{ if (\\$6 > 210e6) print \\"TOO LARGE\\" }"; echo tried',
    control: { shell: 'truncate -s 1G sparse; echo TOO LARGE; echo tried' },
    verify: [says('tried', /File size limit exceeded/), neverSays(/TOO LARGE/), diskWithin],
  },
  {
    name: 'files-of-holes',
    shell: 'for i in $(seq 400); do truncate -s 200M hole$i; done; ls | wc -l',
    control: { shell: 'rm a.txt; ls | wc -l' },
    verify: [says('402'), within(20_000), diskWithin],
    changes: ['hole1 binary 644', '…'],
  },
  {
    name: 'memory-bomb',
    shell: 'perl -e \'while (1) { push @b, "x" x 20_000_000 }\' 2>/dev/null; echo rc=$?',
    ends: 'killed',
    timeoutMs: 15_000,
    control: { shell: 'echo rc=0' },
    verify: [({ result }) => (result?.limit === 'memory' ? undefined : harm('its memory was not what stopped it'))],
  },
  {
    name: 'memory-by-many',
    shell: 'for i in $(seq 6); do perl -e \'$b = "x" x 200_000_000; sleep 987\' & done; wait; echo over',
    ends: 'killed',
    timeoutMs: 8_000,
    control: { shell: 'setsid sleep 987 &' },
    verify: [endedBy('memory')],
  },
  {
    name: 'inode-flood',
    shell: 'mkdir fl; cd fl; perl -e \'for (1..100000) { open F, ">", $_ or last; close F }\'; echo over; sleep 5',
    policy: { entriesMax: 20_000 },
    ends: 'killed',
    timeoutMs: 60_000,
    control: { shell: 'echo over; setsid sleep 987 &' },
    verify: [endedBy('disk'), upperHolds({ entriesMax: 60_000 })],
  },
  {
    name: 'empty-folders',
    shell: 'perl -e \'for $a (1..20) { mkdir "d$a"; for (1..1000) { mkdir "d$a/$_" } }\'; ls d7 | wc -l',
    timeoutMs: 20_000,
    control: { shell: 'rm a.txt; echo 1000' },
    verify: [says('1000')],
    changes: [],
  },
  {
    name: 'deep-path',
    shell:
      'perl -e \'$n = "d" x 100; for (1..3000) { mkdir $n or die; chdir $n or die } open F, ">", "leaf"; print "made\\n"\'',
    control: { shell: 'rm a.txt; echo made' },
    verify: [
      says('made'),
      ({ problems }) =>
        problems.some((one) => one.includes('too deep')) ? undefined : { unproven: 'it was not told' },
    ],
    changes: [],
  },
  {
    name: 'many-open-files-and-pipes',
    shell:
      'perl -e \'for (1..20000) { pipe($r, $w) or last; push @f, $r, $w; syswrite $w, "x" x 4096 } print "full\\n"\'; echo over',
    timeoutMs: 8_000,
    control: { shell: 'setsid sleep 987 & echo over; echo full' },
    verify: [says('full')],
  },
  {
    name: 'argument-flood',
    shell:
      'perl -e \'for (1..40) { push @a, "x" x 120_000 } system("/bin/true", @a); print "refused\\n" if $?\'; echo over',
    control: { shell: 'setsid sleep 987 & echo over; echo refused' },
    verify: [says('over')],
  },
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
];
