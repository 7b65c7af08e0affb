/** The system calls a command may not make, as a classic BPF program for bwrap's `--seccomp`; pure. */

export type SeccompArch = 'x64' | 'arm64';

/** Offsets in `struct seccomp_data`; the low half of an argument comes first on both of our machines. */
const offset = { number: 0, arch: 4, argument: (index: number) => 16 + 8 * index };

const audit: Record<SeccompArch, number> = { x64: 0xc000003e, arm64: 0xc00000b7 };

const verdict = {
  allow: 0x7fff0000,
  killProcess: 0x80000000,
  eperm: 0x00050001,
  enosys: 0x00050026,
  enomem: 0x0005000c,
};

const opcode = { load: 0x20, jumpEqual: 0x15, jumpGreaterOrEqual: 0x35, jumpAnyBit: 0x45, end: 0x06 };

/** What reaches into other processes, changes mounts or namespaces, or opens large parts of the kernel. */
const refused: Record<SeccompArch, Record<string, number>> = {
  x64: {
    ptrace: 101,
    process_vm_readv: 310,
    process_vm_writev: 311,
    pidfd_getfd: 438,
    kcmp: 312,
    mount: 165,
    umount2: 166,
    pivot_root: 155,
    chroot: 161,
    open_tree: 428,
    move_mount: 429,
    fsopen: 430,
    fsconfig: 431,
    fsmount: 432,
    fspick: 433,
    mount_setattr: 442,
    open_tree_attr: 467,
    setns: 308,
    unshare: 272,
    add_key: 248,
    request_key: 249,
    keyctl: 250,
    bpf: 321,
    perf_event_open: 298,
    userfaultfd: 323,
    fanotify_init: 300,
    kexec_load: 246,
    kexec_file_load: 320,
    init_module: 175,
    finit_module: 313,
    delete_module: 176,
    open_by_handle_at: 304,
    swapon: 167,
    swapoff: 168,
    reboot: 169,
    acct: 163,
    quotactl: 179,
    syslog: 103,
    iopl: 172,
    ioperm: 173,
  },
  arm64: {
    ptrace: 117,
    process_vm_readv: 270,
    process_vm_writev: 271,
    pidfd_getfd: 438,
    kcmp: 272,
    mount: 40,
    umount2: 39,
    pivot_root: 41,
    chroot: 51,
    open_tree: 428,
    move_mount: 429,
    fsopen: 430,
    fsconfig: 431,
    fsmount: 432,
    fspick: 433,
    mount_setattr: 442,
    open_tree_attr: 467,
    setns: 268,
    unshare: 97,
    add_key: 217,
    request_key: 218,
    keyctl: 219,
    bpf: 280,
    perf_event_open: 241,
    userfaultfd: 282,
    fanotify_init: 262,
    kexec_load: 104,
    kexec_file_load: 294,
    init_module: 105,
    finit_module: 273,
    delete_module: 106,
    open_by_handle_at: 265,
    swapon: 224,
    swapoff: 225,
    reboot: 142,
    acct: 89,
    quotactl: 60,
    syslog: 116,
  },
};

/** Answered as a kernel without them would, so that programs take their older way. */
const absentCalls: Record<SeccompArch, Record<string, number>> = {
  // clone3 hides its flags from a filter; C libraries fall back to clone.
  x64: { io_uring_setup: 425, io_uring_enter: 426, io_uring_register: 427, clone3: 435 },
  arm64: { io_uring_setup: 425, io_uring_enter: 426, io_uring_register: 427, clone3: 435 },
};

const checked: Record<SeccompArch, { socket: number; ioctl: number; clone: number; shmget: number }> = {
  x64: { socket: 41, ioctl: 16, clone: 56, shmget: 29 },
  arm64: { socket: 198, ioctl: 29, clone: 220, shmget: 194 },
};

/**
 * Shared memory of the System V kind can't be counted from outside: databases get the small piece that they lock by,
 * and the 4096 pieces there may be are 256 MiB.
 */
const shmgetBytesMax = 64 * 1024;

/** UNIX, INET, INET6, NETLINK. */
const socketFamilies = [1, 2, 10, 16];
/** TIOCSTI and TIOCLINUX put characters into a terminal's input. */
const terminalInputRequests = [0x5412, 0x541c];
/** CLONE_NEW{NS,CGROUP,UTS,IPC,USER,PID,NET}. */
const namespaceFlags = 0x7e020000;
const x32Bit = 0x40000000;

type Instruction = { code: number; jt: number; jf: number; k: number };

const load = (k: number): Instruction => ({ code: opcode.load, jt: 0, jf: 0, k });
const end = (k: number): Instruction => ({ code: opcode.end, jt: 0, jf: 0, k });
/** Runs the next instruction where equal, else skips it. */
const onlyIf = (k: number): Instruction => ({ code: opcode.jumpEqual, jt: 0, jf: 1, k });

/** The filter for this processor as the bytes of `struct sock_filter[]`, or nothing where we know none. */
export function seccompProgram(arch: string): Uint8Array | undefined {
  if (arch !== 'x64' && arch !== 'arm64') return undefined;
  const instructions = program(arch);
  const bytes = new DataView(new ArrayBuffer(instructions.length * 8));
  instructions.forEach(({ code, jt, jf, k }, index) => {
    bytes.setUint16(index * 8, code, true);
    bytes.setUint8(index * 8 + 2, jt);
    bytes.setUint8(index * 8 + 3, jf);
    bytes.setUint32(index * 8 + 4, k, true);
  });
  return new Uint8Array(bytes.buffer);
}

function program(arch: SeccompArch): Instruction[] {
  const { socket, ioctl, clone, shmget } = checked[arch];
  return [
    load(offset.arch),
    { code: opcode.jumpEqual, jt: 1, jf: 0, k: audit[arch] },
    end(verdict.killProcess),
    load(offset.number),
    ...(arch === 'x64' ? [{ code: opcode.jumpGreaterOrEqual, jt: 0, jf: 1, k: x32Bit }, end(verdict.enosys)] : []),
    ...Object.values(refused[arch]).flatMap((number) => [onlyIf(number), end(verdict.eperm)]),
    ...Object.values(absentCalls[arch]).flatMap((number) => [onlyIf(number), end(verdict.enosys)]),
    ...whenCalled(socket, [
      load(offset.argument(0)),
      ...socketFamilies.flatMap((family) => [onlyIf(family), end(verdict.allow)]),
      end(verdict.eperm),
    ]),
    ...whenCalled(ioctl, [
      load(offset.argument(1)),
      ...terminalInputRequests.flatMap((request) => [onlyIf(request), end(verdict.eperm)]),
      end(verdict.allow),
    ]),
    ...whenCalled(clone, [
      load(offset.argument(0)),
      { code: opcode.jumpAnyBit, jt: 0, jf: 1, k: namespaceFlags },
      end(verdict.eperm),
      end(verdict.allow),
    ]),
    ...whenCalled(shmget, [
      load(offset.argument(1) + 4),
      { code: opcode.jumpEqual, jt: 1, jf: 0, k: 0 },
      end(verdict.enomem),
      load(offset.argument(1)),
      { code: opcode.jumpGreaterOrEqual, jt: 0, jf: 1, k: shmgetBytesMax + 1 },
      end(verdict.enomem),
      end(verdict.allow),
    ]),
    end(verdict.allow),
  ];
}

/** `body` ends by itself, so the loaded number is still there for what follows a call that is not this one. */
function whenCalled(number: number, body: Instruction[]): Instruction[] {
  return [{ code: opcode.jumpEqual, jt: 0, jf: body.length, k: number }, ...body];
}
