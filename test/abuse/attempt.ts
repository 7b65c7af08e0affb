/** System calls made straight from a shell, by Perl: no library stands between them and the kernel. */

/** Numbers as the kernel's tables have them, on purpose not those of the filter under test: x86-64, arm64. */
const numbers: Record<string, readonly [x64: number, arm64: number]> = {
  add_key: [248, 217],
  bpf: [321, 280],
  chroot: [161, 51],
  clone: [56, 220],
  clone3: [435, 435],
  clock_settime: [227, 112],
  fanotify_init: [300, 262],
  finit_module: [313, 273],
  fsopen: [430, 430],
  init_module: [175, 105],
  io_uring_setup: [425, 425],
  ioctl: [16, 29],
  kcmp: [312, 272],
  kexec_load: [246, 104],
  keyctl: [250, 219],
  mknodat: [259, 33],
  mount: [165, 40],
  mount_setattr: [442, 442],
  move_mount: [429, 429],
  open_by_handle_at: [304, 265],
  open_tree: [428, 428],
  perf_event_open: [298, 241],
  pidfd_getfd: [438, 438],
  pidfd_open: [434, 434],
  pivot_root: [155, 41],
  process_vm_readv: [310, 270],
  ptrace: [101, 117],
  reboot: [169, 142],
  request_key: [249, 218],
  sethostname: [170, 161],
  setns: [308, 268],
  setxattr: [188, 5],
  socket: [41, 198],
  swapon: [167, 224],
  syslog: [103, 116],
  umount2: [166, 39],
  unshare: [272, 97],
  userfaultfd: [323, 282],
};

export function numberOf(call: string): number {
  const [x64, arm64] = numbers[call] ?? [];
  const number = process.arch === 'arm64' ? arm64 : x64;
  if (number === undefined) throw new Error(`no number is known for ${call}`);
  return number;
}

/** Says `NAME RESULT ERRNO`. `args` is Perl without single quotes; `before` runs first. `label` is said for the name. */
export const attempt = (call: string, args = '', { before = '', label = call } = {}): string =>
  // By way of a list: Perl passes no constant text to the kernel.
  `perl -e '${before} @a = (${args}); $! = 0; $r = syscall(${numberOf(call)}, @a); print "${label} $r ", $! + 0, "\\n"'`;

/** Says that each call was made and went through: the effect that `refused` looks for. */
export const asIfDone = (...calls: string[]): { shell: string } => ({
  shell: calls.map((call) => `echo ${call} 0 0`).join('\n'),
});
