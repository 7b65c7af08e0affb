/** Symbolic links and special files: reported as what they are, never followed, by whatever looks at the copy. */
import { neverSays, says, within } from '../checks.ts';
import type { Case } from '../types.ts';

const out = '(symbolic link out of the workspace)';

export const links: readonly Case[] = [
  {
    name: 'symlink-dir-then-write',
    shell: 'ln -s @SENTINEL@ out; echo x > out/pwned; ln -sfn @HOME@ h; echo x > h/.ssh/authorized_keys; true',
    control: 'same',
    changes: [
      'h -> @HOME@ (symbolic link out of the workspace)',
      'out -> @SENTINEL@ (symbolic link out of the workspace)',
    ],
  },
  {
    name: 'symlink-over-existing-dir',
    shell: 'rm -rf src && ln -s /etc src; ls src/passwd',
    control: 'same',
    verify: [says('src/passwd')],
    changes: [`src -> /etc ${out}`, 'src/a.ts absent', 'src/deep/b.ts absent'],
  },
  {
    name: 'symlink-over-a-file-to-a-secret',
    shell: ['rm a.txt; ln -s @HOME@/.ssh/id_rsa a.txt; ln -s ../../.ssh/id_rsa key', 'cat a.txt key 2>&1; true'],
    control: 'same',
    verify: [says(/No such file/)],
    changes: ['a.txt -> @HOME@/.ssh/id_rsa (symbolic link out of the workspace)', `key -> ../../.ssh/id_rsa ${out}`],
  },
  {
    name: 'symlink-through-the-real-root',
    shell:
      'ln -s /proc/self/root/etc a; ln -s /proc/self/cwd b; ln -s src/../../.. c; ln -s loop loop; ls a/passwd; rm -r src/deep; ln -s /proc/1/root/ src/deep',
    control: 'same',
    verify: [says('a/passwd')],
    changes: [
      `a -> /proc/self/root/etc ${out}`,
      `b -> /proc/self/cwd ${out}`,
      'c -> src/../../.. (symbolic link that may lead out of the workspace)',
      'loop -> loop',
      `src/deep -> /proc/1/root/ ${out}`,
      'src/deep/b.ts absent',
    ],
  },
  {
    name: 'links-race-the-scan',
    shell:
      'mkdir r; (while :; do rm -rf r; ln -s @SENTINEL@ r; rm -f r; mkdir -p r; echo x > r/theirs; echo y > r/pwned; done) 2>/dev/null & sleep 0.3; echo racing',
    control: { shell: 'rm -rf src; ln -s @SENTINEL@ src; echo racing; echo x > src/pwned' },
    verify: [says('racing')],
  },
  {
    name: 'links-race-an-ending-command',
    shell: [
      'for i in 1 2 3; do (trap "" TERM HUP; while :; do ln -sfn @SENTINEL@ src/deep/x; rm -rf src/deep; mkdir -p src/deep; echo w > src/deep/x; done) 2>/dev/null & done; sleep 0.2; echo racing',
      'cat src/deep/x/theirs 2>&1; echo over',
    ],
    control: { shell: 'ln -s @SENTINEL@ x; cat x/theirs' },
    verify: [says('over')],
  },
  {
    name: 'setuid-binary-drop',
    shell: 'cp /bin/true rootsh && chmod 6755 rootsh; stat -c "mode %a" rootsh',
    control: 'same',
    verify: [says(/^mode \d?755$/)],
    changes: ['rootsh binary 755 (new executable)'],
  },
  {
    name: 'special-files-in-tree',
    shell:
      'mkfifo pipe; mknod zero c 1 5 2>&1; mknod block b 8 0 2>&1; perl -MIO::Socket::UNIX -e \'IO::Socket::UNIX->new(Local => "sk", Listen => 1) or die\'; ls -l pipe sk zero block 2>&1 | cut -c1',
    control: { shell: 'echo s; echo p; echo c; echo b; rm a.txt' },
    verify: [says('p', 's'), neverSays(/^[cb]$/m)],
    changes: ["pipe other (pipe, which can't be applied)", "sk other (socket, which can't be applied)"],
  },
  {
    name: 'pipe-named-as-a-source-file',
    shell: [
      'rm a.txt src/a.ts; mkfifo a.txt src/a.ts; rm .gitignore; mkfifo .gitignore; ls -l a.txt | cut -c1',
      'ls -l src/a.ts | cut -c1',
    ],
    control: { shell: 'rm a.txt; mkfifo a.txt; ls -l a.txt | cut -c1' },
    verify: [says('p'), within(8_000)],
    changes: [
      ".gitignore other (pipe, which can't be applied)",
      "a.txt other (pipe, which can't be applied)",
      "src/a.ts other (pipe, which can't be applied)",
    ],
  },
  {
    name: 'weird-filenames',
    shell:
      "touch -- $'new\\nline' $'tab\\t' $'\\xff\\xfe' '-rf' $'esc\\e[31m' $'rtl\\u202etxt.exe' $'cr\\rname' '--help' '$(touch pwned)' '`id`' '*' 'a;b' '\\'; ls -A | wc -l",
    control: 'same',
    verify: [
      says('18'),
      ({ problems }) =>
        problems.some((one) => one.includes('not UTF-8'))
          ? undefined
          : { unproven: 'the name that is not UTF-8 was not told' },
    ],
    changes: ['$(touch pwned) text 644', '* text 644', '--help text 644', '-rf text 644', '…'],
  },
  {
    name: 'names-that-lie-in-output',
    shell:
      "touch -- $'x\\n M innocent' $'\\e]0;title\\a'; git status --porcelain | wc -l; printf '\\e[2J\\e]52;c;ZXZpbA==\\a\\e[31mred\\n'",
    control: 'same',
    changes: ['\u001b]0;title\u0007 text 644', 'x\n M innocent text 644'],
    verify: [says('2')],
  },
  {
    name: 'times-out-of-range',
    shell: [
      'touch -d 1970-01-01T00:00:00Z a.txt; touch -d 2106-02-07T06:28:16Z src/a.ts; echo x > old; touch -d 1901-12-14 old 2>/dev/null; echo y > new; touch -d 2446-05-10 new; sed -i s/hello/HELLO/ src/a.ts; touch -d 1970-01-01 src/a.ts',
      'stat -c %Y a.txt; cat src/a.ts old new',
    ],
    control: {
      shell: 'sed -i s/hello/HELLO/ src/a.ts; touch -d 1970-01-01T00:00:00Z a.txt; stat -c %Y a.txt; cat src/a.ts',
    },
    verify: [says('0', 'HELLO')],
    changes: ['new text 644', 'old text 644', 'src/a.ts text 644'],
  },
];
