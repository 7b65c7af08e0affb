/** The streams of a command that the host carries out for a shell, over one connection: a byte of kind, four of length, data. */

export const frameKinds = ['stdin', 'stdinEnd', 'wantStdin', 'stdout', 'stderr', 'signal', 'exit'] as const;
export type FrameKind = (typeof frameKinds)[number];
export type Frame = { kind: FrameKind; data: Buffer };

const headBytes = 5;
/** What is longer goes in several. */
export const frameBytesMax = 1024 * 1024;

export function encodeFrame(kind: FrameKind, data: Uint8Array = new Uint8Array()): Buffer {
  const head = Buffer.alloc(headBytes);
  head.writeUInt8(frameKinds.indexOf(kind), 0);
  head.writeUInt32BE(data.length, 1);
  return Buffer.concat([head, data]);
}

/** Feed it chunks as they come: it answers the frames that are whole by then. Throws where what comes is none. */
export function frameReader(): (chunk: Buffer) => Frame[] {
  let rest: Buffer = Buffer.alloc(0);
  return (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const frames: Frame[] = [];
    while (rest.length >= headBytes) {
      const kind = frameKinds[rest.readUInt8(0)];
      const length = rest.readUInt32BE(1);
      if (kind === undefined || length > frameBytesMax) throw new Error('the connection carries no frames');
      if (rest.length < headBytes + length) break;
      frames.push({ kind, data: rest.subarray(headBytes, headBytes + length) });
      rest = rest.subarray(headBytes + length);
    }
    return frames;
  };
}

/** Whoever sends what is no frame is not listened to any more. */
export function framesOf(read: ReturnType<typeof frameReader>, chunk: Buffer, from: { destroy(): unknown }): Frame[] {
  try {
    return read(chunk);
  } catch {
    from.destroy();
    return [];
  }
}
