/** Takes the first line from a stream and leaves the rest in it; the stream is paused then. */
import type { Readable } from 'node:stream';

/** Undefined where the stream ends, has more than `bytesMax` before the line's end, or the time is over. */
export function firstLine(
  stream: Readable,
  { bytesMax, timeoutMs }: { bytesMax: number; timeoutMs: number },
): Promise<string | undefined> {
  // Its end was told before anybody listened.
  if (stream.destroyed || stream.readableEnded) return Promise.resolve(undefined);
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const done = (line: string | undefined): void => {
      clearTimeout(timer);
      stream.off('data', take).off('end', gone).off('close', gone).off('error', gone);
      resolve(line);
    };
    const gone = (): void => done(undefined);
    const take = (chunk: Buffer): void => {
      const end = chunk.indexOf(0x0a);
      chunks.push(end < 0 ? chunk : chunk.subarray(0, end));
      bytes += chunk.length;
      if (end < 0 && bytes <= bytesMax) return;
      stream.pause();
      if (end >= 0 && end + 1 < chunk.length) stream.unshift(chunk.subarray(end + 1));
      done(end < 0 ? undefined : Buffer.concat(chunks).toString('utf8'));
    };
    const timer = setTimeout(gone, timeoutMs);
    stream.on('data', take).on('end', gone).on('close', gone).on('error', gone).resume();
  });
}
