/** Processes and the kernel: no other process is touched, no right gained, no door of the kernel opened. */
import { asIfDone, attempt } from '../attempt.ts';
import { harm, neverSays, refused, says } from '../checks.ts';
import type { Case } from '../types.ts';

const none = '0, 0, 0, 0, 0, 0';
const calls = (...names: string[]): string => names.map((name) => attempt(name, none)).join('\n');

const openForWriting = (...paths: string[]): string =>
  `for f in ${paths.join(' ')}; do [ -e $f ] && echo there; (exec 3>>$f) 2>/dev/null && echo OPENED $f; done; true`;

const clone = (flags: string): string => attempt('clone', `${flags} | 17, 0, 0, 0, 0`);

export const kernel: readonly Case[] = [
  {
    name: 'ptrace-host',
    shell: `${attempt('ptrace', '16, 1, 0, 0')}; ${attempt('ptrace', '0x4206, $PPID, 0, 0'.replace('$PPID', 'getppid'))}; ${attempt('ptrace', '16, @PID@, 0, 0')}`,
    control: asIfDone('ptrace'),
    verify: [refused('ptrace')],
  },
  {
    name: 'ptrace-own-child',
    shell: attempt('ptrace', '0, 0, 0, 0'),
    control: 'same',
    verify: [refused('ptrace')],
  },
  {
    name: 'memory-of-other-processes',
    shell: [
      attempt('process_vm_readv', '$$, 0, 0, 0, 0, 0'),
      attempt('kcmp', '$$, $$, 0, 0, 0'),
      attempt('pidfd_getfd', '$fd, 0, 0', { before: '$fd = syscall(434, $$, 0);' }),
    ].join('\n'),
    control: 'same',
    verify: [refused('process_vm_readv', 'kcmp', 'pidfd_getfd')],
  },
  {
    // The reaper that bubblewrap leaves as the first process: whoever rules it by its memory has gained nothing.
    name: 'rights-of-pid-1',
    shell:
      'grep -E "Cap(Eff|Prm)|NoNewPrivs|Seccomp:" /proc/1/status; ls -l /proc/1/fd | awk "NR > 1 { print \\"fd\\", \\$9, \\$11 }"; readlink /proc/1/root /proc/1/cwd; for n in mnt user pid net ipc uts; do [ $(readlink /proc/1/ns/$n) = $(readlink /proc/self/ns/$n) ] || echo OTHER $n; done',
    control: { shell: 'grep -E "Cap(Eff|Prm)|NoNewPrivs|Seccomp:" /proc/self/status; echo OTHER' },
    verify: [
      says(/^CapEff:\t0+$/, /^CapPrm:\t0+$/, 'NoNewPrivs:\t1', 'Seccomp:\t2', '/'),
      neverSays(/OTHER|NoNewPrivs:\t0|Seccomp:\t0/),
      neverSays(/^fd \d+ (?!pipe:|\/dev\/null|\/dev\/pts|anon_inode:\[eventfd\]|.*\/output$)/m),
    ],
  },
  {
    name: 'kill-host-process',
    shell: 'kill -9 @PID@ 2>&1; kill -0 @PID@ 2>&1; echo survived',
    control: 'same',
    verify: [says('survived', /No such process/)],
  },
  {
    name: 'kill-everything',
    shell: "trap '' HUP TERM; kill -TERM -1; kill -TERM 0; kill -9 -1 2>&1; sleep 0.1; echo over",
    ends: 'killed',
    // Until it is gone for those who look.
    control: { shell: 'kill -9 @PID@; while kill -0 @PID@ 2>/dev/null; do sleep 0.01; done' },
  },
  {
    name: 'kill-the-process-group',
    shell:
      'kill -9 0; sleep 0.1; kill -9 -$PPID; kill -9 -$(cut -d" " -f5 /proc/1/stat); kill -9 $PPID; kill -9 1; echo over',
    ends: 'killed',
    control: { shell: 'kill -9 @PID@' },
  },
  {
    name: 'tiocsti',
    shell:
      'for fd in 0 1 2; do perl -e \'open F, "+<&=", $ARGV[0]; $c = "x"; print defined(ioctl(F, 0x5412, $c)) ? "INJECTED\\n" : "refused $!\\n"\' $fd; done; (exec 3<>/dev/tty) 2>/dev/null && echo TTY; perl -MPOSIX -e \'open P, "+<", "/dev/ptmx" or die; $n = pack "i", 0; ioctl(P, 0x40045431, $n); $b = pack "i", 0; ioctl(P, 0x80045430, $b); $t = "/dev/pts/" . unpack("i", $b); POSIX::setsid(); open T, "+<", $t or die "no $t"; ioctl(T, 0x540e, 0); $c = "x"; print defined(ioctl(T, 0x5412, $c)) ? "INJECTED\\n" : "own terminal refused $!\\n"\' 2>&1; true',
    control: { shell: 'echo INJECTED; echo refused; echo own terminal refused' },
    verify: [
      says(/^refused Operation not permitted/, /^(own terminal refused Operation not permitted|no \/dev)/),
      neverSays(/^INJECTED|^TTY/m),
    ],
  },
  {
    name: 'remount-rw',
    shell:
      'mount -o remount,rw,bind /usr 2>&1 && echo REMOUNTED; umount -l /proc 2>&1 && echo UMOUNTED; umount -l /tmp 2>&1 && echo UMOUNTED; umount -l $PWD 2>&1 && echo UMOUNTED; echo tried',
    control: 'namespace',
    verify: [says('tried', /^mount: /, /^umount: /), neverSays(/REMOUNTED|UMOUNTED/)],
  },
  {
    name: 'mount-calls',
    shell: [
      attempt('mount', '"none", "/tmp", "tmpfs", 0, 0'),
      attempt('umount2', '"/proc", 2'),
      attempt('fsopen', '"tmpfs", 0'),
      attempt('open_tree', '-100, "/", 1'),
      attempt('mount_setattr', '-1, "", 0, 0, 0'),
      attempt('move_mount', '-1, "", -1, "", 4'),
      attempt('pivot_root', '"/tmp", "/tmp"'),
      attempt('chroot', '"/tmp"'),
    ].join('\n'),
    control: 'namespace',
    verify: [refused('mount', 'umount2', 'fsopen', 'open_tree', 'mount_setattr', 'move_mount', 'pivot_root', 'chroot')],
  },
  {
    name: 'namespaces',
    shell: [
      attempt('unshare', '0x10000000'),
      attempt('unshare', '0x00020000'),
      attempt('unshare', '0x7e020000'),
      clone('0x10000000'),
      clone('0x10020000'),
      attempt('clone3', 'pack("Q11", 0x10000000, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0), 88'),
      'unshare -Ur true 2>&1 && echo MADE; unshare -Urm mount -t tmpfs x /tmp 2>&1 && echo MADE; true',
    ].join('\n'),
    control: 'same',
    verify: [refused('unshare', 'clone', 'clone3'), neverSays(/MADE/)],
  },
  {
    name: 'sandbox-in-the-sandbox',
    shell:
      'bwrap --dev-bind / / true 2>&1 && echo MADE; bwrap --unshare-user --bind / / true 2>&1 && echo MADE; echo tried',
    control: 'same',
    verify: [says('tried', /^bwrap: /), neverSays(/MADE/)],
  },
  {
    name: 'setns',
    shell: [
      ...['mnt', 'user', 'pid', 'net'].map((kind) =>
        attempt('setns', 'fileno(F), 0', {
          before: `open F, "<", "/proc/1/ns/${kind}" or open F, "<", "/proc/self/ns/${kind}";`,
        }),
      ),
      'nsenter -t 1 -m -U true 2>&1 && echo ENTERED; true',
    ].join('\n'),
    control: { shell: 'echo setns 0 0; echo ENTERED' },
    verify: [refused('setns'), neverSays(/ENTERED/)],
  },
  {
    name: 'proc-sys-core-pattern',
    shell: openForWriting(
      '/proc/sys/kernel/core_pattern',
      '/proc/sys/vm/drop_caches',
      '/proc/sys/kernel/modprobe',
      '/proc/sys/kernel/hostname',
    ),
    control: { shell: 'echo there; echo OPENED' },
    verify: [says('there'), neverSays(/OPENED/)],
  },
  {
    name: 'proc-sys-writes',
    shell:
      'echo "|@SENTINEL@/x" > /proc/sys/kernel/core_pattern; echo 61 > /proc/sys/vm/swappiness; echo pwned > /proc/sys/kernel/hostname; sysctl -w kernel.modprobe=/tmp/x; find /proc/sys -type f -writable 2>/dev/null | head -100 | while read f; do (exec 3<>$f) 2>/dev/null && echo OPENED $f; done; echo tried',
    control: { shell: 'echo tried; echo OPENED' },
    verify: [says('tried', /core_pattern: Read-only file system/), neverSays(/OPENED/)],
  },
  {
    name: 'other-doors-in-proc',
    shell: openForWriting(
      '/proc/sysrq-trigger',
      '/proc/irq/default_smp_affinity',
      '/proc/mtrr',
      '/proc/acpi/call',
      '/proc/fs',
      '/proc/bus',
      '/proc/kcore',
      '/proc/kmem',
      '/proc/timer_list',
      '/proc/latency_stats',
      '/proc/scsi/scsi',
      '/proc/driver',
      '/proc/asound',
    ),
    control: { shell: 'echo there; echo OPENED' },
    verify: [says('there'), neverSays(/OPENED/)],
  },
  {
    name: 'sys-and-cgroup',
    shell:
      'ls -A /sys 2>/dev/null | wc -l | sed "s/^/sys /"; mkdir -p /tmp/c; mount -t cgroup -o memory x /tmp/c 2>&1 && echo MOUNTED; mount -t cgroup2 x /tmp/c 2>&1 && echo MOUNTED; mount -t sysfs x /tmp/c 2>&1 && echo MOUNTED; echo @SENTINEL@/x > /sys/fs/cgroup/release_agent; find / -xdev -name release_agent -o -xdev -name cgroup.procs 2>/dev/null | sed "s/^/FOUND /"; cat /proc/self/cgroup | grep -c codex | sed "s/^/own /"; true',
    control: { shell: 'echo sys 0; ls /sys/fs/cgroup | head -1 | sed "s/^/FOUND /"' },
    verify: [says('sys 0'), neverSays(/MOUNTED|FOUND/)],
  },
  {
    name: 'device-access',
    shell:
      'ls /dev | sed "s/^/dev /"; for d in vda sda mem kmem kmsg port kvm fuse net/tun mapper/control loop0 loop-control uinput vsock; do head -c1 /dev/$d >/dev/null 2>&1 && echo READ $d; done; find /dev -type b | sed "s/^/READ /"; true',
    control: { shell: 'echo dev null; echo READ; ls /dev | sed "s/^/dev /"' },
    verify: [
      says('dev null'),
      neverSays(/READ|^dev (?!(?:null|zero|full|random|urandom|tty|ptmx|pts|shm|fd|std(?:in|out|err)|core|console)$)/m),
    ],
  },
  {
    name: 'io-uring',
    shell: attempt('io_uring_setup', '8, "\\0" x 120'),
    control: asIfDone('io_uring_setup'),
    verify: [refused('io_uring_setup'), says('io_uring_setup -1 38')],
  },
  {
    name: 'wide-doors-of-the-kernel',
    shell: `${calls('bpf', 'perf_event_open', 'add_key', 'request_key', 'fanotify_init', 'init_module', 'finit_module', 'kexec_load', 'swapon', 'reboot', 'open_by_handle_at', 'clock_settime', 'sethostname')}
${attempt('userfaultfd', '1')}; ${attempt('keyctl', '0, -3, 0')}; ${attempt('syslog', '10, 0, 0')}`,
    control: asIfDone('bpf', 'userfaultfd', 'keyctl', 'syslog', 'perf_event_open', 'add_key', 'reboot'),
    verify: [
      refused('bpf', 'perf_event_open', 'add_key', 'request_key', 'fanotify_init', 'init_module', 'finit_module'),
      refused('kexec_load', 'swapon', 'reboot', 'open_by_handle_at', 'clock_settime', 'sethostname'),
      refused('userfaultfd', 'keyctl', 'syslog'),
      // By the filter, not for want of a valid argument.
      ({ outputs }) =>
        /^(?:bpf|keyctl|userfaultfd|reboot|open_by_handle_at) -1 (?!1$)/m.test(outputs.join('\n'))
          ? harm('a call came through the filter')
          : undefined,
    ],
  },
  {
    name: 'keyrings-and-page-faults',
    shell: `${attempt('keyctl', '0, -3, 0')}; ${attempt('userfaultfd', '1')}`,
    control: 'same',
    verify: [refused('keyctl')],
  },
  {
    name: 'caps-and-nnp',
    shell:
      "grep -E 'Cap(Eff|Bnd|Prm|Inh|Amb)|NoNewPrivs|Seccomp:' /proc/self/status; su -c id 2>&1 < /dev/null; command -v sudo > /dev/null && sudo -n id 2>&1 | head -1; true",
    control: 'same',
    verify: [
      says(/^CapEff:\t0+$/, /^CapPrm:\t0+$/, /^CapInh:\t0+$/, /^CapAmb:\t0+$/, 'NoNewPrivs:\t1', 'Seccomp:\t2'),
      neverSays(/NoNewPrivs:\t0|Seccomp:\t0|uid=0/),
    ],
  },
  {
    name: 'another-architecture',
    // The write system call of 32-bit x86, by machine code in a page of our own; where there is none, by its x32 number.
    shell:
      'perl -e \'$r = syscall(0x40000000 + 39); print "x32 $r ", $! + 0, "\\n"\'; perl -e \'$r = syscall(0x40000000 + 101, 0, 0, 0, 0); print "ptrace $r ", $! + 0, "\\n"\'',
    control: { shell: 'echo x32 7 0; echo ptrace 0 0' },
    verify: [refused('x32', 'ptrace')],
  },
  {
    name: 'another-name',
    shell:
      '(exec -a systemd sleep 30 & exec -a /usr/bin/bwrap sleep 30 & exec -a "" sleep 30 &) ; perl -e \'$0 = "[kworker/0:0]"; fork and exit; sleep 30\'; echo started',
    control: 'same',
    verify: [says('started')],
  },
];
