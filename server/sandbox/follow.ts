/** One chain of processes from outside: what it says of itself, how it is stopped, and how it is known to be gone. */
import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { Launched } from './launch.ts';

const goneWithinMs = 5_000;
const eagerLooks = 3;

export type Chain = {
  /** What has been said so far. `child`: the first process in the sandbox; `exitCode`: the command ran and ended. */
  readonly told: { holder?: number; child?: number; exitCode?: number; failure?: string };
  readonly output: Socket;
  /** When bwrap, or what came before it, has ended and has said everything. */
  readonly ended: Promise<void>;
  /** Ends the command, whatever it is at; the mount stays if it was there. */
  stop(): void;
  /** Ends the holder, and with it the mount. Afterwards nothing of the chain lives. */
  release(): Promise<void>;
};

/**
 * To be called in the same moment as the chain is started: of one that is over by then nothing would be heard.
 * `mapIds`: asked for where the chain waits until its namespace knows who is who.
 */
export function follow(child: Launched, output: Socket, mapIds: (pid: number) => Promise<void>): Chain {
  const { status, lifeline } = child;
  const told: { holder?: number; child?: number; exitCode?: number; failure?: string } = {};
  let text = '';
  let isStopped = false;
  lifeline.resume();
  const letOn = () => {
    if (child.pid === undefined) return;
    // Without them it ends, and says why.
    mapIds(child.pid).then(
      () => lifeline.write('go\n'),
      () => lifeline.end(),
    );
  };
  let isWaiting = false;
  const lifelineEnded = ended(lifeline);
  const killGroup = () => kill(child.pid === undefined ? undefined : -child.pid);
  status.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
    if (!isWaiting && text.startsWith('waiting\n')) {
      isWaiting = true;
      letOn();
    }
    told.holder = numberIn(text, /^holder (\d+)$/m);
    told.child = numberIn(text, /"child-pid": (\d+)/);
    told.exitCode = numberIn(text, /"exit-code": (\d+)/);
    if (isStopped) kill(told.child);
  });
  const isOver = child.exit.then((outcome) => {
    if (typeof outcome === 'string') told.failure = outcome;
  });
  let hasEnded = false;
  return {
    told,
    output,
    ended: Promise.all([isOver, ended(status)]).then(async () => {
      hasEnded = true;
      // Its end is the end of all that were in its process namespace.
      if (told.child !== undefined) await untilGone(told.child);
    }),
    stop() {
      if (isStopped || hasEnded) return;
      isStopped = true;
      kill(told.child);
      // Killed before it has said who is in the sandbox: the whole group then, the holder too.
      setTimeout(() => hasEnded || killGroup(), told.child === undefined ? 300 : 2_000).unref();
    },
    async release() {
      lifeline.end();
      await Promise.race([lifelineEnded, delay(goneWithinMs, undefined, { ref: false }).then(killGroup)]);
      if (told.holder !== undefined) await untilGone(told.holder);
      for (const stream of [status, lifeline, output]) stream.destroy();
    },
  };
}

const ended = (stream: Duplex): Promise<void> =>
  new Promise((resolve) => {
    stream
      .once('end', resolve)
      .once('close', resolve)
      .once('error', () => resolve());
  });

const numberIn = (text: string, pattern: RegExp): number | undefined => {
  const found = pattern.exec(text)?.[1];
  return found === undefined ? undefined : Number(found);
};

function kill(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}

/**
 * A process that is a zombie has given back everything but its number; of a namespace's first, all others are gone.
 * Mostly it takes less than a timer's shortest: the first looks come one upon the other.
 */
async function untilGone(pid: number): Promise<void> {
  const deadline = performance.now() + goneWithinMs;
  for (let looks = 1; performance.now() < deadline; looks++) {
    const line = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '');
    if (line === '' || /\) [ZX] /.test(line)) return;
    if (looks > eagerLooks) await delay(Math.min(looks - eagerLooks, 100));
  }
}
