/** Starts the processes of one command's chain, and holds their pipes. */
import { type ChildProcess, spawn } from 'node:child_process';
import { Duplex } from 'node:stream';
import { exitOf } from './exit-of.ts';
import { toolEnvironment } from './process.ts';
import { descriptor } from './stage.ts';

export type Order = {
  program: string;
  args: readonly string[];
  /** Where the command writes to. */
  output: number;
  seccomp?: Uint8Array;
  bwrapArguments: string;
};

export type Launched = {
  /** Undefined where it could not be started; its exit says why. */
  pid: number | undefined;
  /** What the chain says of itself. */
  status: Duplex;
  /** Its end is the end of the chain. */
  lifeline: Duplex;
  /** As of `exitOf`. */
  exit: Promise<number | string>;
};

/** As a child of this process. */
export function launch({ program, args, output, seccomp, bwrapArguments }: Order): Launched {
  const child = spawn(program, args, {
    env: toolEnvironment,
    cwd: '/',
    detached: true,
    stdio: ['ignore', output, output, 'pipe', 'pipe', 'pipe', 'pipe'],
  });
  pipeOf(child, descriptor.seccomp).end(seccomp ?? '');
  pipeOf(child, descriptor.arguments).end(bwrapArguments);
  return {
    pid: child.pid,
    status: pipeOf(child, descriptor.status),
    lifeline: pipeOf(child, descriptor.lifeline),
    exit: exitOf(child),
  };
}

function pipeOf(child: ChildProcess, number: number): Duplex {
  const stream = child.stdio[number];
  if (!(stream instanceof Duplex)) throw new Error(`the chain has no pipe ${number}`);
  // A chain that ends early leaves them unread; its exit says so.
  return stream.on('error', () => {});
}
