import { describe, expect, test } from 'vitest';
import { seccompProgram } from '../../server/sandbox/seccomp.ts';

const verdicts: Record<number, string> = {
  2147418112: 'allow',
  2147483648: 'kill',
  327681: 'EPERM',
  327718: 'ENOSYS',
};

const architecture = { x64: 0xc000003e, arm64: 0xc00000b7, i386: 0x40000003 };

/** A classic BPF machine, as far as the filter uses it; it stops after as many steps as there are instructions. */
function judge(arch: 'x64' | 'arm64', call: { number: number; arch?: number; args?: number[] }): string {
  const program = seccompProgram(arch);
  if (!program) throw new Error('no filter');
  const view = new DataView(program.buffer);
  const words = new Map<number, number>([
    [0, call.number],
    [4, call.arch ?? architecture[arch]],
    ...(call.args ?? []).map((value, index): [number, number] => [16 + 8 * index, value]),
  ]);
  let accumulator = 0;
  for (let at = 0; at < program.length / 8; at++) {
    const code = view.getUint16(at * 8, true);
    const k = view.getUint32(at * 8 + 4, true);
    const jump = (holds: boolean) => view.getUint8(at * 8 + (holds ? 2 : 3));
    if (code === 0x20) accumulator = words.get(k) ?? 0;
    else if (code === 0x15) at += jump(accumulator === k);
    else if (code === 0x35) at += jump(accumulator >= k);
    else if (code === 0x45) at += jump((accumulator & k) !== 0);
    else if (code === 0x06) return verdicts[k] ?? `unknown ${k}`;
    else throw new Error(`unknown instruction ${code}`);
  }
  throw new Error('the program has no end');
}

describe('x64', () => {
  test.each([
    ['read', { number: 0 }, 'allow'],
    ['execve', { number: 59 }, 'allow'],
    ['ptrace', { number: 101 }, 'EPERM'],
    ['mount', { number: 165 }, 'EPERM'],
    ['unshare', { number: 272 }, 'EPERM'],
    ['bpf', { number: 321 }, 'EPERM'],
    ['io_uring_setup', { number: 425 }, 'ENOSYS'],
    ['clone3', { number: 435 }, 'ENOSYS'],
    ['fork by clone', { number: 56, args: [0x01200011] }, 'allow'],
    ['clone into a user namespace', { number: 56, args: [0x10000011] }, 'EPERM'],
    ['a socket of this machine', { number: 41, args: [1] }, 'allow'],
    ['an internet socket', { number: 41, args: [2] }, 'allow'],
    ['a packet socket', { number: 41, args: [17] }, 'EPERM'],
    ['a vsock socket', { number: 41, args: [40] }, 'EPERM'],
    ['ioctl TCGETS', { number: 16, args: [0, 0x5401] }, 'allow'],
    ['ioctl TIOCSTI', { number: 16, args: [0, 0x5412] }, 'EPERM'],
    ['ioctl TIOCLINUX', { number: 16, args: [0, 0x541c] }, 'EPERM'],
    ['a call of the x32 table', { number: 0x40000000 + 101 }, 'ENOSYS'],
    ['a call of another architecture', { number: 26, arch: architecture.i386 }, 'kill'],
  ])('%s', (_, call, verdict) => expect(judge('x64', call)).toBe(verdict));
});

describe('arm64', () => {
  test.each([
    ['read', { number: 63 }, 'allow'],
    ['ptrace', { number: 117 }, 'EPERM'],
    ['setns', { number: 268 }, 'EPERM'],
    ['io_uring_enter', { number: 426 }, 'ENOSYS'],
    ['a packet socket', { number: 198, args: [17] }, 'EPERM'],
    ['ioctl TIOCSTI', { number: 29, args: [0, 0x5412] }, 'EPERM'],
    ['a call of x64', { number: 63, arch: architecture.x64 }, 'kill'],
  ])('%s', (_, call, verdict) => expect(judge('arm64', call)).toBe(verdict));
});

test('there is no filter for a processor we know nothing of', () => {
  expect(seccompProgram('riscv64')).toBeUndefined();
});
