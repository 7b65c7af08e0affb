import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeFrame, frameBytesMax, frameKinds, frameReader } from '../../server/host/frames.ts';

test('frames come out as they went in, however the bytes are cut', () => {
  const frame = fc.record({ kind: fc.constantFrom(...frameKinds), data: fc.uint8Array({ maxLength: 40 }) });
  fc.assert(
    fc.property(fc.array(frame), fc.integer({ min: 1, max: 9 }), (frames, step) => {
      const bytes = Buffer.concat(frames.map(({ kind, data }) => encodeFrame(kind, data)));
      const read = frameReader();
      const found = [];
      for (let at = 0; at < bytes.length; at += step) found.push(...read(bytes.subarray(at, at + step)));
      expect(found.map(({ kind, data }) => ({ kind, data: Uint8Array.from(data) }))).toEqual(frames);
    }),
  );
});

test.each([
  ['an unknown kind', Buffer.from([frameKinds.length, 0, 0, 0, 0])],
  ['a length without end', Buffer.from([0, 0xff, 0xff, 0xff, 0xff])],
  ['one byte too many', encodeFrame('stdout', Buffer.alloc(frameBytesMax + 1))],
])('%s is no frame', (_, bytes) => {
  expect(() => frameReader()(bytes)).toThrow('no frames');
});
