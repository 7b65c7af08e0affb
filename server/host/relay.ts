/** An editor's bytes to the host and back; nothing is looked at but the last byte. */
import type { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';

/** The exit code that the host has sent as its last byte; undefined where it went away without one. */
export function relay(editor: { input: Readable; output: Writable }, host: Socket): Promise<number | undefined> {
  const { input, output } = editor;
  return new Promise((resolve) => {
    let code: number | undefined;
    host.on('data', (chunk: Buffer) => {
      const last = chunk.at(-1) ?? 0;
      const isEnd = last <= 1;
      if (isEnd) code = last;
      const bytes = isEnd ? chunk.subarray(0, -1) : chunk;
      if (bytes.length > 0 && !output.write(bytes)) {
        host.pause();
        output.once('drain', () => host.resume());
      }
    });
    // Without `end` the host could still be told something, by nobody.
    output.on('error', () => host.destroy());
    host.once('close', () => {
      input.unpipe(host);
      resolve(code);
    });
    // Its end is ours: the host then ends the session.
    input.pipe(host);
    host.resume();
  });
}
