/** Lifetime: whatever ends a command, the last of its processes ends with it, and the answer comes in time. */
import { endedBy, says, within } from '../checks.ts';
import type { Case } from '../types.ts';

const startedSoon = [says('started'), within(4_000)];

export const lifetime: readonly Case[] = [
  {
    name: 'setsid-survivor',
    shell:
      'setsid nohup sleep 987654 >/dev/null 2>&1 & (setsid sleep 987654 &) ; (sleep 987654 & disown); echo started',
    control: 'same',
    verify: startedSoon,
  },
  {
    name: 'double-fork-daemon',
    shell:
      'perl -MPOSIX -e \'fork and exit; POSIX::setsid(); fork and exit; chdir "/"; POSIX::close($_) for 0..64; %ENV = (); exec { "/bin/sleep" } "@ID@", "987654"\'; sleep 0.3; echo started',
    control: 'same',
    verify: startedSoon,
  },
  {
    name: 'daemon-holds-the-output-open',
    shell:
      '(trap "" HUP TERM INT; setsid sleep 987654 & exec setsid sleep 987654) & exec 3>&1; sleep 987654 & echo started',
    control: 'same',
    verify: startedSoon,
  },
  {
    name: 'daemon-writes-on',
    shell:
      '(trap "" HUP TERM INT PIPE; while :; do echo flood; echo x >> late.txt; done) 2>/dev/null & until [ -e late.txt ]; do sleep 0.01; done; echo started',
    control: 'same',
    verify: [within(4_000)],
    changes: ['late.txt text 644'],
    outputBytesMax: 2_000_000,
  },
  {
    name: 'timeout-infinite-loop',
    shell: "trap '' TERM INT HUP; while :; do :; done",
    ends: 'killed',
    timeoutMs: 600,
    control: { shell: "trap '' TERM INT HUP; while :; do :; done & sleep 0.1" },
    verify: [endedBy('time'), within(3_000)],
  },
  {
    name: 'sleep-past-the-timeout',
    shell: 'echo x > made; sleep 987654',
    ends: 'killed',
    timeoutMs: 500,
    control: { shell: 'sleep 987654 & sleep 0.1' },
    verify: [endedBy('time'), within(3_000)],
    changes: ['made text 644'],
  },
  {
    name: 'stops-itself',
    shell: 'kill -STOP $$; sleep 987654',
    ends: 'killed',
    timeoutMs: 500,
    control: { shell: '(kill -STOP $BASHPID; sleep 1) & sleep 0.2' },
    verify: [endedBy('time'), within(3_000)],
  },
  {
    name: 'stops-everything',
    shell: 'setsid sleep 987654 & kill -STOP $!; kill -STOP -1 2>/dev/null; kill -STOP 0; kill -STOP 1; sleep 987654',
    ends: 'killed',
    timeoutMs: 500,
    control: { shell: 'setsid sleep 987654 & kill -STOP $!; sleep 0.1' },
    verify: [endedBy('time'), within(3_000)],
  },
  {
    name: 'orphans-after-the-timeout',
    shell:
      'for i in $(seq 30); do setsid sh -c "trap \\"\\" TERM HUP; sleep 987654; sleep 987654" & done; sleep 987654',
    ends: 'killed',
    timeoutMs: 800,
    control: { shell: 'for i in $(seq 30); do setsid sleep 987654 & done; sleep 0.2' },
    verify: [endedBy('time'), within(4_000)],
  },
  {
    name: 'vfork-chain-that-never-rests',
    shell: 'perl -e \'$SIG{CHLD} = "IGNORE"; while (1) { exit if fork }\' & sleep 0.4; echo started',
    control: { shell: 'setsid sleep 987654 & echo started' },
    verify: startedSoon,
  },
  {
    name: 'zombie-flood',
    shell:
      'perl -e \'$| = 1; for (1..3000) { $p = fork; if (!defined $p) { print "refused\\n"; last } exit if !$p } print "started\\n"; sleep 1\'',
    control: { shell: 'for i in 1 2 3; do sleep 987654 & done; echo started' },
    verify: [says('started'), within(8_000)],
  },
];
