/** The near end of a command that the host carries out: the shell's streams and signals to it, its output and exit code back. */
import type { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { encodeFrame, frameBytesMax, frameReader, framesOf } from './frames.ts';

/** Its exit code; undefined where the host went away in the middle. */
export function runThere(
  host: Socket,
  { stdin, stdout, stderr, signal }: { stdin: Readable; stdout: Writable; stderr: Writable; signal: AbortSignal },
): Promise<number | undefined> {
  const read = frameReader();
  const stop = (): void => void host.write(encodeFrame('signal'));
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });

  return new Promise((resolve) => {
    let code: number | undefined;
    host.on('data', (chunk: Buffer) => {
      for (const { kind, data } of framesOf(read, chunk, host)) {
        if (kind === 'stdout') write(stdout, data, host);
        else if (kind === 'stderr') write(stderr, data, host);
        else if (kind === 'exit') code = data.at(0) ?? 1;
        // Not before: a shell's loop may be reading from the same stream.
        else if (kind === 'wantStdin') send(stdin, host);
      }
    });
    host.resume();
    host.once('close', () => {
      signal.removeEventListener('abort', stop);
      stdin.pause();
      resolve(code);
    });
  });
}

function write(out: Writable, data: Buffer, from: Socket): void {
  // Whoever read it may be gone, as `head` is: the command still has to be seen to its end.
  if (out.errored || out.destroyed || out.write(data)) return;
  from.pause();
  const go = (): void => {
    out.off('drain', go).off('error', go).off('close', go);
    from.resume();
  };
  out.on('drain', go).on('error', go).on('close', go);
}

function send(stdin: Readable, host: Socket): void {
  stdin.on('data', (chunk: Buffer) => {
    for (let at = 0; at < chunk.length; at += frameBytesMax) {
      const isTaken = host.write(encodeFrame('stdin', chunk.subarray(at, at + frameBytesMax)));
      if (isTaken) continue;
      stdin.pause();
      host.once('drain', () => stdin.resume());
    }
  });
  stdin.once('end', () => host.write(encodeFrame('stdinEnd')));
}
