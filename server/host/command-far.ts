/** The host's end of such a command: streams that look like a process's own, and what to do when they are done. */
import type { Socket } from 'node:net';
import { Readable, Writable } from 'node:stream';
import { encodeFrame, frameBytesMax, frameReader, framesOf } from './frames.ts';
import type { Hello } from './hello.ts';

/** In all: the memory is that of the host, which others need too. */
export const stdinBytesMax = 16 * 1024 ** 2;

export type FarStreams = {
  stdin: Readable & { isTTY: boolean; isFar: true };
  stdout: Writable & { isTTY: boolean };
  stderr: Writable & { isTTY: boolean };
  /** Fires where the shell was interrupted, or is gone. */
  signal: AbortSignal;
  /** Everything written before is sent first. */
  exit(code: number): void;
};

export function farStreams(socket: Socket, { terminal }: Extract<Hello, { kind: 'command' }>): FarStreams {
  const stopping = new AbortController();
  const stdin = Object.assign(new Readable({ read: () => void ask() }), {
    isTTY: terminal.stdin,
    isFar: true as const,
  });
  let isAsked = false;
  const ask = (): void => {
    if (!isAsked) socket.write(encodeFrame('wantStdin'));
    isAsked = true;
  };

  const read = frameReader();
  let stdinBytes = 0;
  let hasEnded = false;
  const receive = (data: Buffer): void => {
    stdinBytes += data.length;
    if (stdin.destroyed) return;
    if (stdinBytes > stdinBytesMax) stdin.destroy(new Error(`stdin has more than ${stdinBytesMax / 1024 ** 2} MiB.`));
    else stdin.push(data);
  };
  stdin.on('error', () => {});
  socket.on('data', (chunk: Buffer) => {
    for (const { kind, data } of framesOf(read, chunk, socket)) {
      if (kind === 'stdin' && !hasEnded) receive(data);
      else if (kind === 'stdinEnd' && !hasEnded) {
        hasEnded = true;
        stdin.push(null);
      } else if (kind === 'signal') stopping.abort();
    }
  });
  socket.once('close', () => stopping.abort());
  socket.once('end', () => stopping.abort());
  socket.on('error', () => {});
  socket.resume();

  return {
    stdin,
    stdout: Object.assign(out(socket, 'stdout'), { isTTY: terminal.stdout }),
    stderr: Object.assign(out(socket, 'stderr'), { isTTY: terminal.stderr }),
    signal: stopping.signal,
    exit: (code) => void socket.end(encodeFrame('exit', Uint8Array.of(code))),
  };
}

function out(socket: Socket, kind: 'stdout' | 'stderr'): Writable {
  return new Writable({
    decodeStrings: true,
    write(chunk: Buffer, _encoding, done) {
      // The shell is gone: nobody misses it.
      if (socket.destroyed || socket.writableEnded) return done();
      let isTaken = true;
      for (let at = 0; at < chunk.length; at += frameBytesMax) {
        isTaken = socket.write(encodeFrame(kind, chunk.subarray(at, at + frameBytesMax)));
      }
      if (isTaken) return done();
      const go = (): void => {
        socket.off('drain', go).off('close', go);
        done();
      };
      socket.on('drain', go).on('close', go);
    },
  });
}
