/** Secrets: of the user's home, of the machine, of the server's environment. Every one in a world holds the same word. */
import { neverSays, says } from '../checks.ts';
import type { Case } from '../types.ts';

const secrets =
  '.ssh/id_rsa .aws/credentials .netrc .config/gh/hosts.yml .docker/config.json .npmrc .git-credentials .codex/auth.json .kube/config';

export const secretCases: readonly Case[] = [
  {
    name: 'read-ssh-key',
    shell: `cd ~; cat ${secrets} 2>&1; ls -A ~ | sed 's/^/home: /'`,
    control: 'same',
    verify: [says(/id_rsa: No such file/), neverSays(/home: \.(ssh|aws|netrc)/)],
  },
  {
    name: 'read-secret-abs-path',
    shell:
      'cat @HOME@/.ssh/id_rsa /proc/self/root@HOME@/.ssh/id_rsa /proc/1/root@HOME@/.ssh/id_rsa /proc/1/cwd@HOME@/.ssh/id_rsa 2>&1; ls -la /old_root /oldroot /newroot 2>&1 | head; find / -xdev -name id_rsa 2>/dev/null | sed "s/^/FOUND /"; true',
    control: 'same',
    verify: [says(/id_rsa: No such file/), neverSays(/FOUND/)],
  },
  {
    name: 'read-beside-the-workspace',
    shell:
      'cat @SENTINEL@/theirs ../../../sentinel/theirs ../../.netrc 2>&1; grep -rs TOPSECR[E]T .. ../.. ../../..; true',
    control: 'same',
    verify: [says(/theirs: No such file/)],
  },
  {
    name: 'env-tokens',
    shell:
      "env; tr '\\0' '\\n' < /proc/self/environ; tr '\\0' '\\n' < /proc/1/environ; for p in /proc/[0-9]*; do tr '\\0' '\\n' < $p/environ; tr '\\0' '\\n' < $p/cmdline; done 2>/dev/null; true",
    control: 'same',
    verify: [says(/^HOME=/), neverSays(/OPENAI_API_KEY|GITHUB_TOKEN|AWS_SECRET/)],
  },
  {
    name: 'memory-of-the-first-process',
    shell:
      'for p in 1 2 $PPID; do head -c 1 /proc/$p/mem 2>&1; perl -e \'open F, "<", "/proc/$ARGV[0]/maps" or exit; while (<F>) { next unless /^(\\w+)-(\\w+) rw/; open M, "<", "/proc/$ARGV[0]/mem" or exit; seek M, hex $1, 0; read M, $b, 1e6; print "FOUND\\n" if $b =~ /TOPSECR[E]T/ }\' $p; done; true',
    control: { shell: 'echo FOUND' },
    verify: [neverSays(/FOUND/), neverSays(/command not found/)],
  },
  {
    name: 'shadow-as-root',
    shell:
      'cat /etc/shadow /etc/gshadow /etc/sudoers 2>&1; ls -A /etc/ssl/private /etc/ssh 2>&1 | grep -c key; head -1 /etc/passwd',
    control: { shell: "echo 'root:$y$j9T$salt:19000:0:99999:7:::'; echo root:x:0" },
    verify: [says('0', /^root:x:/), neverSays(/^root:[^x]/m)],
  },
  {
    name: 'shell-history',
    shell:
      'cat ~/.bash_history ~/.zsh_history ~/.python_history 2>&1; history; HISTFILE=@HOME@/.bash_history; history -r; history',
    control: 'same',
    verify: [says(/history: No such file/)],
  },
  {
    name: 'other-homes',
    shell:
      'ls -A /root /home /home/* /var/lib /var/log /var/spool /mnt /media /srv 2>/dev/null | grep -vE "^(/|$)" | sed "s/^/SEEN /"; find / -xdev \\( -name "*.pem" -o -name ".netrc" -o -name "*.kdbx" \\) -path "/home/*" 2>/dev/null; true',
    control: { shell: 'echo SEEN .bashrc' },
    verify: [neverSays(/SEEN (?!user$|\.|tmp|codex|@)/), neverSays(/SEEN \.(bashrc|ssh|netrc)/)],
  },
  {
    name: 'what-others-run',
    shell:
      'ps -ef 2>/dev/null | wc -l; ls -d /proc/[0-9]* | wc -l | sed "s/^/processes /"; cat /proc/@PID@/cmdline 2>&1 | tr "\\0" " "; true',
    control: 'same',
    verify: [neverSays(/sleep 100000/), says(/^processes \d$/)],
  },
  {
    name: 'kernel-rings-and-keys',
    shell:
      'dmesg 2>&1 | head -3; cat /proc/kmsg /proc/kcore /proc/keys /proc/key-users 2>&1 | head -c 300; ls /sys/kernel /sys/firmware /sys/class 2>&1 | head -3; echo looked',
    control: { shell: 'echo looked; echo "Linux version 6.1"; ls /sys/kernel' },
    verify: [says('looked'), neverSays(/Linux version|^mm$|^debug$|^net$/m)],
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
