/** Writes outside: whatever a command writes, moves or deletes stays in its copy. */
import { attempt } from '../attempt.ts';
import { neverSays, refused, says } from '../checks.ts';
import type { Case } from '../types.ts';

const everywhere =
  '/ /etc /usr/bin /usr/local/bin /opt /tmp /var/tmp /dev/shm /run /root /srv @HOME@ @SENTINEL@ .. ../.. ../../..';

export const writes: readonly Case[] = [
  {
    name: 'write-workspace-file',
    shell: 'echo changed > src/a.ts; cat src/a.ts',
    control: 'same',
    verify: [says('changed')],
    changes: ['src/a.ts text 644'],
  },
  {
    name: 'append-workspace-file',
    shell: 'echo more >> src/a.ts; sed -i s/one/ONE/ a.txt; truncate -s 1 src/deep/b.ts',
    control: 'same',
    changes: ['a.txt text 644', 'src/a.ts text 644', 'src/deep/b.ts text 644'],
  },
  {
    name: 'delete-workspace',
    shell: 'rm -rf ./* ./.git .[!.]*; ls -A | wc -l',
    control: 'same',
    verify: [says('0')],
    changes: ['.gitignore absent', 'a.txt absent', 'src/a.ts absent', 'src/deep/b.ts absent'],
  },
  {
    name: 'rename-over-workspace-file',
    shell: 'echo new > x; mv -f x a.txt; mv src/a.ts src/moved.ts; cat a.txt',
    control: 'same',
    verify: [says('new')],
    changes: ['a.txt text 644', 'src/a.ts absent', 'src/moved.ts text 644'],
  },
  {
    name: 'rename-the-workspace',
    shell:
      'w=$PWD; cd /; mv "$w" "$w-away" 2>&1; rm -rf "$w-away"; mkdir -p "$w-new"; mv -T "$w-new" "$w" 2>&1; ls "$w/a.txt"',
    control: { shell: 'rm a.txt' },
    verify: [says(/\/a\.txt$/)],
    changes: [],
  },
  {
    name: 'write-parent-dir',
    shell: 'echo x > ../planted-@ID@; mkdir -p ../../planted-@ID@ ../../escape; echo x > ../../escape/x; ls ..',
    control: 'same',
    verify: [says(/^planted-/)],
    changes: [],
  },
  {
    name: 'write-host-absolute',
    shell: 'mkdir -p @SENTINEL@; echo x > @SENTINEL@/pwned; echo x > @SENTINEL@/theirs; true',
    control: 'same',
    changes: [],
  },
  {
    name: 'write-everywhere',
    shell: `for d in ${everywhere}; do echo x > $d/planted-@ID@; done 2>/dev/null; ls /tmp`,
    control: 'same',
    verify: [says(/^planted-/)],
    changes: [],
  },
  {
    name: 'write-home-rc',
    shell:
      'echo evil >> ~/.bashrc; echo evil >> ~/.profile; mkdir -p ~/.config/autostart; echo x > ~/.config/autostart/e.desktop; cat ~/.bashrc',
    control: 'same',
    verify: [says('evil')],
    changes: [],
  },
  {
    name: 'write-usr-etc',
    shell:
      '(echo x > /etc/planted-@ID@) 2>&1; (echo x > /usr/bin/planted-@ID@) 2>&1; (echo x >> /etc/hosts) 2>&1; (echo x >> /usr/bin/env) 2>&1; rm -f /etc/hostname 2>&1; [ -e /etc/planted-@ID@ ] && echo WROTE; true',
    control: { shell: 'echo WROTE' },
    verify: [neverSays(/WROTE/), says(/\/etc\/planted-.*Read-only/, /env: (Read-only|Text file busy|Permission)/)],
    changes: [],
  },
  {
    name: 'write-through-proc-root',
    shell:
      'for r in /proc/self/root /proc/1/root /proc/$$/root /proc/self/cwd/../../..; do echo x > $r@SENTINEL@/pwned; mkdir -p $r@SENTINEL@; echo x > $r/etc/planted-@ID@; done 2>/dev/null; [ -e @SENTINEL@/theirs ] && echo THEIRS; true',
    control: 'same',
    verify: [neverSays(/THEIRS/)],
    changes: [],
  },
  {
    name: 'write-through-inherited-descriptors',
    // No pipe at the end: the shell's own would be among those that are listed.
    shell:
      'for fd in $(ls /proc/self/fd) 3 4 5 6 7 8 9 10 11 12 20; do { [ -d /proc/$$/fd/$fd ] && echo FOLDER $fd; } 2>/dev/null; done; ls -l /proc/$$/fd >/tmp/list; awk \'NR > 1 { print "fd", $9, $11 }\' /tmp/list',
    control: { shell: 'exec 7< @SENTINEL@; [ -d /proc/$$/fd/7 ] && echo FOLDER 7' },
    verify: [neverSays(/FOLDER/), neverSays(/fd ([3-9]|\d\d) (?!\/proc)/), says(/^fd 1 /)],
    changes: [],
  },
  {
    name: 'hard-link-to-the-users-file',
    shell: [
      'ln a.txt linked; echo through >> linked; ln @SENTINEL@/theirs stolen 2>&1; ln /etc/hosts hosts 2>&1; cat a.txt; true',
      'echo again >> a.txt; cat linked',
    ],
    control: { shell: 'ln a.txt linked; echo through >> linked; cat linked' },
    changes: ['a.txt text 644', 'linked text 644'],
    verify: [says('through')],
  },
  {
    name: 'the-layers-of-the-copy',
    shell:
      'ls -A ../../.. .. 2>&1; for p in ../state ../state/copy ../state/copy/up ../state/copy/work; do ls $p >/dev/null 2>&1 && echo REACHED $p; done; find / -xdev -name whiteouts 2>/dev/null | sed s/^/REACHED/; true',
    control: { shell: 'mkdir -p ../state/copy/up; ls ../state/copy && echo REACHED' },
    verify: [neverSays(/REACHED/)],
    changes: [],
  },
  {
    name: 'overlay-marks-by-hand',
    shell: [
      [
        'mkdir -p d src/new; echo x > f',
        ...[
          'user.overlay.opaque", "y", 1',
          'user.overlay.redirect", "/../../../../sentinel", 24',
          'user.overlay.origin", "x", 1',
        ]
          .concat([
            'user.overlay.metacopy", "", 0',
            'trusted.overlay.opaque", "y", 1',
            'user.overlay.whiteout", "y", 1',
          ])
          .map((mark) => attempt('setxattr', `"src", "${mark}, 0`)),
        attempt('setxattr', '"f", "user.overlay.metacopy", "", 0, 0'),
        attempt('setxattr', '"f", "user.overlay.redirect", "@SENTINEL@/theirs", 60, 0'),
      ].join('\n'),
      'cat f; ls src d; find . -name theirs; cat src/theirs d/theirs 2>/dev/null; true',
    ],
    control: { shell: 'cp @SENTINEL@/theirs f; cat f; echo x; echo a.ts' },
    verify: [says('x', 'a.ts')],
    changes: ['f text 644'],
  },
  {
    name: 'whiteouts-by-hand',
    shell: [
      `${attempt('mknodat', '-100, "src/a.ts.w", 0x2000, 0')}; ${attempt('mknodat', '-100, "/tmp/w", 0x2000, 0')}; mv /tmp/w a.txt 2>&1; touch .wh.a.txt .wh..wh..opq src/.wh.a.ts; ls src`,
      'cat src/a.ts',
    ],
    control: { shell: 'rm -f a.txt src/a.ts; echo hello' },
    verify: [says('hello')],
    changes: ['.wh..wh..opq text 644', '.wh.a.txt text 644', '…'],
  },
  {
    name: 'set-owner-and-capabilities',
    shell: [
      'cp /bin/true t; chown 0:0 t 2>&1; chown 12345:12345 t 2>&1',
      attempt('setxattr', '"t", "security.capability", pack("V5", 0x02000001, 0xffffffff, 0, 0xffffffff, 0), 20, 0'),
      attempt('setxattr', '"t", "trusted.x", "y", 1, 0'),
    ].join('\n'),
    control: { shell: 'echo x >> a.txt; echo setxattr 0 0' },
    verify: [refused('setxattr')],
    changes: ['t binary 755 (new executable)'],
  },
];
